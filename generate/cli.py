"""``diptych generate ...``: parse, call one function, print a summary."""

from typing import Any

import click

from diptych.addresses import Address
from diptych.command_line import (
    AS_JSON,
    CONFIG,
    PART,
    CommandGroup,
    PlaceType,
    given_part,
    out_option,
    print_json,
    print_part,
    progress_mode,
    set_option,
)
from diptych.data.row_states import EXTRA, MISNAMED, UNMATCHED
from diptych.generate.printing import print_estimate, print_run, run_facts
from diptych.jobs.command_line import engine_options
from diptych.jobs.engine import Engine
from diptych.known_names import completing
from diptych.progress.wording import quantity

SET = set_option(
    "batch_size=4",
    {"kind": "diptych.generate.prompts:PROMPT_SETS", "sampler": "diptych.generate.backends:sampler_names"},
)
IMPORT_SET = set_option("samples=4", {"kind": "diptych.generate.prompts:PROMPT_SETS"})
SET_ASIDE = (EXTRA, MISNAMED, UNMATCHED)  # states of rows of pictures that an import did not take
REUSE = click.option(
    "--reuse",
    type=PlaceType(exists=True, file_okay=False),
    multiple=True,
    metavar="DIR",
    help="Take images with the same key from this finished run; may be given several times.",
)


@click.group(cls=CommandGroup)
def generate() -> None:
    """Make images from prompts across models and settings.

    \b
    Examples:
      diptych generate plan grid.yaml
      diptych generate run grid.yaml --out runs/grid
      diptych generate verify runs/grid --count 16
      diptych generate import sdxl_images --prompts geneval --out runs/sdxl
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped


@generate.command()
@CONFIG
@SET
@click.option("--out", type=PlaceType(), help="Directory of the run, to see what is there already.")
@REUSE
@AS_JSON
@click.pass_context
def plan(
    ctx: click.Context,
    config: Address,
    overrides: tuple[str, ...],
    out: Address | None,
    reuse: tuple[Address, ...],
    as_json: bool,
) -> None:
    """Say what CONFIG asks for and what it costs; make nothing."""
    from diptych.errors import ConfigError
    from diptych.generate.estimate import estimate, is_begun
    from diptych.generate.growth import GrowthOptions
    from diptych.generate.outcome import NOTHING, problem

    with_weights = bool(reuse) or (out is not None and is_begun(out))
    asked = _plan(config, overrides, with_weights=with_weights)
    facts = estimate(asked, out, GrowthOptions(reuse=reuse), progress=progress_mode(ctx))
    if as_json:
        print_json(facts)
    else:
        print_estimate(facts)
    if asked.refused:
        raise ConfigError(f"{config}: {problem(NOTHING, asked.refused)}; run makes the others")


@generate.command()
@CONFIG
@out_option("Directory of the dataset.", PlaceType())
@SET
@REUSE
@click.option("--prune", is_flag=True, help="Drop images that CONFIG no longer asks for.")
@click.option("--retry", metavar="STATUS,...", default="", help="Make images with a status anew, such as not_finite.")
@engine_options("Processes.")
@PART
@AS_JSON
def run(
    config: Address,
    out: Address,
    overrides: tuple[str, ...],
    reuse: tuple[Address, ...],
    prune: bool,
    retry: str,
    engine: Engine,
    as_json: bool,
) -> None:
    """Make the images of CONFIG that are not in the directory yet.

    A config that asks for more makes only what is new; shards that are there, and scores over them, stay. What cannot
    be made does not end the run: it stands at the end, with its reason, and the command ends with 1.
    """
    if not given_part().is_whole:
        if prune or retry or reuse:
            raise click.UsageError("--prune, --retry and --reuse do not go with --part: give them without it")
        _make_part(_plan(config, overrides, with_weights=True), out, engine, as_json)
        return
    made_of = _plan(config, overrides, with_weights=True)
    from diptych.data.claims import claimed
    from diptych.errors import DataError
    from diptych.generate.growth import STEP, GrowthOptions, retried_statuses
    from diptych.generate.outcome import outcome_of, problem
    from diptych.generate.run import generate as make

    statuses = retried_statuses(name.strip() for name in retry.split(",") if name.strip())
    options = GrowthOptions(prune, statuses, reuse)
    with claimed(out, STEP):
        made = make(made_of, out, options, engine=engine, progress=progress_mode(click.get_current_context()))
        outcome = outcome_of(made.dataset)
    if as_json:
        print_json(run_facts(made_of, made, outcome, out))
    else:
        print_run(made_of, made, outcome, out)
    if said := problem(outcome, made_of.refused):
        again = ", and the same command makes again what failed" if outcome.has_failed else ""
        raise DataError(f"{out}: {said}; the rest is made{again}")


def _make_part(plan: Any, out: Address, engine: Engine, as_json: bool) -> None:
    """Make a part of the shards of a plan, and say how it went."""
    from diptych.data.claims import claimed
    from diptych.generate.growth import STEP
    from diptych.generate.part import generate_part

    part, progress = given_part(), progress_mode(click.get_current_context())
    with claimed(out, STEP, part):
        print_part("generate", part, generate_part(plan, out, part, engine=engine, progress=progress), as_json)


@generate.command(name="import")
@click.argument("source", type=PlaceType(exists=True, allow_dash=True))
@out_option("Directory of the dataset.", PlaceType())
@click.option(
    "--prompts",
    metavar="SET|FILE",
    help="What the images were made from: a prompt set, or a file of prompts.",
    shell_complete=completing("diptych.generate.prompts:PROMPT_SETS"),
)
@click.option(
    "--layout",
    help="How the folder is laid out; without it, that is found out.",
    shell_complete=completing("diptych.generate.imported.layouts:LAYOUTS"),
)
@click.option("--model", help="The column model, where no table says it.")
@IMPORT_SET
@engine_options("Processes.")
@AS_JSON
def import_(
    source: Address,
    out: Address,
    prompts: str | None,
    layout: str | None,
    model: str | None,
    overrides: tuple[str, ...],
    engine: Engine,
    as_json: bool,
) -> None:
    """Make a dataset of images that another program made.

    SOURCE is a folder, a table that names files (.csv, .tsv, .jsonl), or a config. Each image is matched to its
    prompt; what is missing or wrong is counted, listed, and written to coverage.json beside the dataset.
    """
    from diptych.data.claims import claimed
    from diptych.generate.imported.given import check_outside_of_source, given_config
    from diptych.generate.imported.printing import import_facts, print_import
    from diptych.generate.imported.run import STEP, import_images

    config = given_config(source, {"prompts": prompts, "layout": layout, "model": model}, overrides)
    check_outside_of_source(config, out)
    with claimed(out, STEP):
        made = import_images(config, out, engine=engine, progress=progress_mode(click.get_current_context()))
    if as_json:
        print_json(import_facts(made, out))
    else:
        print_import(made, out)


@generate.command()
@click.argument("dataset", type=PlaceType(exists=True, file_okay=False))
@click.option(
    "--layout",
    required=True,
    help="Whose folders: a1111, compbench or geneval.",
    shell_complete=completing("diptych.generate.exported:EXPORTS"),
)
@out_option("Folder of the files.", PlaceType())
@click.option("--model", help="Only its images; '' takes those of no model.")
@click.option("--setting", help="Only images in it; '' takes those of no setting.")
@AS_JSON
def export(dataset: Address, layout: str, out: Address, model: str | None, setting: str | None, as_json: bool) -> None:
    """Write the images of DATASET as PNG files for other programs.

    In the folders that the scripts of GenEval or T2I-CompBench read, or as A1111 names them; how each was made stands
    in it, for A1111 and for generate import.
    """
    from diptych.generate.exported.run import ExportChoice, export_images

    mode = progress_mode(click.get_current_context())
    made = export_images(dataset, layout, out, ExportChoice(model, setting), progress=mode)
    if as_json:
        print_json({**made._asdict(), "layout": layout, "path": str(out)})
    else:
        click.echo(f"{quantity(made.images, 'image')} in {out}, {made.written:,} of them written now")
        for status, rows in made.left_out.items():
            why = "set aside by the import" if status in SET_ASIDE else "without a picture"
            click.echo(f"{status:<9} {quantity(rows, 'row')} {why}")
        if made.placeless:
            told = quantity(len(made.placeless), "image")
            click.echo(f"left out  {told} without the prompt or sample that names are made of: {made.placeless[0]}")
        if made.unspoken:
            why = "A1111 would read another prompt, as of a line that begins with 'Negative prompt:'"
            click.echo(f"no parameters in {quantity(len(made.unspoken), 'file')}, such as {made.unspoken[0]}: {why}")
        if made.lacking:
            click.echo(made.lacking)


@generate.command()
@click.argument("dataset", type=PlaceType(exists=True, file_okay=False))
@click.option("--count", type=click.IntRange(1), default=8, show_default=True, help="Images to make again.")
@SET
@AS_JSON
@click.pass_context
def verify(ctx: click.Context, dataset: Address, count: int, overrides: tuple[str, ...], as_json: bool) -> None:
    """Make some images of DATASET again and compare their bytes.

    They are made among other neighbours. Ends with 1 if one differs. A model that has moved: --set
    models.LABEL.path_or_id=FOLDER
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
            worst = f"; not made again: {one.not_made}" if one.not_made else worst
            click.echo(f"{one.model}, {one.setting}: {one.identical} of {one.images} identical{worst}")
    if identical < images:
        raise DataError(
            f"{dataset}: {images - identical} of {images} images came out otherwise; "
            f"compare environments in dataset.json with this machine: versions, device, threads"
        )


def _plan(config: Address, overrides: tuple[str, ...], *, with_weights: bool) -> Any:
    from diptych.config.load import load
    from diptych.generate.config import GenerateConfig
    from diptych.storage.store_path import read_path

    loaded = load(read_path(config), GenerateConfig, overrides)
    from diptych.generate.plan import make_plan

    return make_plan(loaded, with_weights=with_weights, progress=progress_mode(click.get_current_context()))
