"""``diptych generate ...``: parse, call one function, print a summary."""

from pathlib import Path
from typing import Any

import click

from diptych.command_line import (
    AS_JSON,
    CONFIG,
    LocalPathType,
    out_option,
    print_json,
    progress_mode,
    set_option,
    workers_option,
)

SET = set_option("batch_size=4")
SHOWN = 12  # settings and dropped ones that are listed


@click.group()
def generate() -> None:
    """Make images from prompts across models and settings.

    \b
    Examples:
      diptych generate plan grid.yaml
      diptych generate run grid.yaml --out runs/grid
      diptych generate verify runs/grid --count 16
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped


@generate.command()
@CONFIG
@SET
@click.option("--out", type=LocalPathType(), help="Directory of the run, to see what is done already.")
@AS_JSON
@click.pass_context
def plan(ctx: click.Context, config: Path, overrides: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    """Say what CONFIG asks for and what it costs; make nothing."""
    from diptych.generate.estimate import estimate, is_begun

    with_weights = out is not None and is_begun(out)
    facts = estimate(_plan(ctx, config, overrides, with_weights=with_weights), out)
    if as_json:
        print_json(facts)
    else:
        _print_estimate(facts)


@generate.command()
@CONFIG
@out_option("Directory of the dataset.")
@SET
@workers_option("Processes.")
@AS_JSON
@click.pass_context
def run(ctx: click.Context, config: Path, out: Path, overrides: tuple[str, ...], workers: int, as_json: bool) -> None:
    """Make the images of CONFIG; what is made already is not made again."""
    made_of = _plan(ctx, config, overrides, with_weights=True)
    from diptych.generate.estimate import without_effect
    from diptych.generate.run import generate as make
    from diptych.storage.locks import only_one

    with only_one(out):
        dataset, made = make(made_of, out, workers=workers, progress=progress_mode(ctx))
    size = sum(shard.bytes for shard in dataset.shards)
    dropped = [dropped._asdict() for dropped in made_of.dropped]
    if as_json:
        facts = {"images": dataset.rows, "shards_made": made, "bytes": size, "dropped": dropped, "path": str(out)}
        print_json(facts)
        return
    _print_notes(without_effect(made_of))
    _print_dropped(dropped)
    click.echo(f"{dataset.rows:,} images, {len(dataset.shards)} shards, {size / 1e6:,.1f} MB in {out}")
    if not made:
        click.echo("Nothing to do: everything is finished and nothing changed.")


@generate.command()
@click.argument("dataset", type=LocalPathType(exists=True, file_okay=False))
@click.option("--count", type=click.IntRange(1), default=8, show_default=True, help="Images to make again.")
@SET
@AS_JSON
@click.pass_context
def verify(ctx: click.Context, dataset: Path, count: int, overrides: tuple[str, ...], as_json: bool) -> None:
    """Make some images of DATASET again, among other neighbours, and compare their bytes.

    Ends with 1 if one differs. A model that has moved: --set models.LABEL.path_or_id=FOLDER
    """
    from diptych.errors import DataError
    from diptych.generate.verify import verify_directory

    found = verify_directory(dataset, overrides, count, progress_mode(ctx))
    images, identical = sum(one.images for one in found), sum(one.identical for one in found)
    if as_json:
        facts = {"images": images, "identical": identical, "settings": [vars(one) for one in found]}
        print_json(facts)
    else:
        for one in found:
            psnr = "" if one.psnr_db is None else f", {one.psnr_db:.1f} dB"
            worst = "" if one.identical == one.images else f"; largest difference {one.largest} of 255{psnr}"
            click.echo(f"{one.model}, {one.setting}: {one.identical} of {one.images} identical{worst}")
    if identical < images:
        raise DataError(
            f"{dataset}: {images - identical} of {images} images came out otherwise; "
            f"compare environments in dataset.json with this machine: versions, device, threads"
        )


def _plan(ctx: click.Context, config: Path, overrides: tuple[str, ...], *, with_weights: bool) -> Any:
    from diptych.config.load import load
    from diptych.generate.config import GenerateConfig

    loaded = load(config, GenerateConfig, overrides)
    from diptych.generate.plan import make_plan

    return make_plan(loaded, with_weights=with_weights, progress=progress_mode(ctx))


def _print_estimate(facts: dict[str, Any]) -> None:
    sets = ", ".join(f"{name} {count:,}" for name, count in facts["prompts"].items())
    models = ", ".join(f"{label} in {count} settings" for label, count in facts["models"].items())
    click.echo(f"prompts   {sets}")
    click.echo(f"models    {models}")
    done = f", {facts['images_done']:,} of them there already" if facts["images_done"] else ""
    useful = f"{100 * facts['useful_share']:.0f} % of all batch rows are images"
    click.echo(f"images    {facts['images']:,} in {facts['shards']:,} shards{done}; {useful}")
    click.echo(f"denoiser  {facts['nfe']:,} evaluations, {facts['nfe_with_guidance']:,} with those that guidance adds")
    about = "" if facts["bytes_are_measured"] else "about "
    click.echo(f"disk      {about}{facts['bytes'] / 1e9:,.3f} GB")
    for label, count in facts["prompts_cut"].items():
        click.echo(f"note      {count:,} prompts are longer than {label} reads and are cut")
    _print_notes(facts["without_effect"])
    width = max(len(one["setting"]) for one in facts["settings"])
    for one in facts["settings"][:SHOWN]:
        size, guidance = one["size"] or "own size", "no" if one["guidance"] is None else f"{one['guidance']:g}"
        details = f"{one['sampler']}, {one['steps']} steps, guidance {guidance}, {size}, {one['nfe']} evaluations"
        click.echo(f"  {one['model']}  {one['setting']:<{width}}  {details}")
    if len(facts["settings"]) > SHOWN:
        click.echo(f"  and {len(facts['settings']) - SHOWN} more; --json lists them")
    _print_dropped(facts["dropped"])
    click.echo("Nothing was made.")


def _print_notes(notes: list[str]) -> None:
    for note in notes[:SHOWN]:
        click.echo(f"note      {note}")


def _print_dropped(dropped: list[dict[str, str]]) -> None:
    for one in dropped[:SHOWN]:
        label = f"{one['model']}, {one['setting']}"
        why = "it is given twice" if one["same_as"] == label else f"the same images as {one['same_as']}"
        click.echo(f"left out  {label}: {why}")
    if len(dropped) > SHOWN:
        click.echo(f"left out  {len(dropped) - SHOWN} more for the same reason; --json lists them")
