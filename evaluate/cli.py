"""``diptych evaluate ...``: parse, call one function, print a summary."""

import shlex
from pathlib import Path
from typing import Any

import click

from diptych.addresses import Address
from diptych.command_line import (
    AS_JSON,
    CONFIG,
    CommandGroup,
    LocalPathType,
    PlaceType,
    print_json,
    progress_mode,
    set_option,
)
from diptych.evaluate.gates.cli import gate
from diptych.evaluate.imports.cli import import_evidence
from diptych.evaluate.inputs.statistics_formats import FORMATS, format_of
from diptych.evaluate.plans.cli import pareto, plan
from diptych.evaluate.protocols.cli import protocols
from diptych.jobs.command_line import engine_options
from diptych.jobs.engine import Engine
from diptych.known_names import completing, listing
from diptych.progress.wording import quantity, taken_over

METRICS = "diptych.evaluate.metrics.contract:SET_METRICS"
SET = set_option("compare.baseline=sdxl", {"metric": METRICS, "score": "diptych.scores:SCORES"})
ENGINE = engine_options("Processes for scoring.")
ENCODER = click.option(
    "--encoder",
    default="inception",
    show_default=True,
    help="A kind of encoder, an open_clip folder, ARCHITECTURE/PRETRAINED, or a weights file of Inception.",
    shell_complete=completing("diptych.encoders:ENCODERS"),
)
OPTIONS = click.option("--set", "options", multiple=True, metavar="KEY=VALUE", help="An option of the encoder.")
BATCH_SIZE = click.option("--batch-size", type=click.IntRange(1), default=64, show_default=True, help="Images at once.")
STORE = click.argument("store", type=PlaceType())


@click.group(cls=CommandGroup)
def evaluate() -> None:
    """Judge datasets: distances, mean scores, differences, audits.

    \b
    Examples:
      diptych evaluate run geneval.yaml --dry-run
      diptych evaluate run geneval.yaml
      diptych evaluate results runs/geneval.duckdb
      diptych evaluate compare runs/geneval.duckdb flux sdxl
      diptych evaluate distance runs/images photos
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped


@evaluate.command()
@CONFIG
@SET
@ENGINE
@click.option("--dry-run", is_flag=True, help="Say what would be looked at; compute and write nothing.")
@AS_JSON
@click.pass_context
def run(
    ctx: click.Context, config: Path, overrides: tuple[str, ...], engine: Engine, dry_run: bool, as_json: bool
) -> None:
    """Do what CONFIG says and write it into its store.

    What is scored already is not scored again.
    """
    from diptych.config.load import load, placing
    from diptych.config.overrides import path_setting
    from diptych.evaluate.config import EvaluateConfig
    from diptych.evaluate.run import EvaluateRunner

    loaded = load(config, EvaluateConfig, overrides)
    runner = EvaluateRunner(loaded, engine, progress_mode(ctx))
    with placing(config, loaded, overrides):
        if dry_run:
            _print_estimate(runner.estimate(), as_json)
            return
        outcome = runner.run()
    if as_json:
        print_json({**outcome.facts, "store": str(loaded.store)})
        return
    _print_results(loaded.store, outcome.run_id)
    click.echo(
        f"run {outcome.run_id}: {outcome.results:,} results, {outcome.differences:,} differences, "
        f"{outcome.audits:,} shares in {loaded.store}"
    )
    if outcome.warning:
        click.echo(f"Warning: {outcome.warning}", err=True)
    if said := taken_over(outcome.shards - outcome.shards_done, outcome.shards, "shard"):
        click.echo(f"scores: {said}")
    setting = shlex.quote(path_setting("store", loaded.store))
    click.echo("Next: diptych init results")
    click.echo(f"      diptych report build results.yaml --out runs/report --set {setting}")


@evaluate.command()
@STORE
@click.option("--run", "run_name", metavar="NAME", help="Only the run of this name or id.")
@AS_JSON
def results(store: Address, run_name: str | None, as_json: bool) -> None:
    """Print the results in a store, with intervals and n."""
    from diptych.evaluate.terminal import read_results

    found = read_results(store, run_name)
    if as_json:
        print_json(found)
        return
    _print_results(store, run_name)


@evaluate.command()
@STORE
@click.argument("labels", nargs=-1, metavar="[LABEL]...")
@click.option("--metric", metavar="NAME", help="Only this metric; a set metric such as kid has several values.")
@click.option("--by", default="model", show_default=True, help="The column whose values the labels are.")
@click.option("--other", type=PlaceType(), help="Another store, where the second of two is.")
@click.option(
    "--margin",
    "margins",
    multiple=True,
    metavar="METRIC=D",
    help="Test whether two are equivalent: their difference is smaller than D either way.",
)
@AS_JSON
def compare(
    store: Address,
    labels: tuple[str, ...],
    metric: str | None,
    by: str,
    other: Address | None,
    margins: tuple[str, ...],
    as_json: bool,
) -> None:
    """Print by how much models differ, each from each.

    Compared are images of the same prompt, sample and setting. A LABEL is a model (or another value of --by), written
    as RUN:LABEL where several runs of the store have it; without one all are compared. Of three or more it is said
    which rank each may have and which cannot be told apart. Numbers that were not made in the same way are not
    compared.

    \b
    Examples:
      diptych evaluate compare runs/geneval.duckdb flux sdxl
      diptych evaluate compare runs/geneval.duckdb --metric clip_score
      diptych evaluate compare runs/geneval.duckdb --margin clip_score=0.5
    """  # noqa: D301 -- as above
    from diptych.evaluate.comparisons.margins import parse_margins
    from diptych.evaluate.comparisons.stores import compare_labels

    wide = parse_margins(margins)
    found = compare_labels(store, *labels, metric=metric, by=by, other=other, margins=wide)
    if as_json:
        print_json(found.to_json())
        return
    for line in found.lines():
        click.echo(line)


@evaluate.command(cls=listing("Metrics", METRICS))
@click.argument("a", metavar="A", type=LocalPathType(exists=True))
@click.argument("b", metavar="[B]", required=False, type=LocalPathType(exists=True))
@click.option(
    "--encoder",
    "encoders",
    multiple=True,
    default=["inception"],
    show_default=True,
    help="As of statistics; any number, each with options behind commas: inception,layer=logits",
    shell_complete=completing("diptych.encoders:ENCODERS"),
)
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
    a: Path,
    b: Path | None,
    encoders: tuple[str, ...],
    metrics: tuple[str, ...],
    paired: bool,
    options: tuple[str, ...],
    batch_size: int,
    as_json: bool,
) -> None:
    """Print how far the images of A are from those of B.

    B is the reference; there is an interval where one can be had, else the reason why not. A metric that looks at one
    set alone (vendi, inception_score) is told of both, and needs no B. An image is decoded once, whatever the number
    of encoders. A and B are dataset directories, folders of image
    files, .npz files of images, or files of statistics: those of diptych, pytorch-fid, clean-fid, ADM, EDM2 and CMMD.
    Images that are in both, or versions of each other, are found; --paired says so where they hardly look alike.

    \b
    Examples:
      diptych evaluate distance runs/images photos
      diptych evaluate distance runs/images photos --set preprocess=clean
      diptych evaluate distance runs/images photos --metric fid --metric kid
      diptych evaluate distance runs/images b.npz --encoder ViT-B-32/openai
      diptych evaluate distance runs/images photos --encoder inception --encoder dinov2
    """  # noqa: D301 -- as above
    from diptych.evaluate.inputs.named_encoders import encoder_specs
    from diptych.evaluate.metrics.two_sets import measure_distances

    specs = encoder_specs(encoders, options, batch_size)
    found = measure_distances(a, b, metrics, specs, is_paired=paired, progress=progress_mode(ctx))
    if as_json:
        print_json(found.to_json())
        return
    for line in found.lines():
        click.echo(line)


@evaluate.command()
@click.argument("images", type=LocalPathType(exists=True, file_okay=False))
@click.option("--out", type=LocalPathType(dir_okay=False), required=True, help="The file: .npz, .npy or .pkl.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(sorted(FORMATS)),
    help="Of which program; by itself the first that ends as the file does.",
)
@ENCODER
@OPTIONS
@BATCH_SIZE
@AS_JSON
@click.pass_context
def statistics(
    ctx: click.Context,
    images: Path,
    out: Path,
    format_name: str | None,
    encoder: str,
    options: tuple[str, ...],
    batch_size: int,
    as_json: bool,
) -> None:
    """Save what distances need to know of IMAGES.

    With the file they can be a reference without being there. As .npz it holds the vectors, and mu and sigma for
    programs that read only those; as .npy the vectors alone (CMMD), as .pkl mu and sigma (EDM2).

    \b
    Examples:
      diptych evaluate statistics photos --out photos.npz
      diptych evaluate statistics photos --out adm.npz --format adm
    """  # noqa: D301 -- as above
    from diptych.evaluate.inputs.named_encoders import encoder_spec, spatial_spec
    from diptych.evaluate.inputs.saved_statistics import save_side
    from diptych.evaluate.inputs.sides import open_side

    wanted, spec, progress = format_of(out, format_name), encoder_spec(encoder, options, batch_size), progress_mode(ctx)
    spatial = open_side(images, spatial_spec(spec), progress=progress) if wanted.needs_spatial else None
    side = open_side(images, spec, progress=progress)
    save_side(side, out, wanted, spatial)
    assert side.images is not None
    count = len(side.images.known.vectors)
    if as_json:
        print_json({"path": str(out), "images": count})
        return
    click.echo(f"{out}: statistics of {quantity(count, 'image')}")


evaluate.add_command(gate)
evaluate.add_command(import_evidence)
evaluate.add_command(pareto)
evaluate.add_command(plan)
evaluate.add_command(protocols)


def _print_estimate(estimate: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(estimate)
        return
    for label, facts in estimate["datasets"].items():
        click.echo(f"dataset    {label}: {quantity(facts['rows'], 'row')} ({facts['role']}) in {facts['path']}")
    for name in ("scores", "distances", "means", "protocols", "agreements"):
        click.echo(f"{name:<10} {', '.join(estimate[name]) or 'none'}")
    click.echo(f"compare    {estimate['compare'] or 'no'}")
    click.echo(f"audit      {estimate['audit'] or 'no'}")
    click.echo(f"store      {estimate['store']}")
    click.echo("Nothing was computed, written or downloaded.")


def _print_results(store: Address, run_name: str | None) -> None:
    from diptych.evaluate.terminal import format_results, read_results

    for line in format_results(read_results(store, run_name)):
        click.echo(line)
