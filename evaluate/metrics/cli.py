"""``diptych evaluate distance`` and ``diptych evaluate statistics``."""

import click

from diptych.addresses import Address
from diptych.command_line import AS_JSON, PlaceType, print_json, progress_mode
from diptych.evaluate.inputs.statistics_formats import FORMATS, format_of
from diptych.known_names import completing, listing
from diptych.progress.wording import quantity

METRICS = "diptych.evaluate.metrics.contract:SET_METRICS"
ENCODERS = click.option(
    "--encoder",
    "encoders",
    multiple=True,
    default=["inception"],
    show_default=True,
    help="A kind of encoder, an open_clip folder, ARCHITECTURE/PRETRAINED, or a weights file of Inception; any number, "
    "each with options behind commas: inception,layer=logits",
    shell_complete=completing("diptych.encoders:ENCODERS"),
)
OPTIONS = click.option("--set", "options", multiple=True, metavar="KEY=VALUE", help="An option of the encoder.")
BATCH_SIZE = click.option("--batch-size", type=click.IntRange(1), default=64, show_default=True, help="Images at once.")


@click.command(cls=listing("Metrics", METRICS))
@click.argument("sides", nargs=-1, metavar="A [B]", required=True, type=PlaceType(exists=True))
@ENCODERS
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    default=["frechet_distance"],
    show_default=True,
    help="Name of a set metric; may be given several times, and the images are embedded once.",
    shell_complete=completing(METRICS),
)
@click.option("--paired", is_flag=True, help="Say that the images of A are versions of those of B.")
@OPTIONS
@BATCH_SIZE
@AS_JSON
@click.pass_context
def distance(
    ctx: click.Context,
    sides: tuple[Address, ...],
    encoders: tuple[str, ...],
    metrics: tuple[str, ...],
    paired: bool,
    options: tuple[str, ...],
    batch_size: int,
    as_json: bool,
) -> None:
    """Print how far the images of A are from those of B.

    B is the reference; there is an interval where one can be had, else the reason why not. A metric that looks at one
    set alone (vendi, inception_score) is told of both, and needs no B. An image is decoded once for all encoders.

    A and B are dataset directories, folders of image files, .npz files of images, or files of statistics: those of
    diptych, pytorch-fid, clean-fid, ADM, EDM2 and CMMD. Images that are in both, or versions of each other, are found;
    --paired says so where they hardly look alike.

    \b
    Examples:
      diptych evaluate distance runs/images photos
      diptych evaluate distance runs/images photos --set preprocess=clean
      diptych evaluate distance runs/images photos --metric fid --metric kid
      diptych evaluate distance runs/images b.npz --encoder ViT-B-32/openai
      diptych evaluate distance a photos --encoder inception --encoder dinov2
    """  # noqa: D301 -- as above
    from diptych.evaluate.inputs.named_encoders import encoder_specs
    from diptych.evaluate.metrics.two_sets import measure_distances
    from diptych.storage.store_path import read_path

    specs = encoder_specs(encoders, options, batch_size)
    found = measure_distances([*map(read_path, sides)], metrics, specs, is_paired=paired, progress=progress_mode(ctx))
    if as_json:
        print_json(found.to_json())
        return
    for line in found.lines():
        click.echo(line)


@click.command()
@click.argument("images", type=PlaceType(exists=True, file_okay=False))
@click.option("--out", type=PlaceType(dir_okay=False), required=True, help="The file: .npz, .npy or .pkl.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(sorted(FORMATS)),
    help="Of which program; by itself the first that ends as the file does.",
)
@ENCODERS
@OPTIONS
@BATCH_SIZE
@AS_JSON
@click.pass_context
def statistics(
    ctx: click.Context,
    images: Address,
    out: Address,
    format_name: str | None,
    encoders: tuple[str, ...],
    options: tuple[str, ...],
    batch_size: int,
    as_json: bool,
) -> None:
    """Save what distances need to know of IMAGES.

    With the file they can be a reference without being there. As .npz it holds the vectors, and mu and sigma for
    programs that read only those; as .npy the vectors alone (CMMD), as .pkl mu and sigma (EDM2). Several encoders go
    into one file, over one decode of each image; --format moments leaves the vectors out.

    \b
    Examples:
      diptych evaluate statistics photos --out photos.npz
      diptych evaluate statistics photos --out photos.npz --encoder dinov2
      diptych evaluate statistics photos --out adm.npz --format adm
    """  # noqa: D301 -- as above
    from diptych.data.claims import check_writable
    from diptych.errors import ConfigError
    from diptych.evaluate.inputs.named_encoders import encoder_specs, spatial_spec
    from diptych.evaluate.inputs.saved_statistics import save_sides
    from diptych.evaluate.inputs.sides import open_sides
    from diptych.storage.location import Location
    from diptych.storage.store_path import read_path

    wanted, specs = format_of(out, format_name), list(encoder_specs(encoders, options, batch_size).values())
    if len(specs) > 1 and not wanted.holds_several:
        raise ConfigError(f"--out {out}: a file of this format holds one encoder, not {len(specs)}; give one of them")
    specs += [spatial_spec(specs[0])] if wanted.needs_spatial else []
    place = Location.at(out)
    check_writable(place)
    if place.is_store:
        place.parent.is_directory()  # a bucket that is not there is told before images are embedded
    (sides,) = open_sides([read_path(images)], specs, progress=progress_mode(ctx))
    save_sides(sides, out, wanted)
    assert sides[0].images is not None
    count = len(sides[0].images.known.vectors)
    if as_json:
        print_json({"path": str(out), "images": count})
        return
    click.echo(f"{out}: statistics of {quantity(count, 'image')}")
