"""``diptych curate ...`` and ``diptych score``: parse, call one function, print a summary."""

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
from diptych.progress.wording import format_bytes

OUT = out_option("Directory of the run.")
SET = set_option("dedup.radius=2")
WORKERS = workers_option("Processes.")
EXTEND = click.option("--extend", is_flag=True, help="Add the rows that are new in the input; the others stay.")
RETRY = click.option(
    "--retry", metavar="STATUS,...", default="", help="Ask again for rows with a status, or: transient, all."
)


@click.group()
def curate() -> None:
    """Download, score, de-duplicate and select image-text pairs.

    \b
    Examples:
      diptych curate run laion.yaml --out runs/laion --dry-run
      diptych curate run laion.yaml --out runs/laion
      diptych curate select runs/laion/pool --where "aesthetic_v2 > 5"
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped


@curate.command()
@CONFIG
@OUT
@SET
@WORKERS
@EXTEND
@RETRY
@click.option("--dry-run", is_flag=True, help="Say what would be done, how many rows and how much disk; do nothing.")
@AS_JSON
def run(
    config: Path,
    out: Path,
    overrides: tuple[str, ...],
    workers: int,
    extend: bool,
    retry: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Do all steps of CONFIG; what is done already is not done again."""
    runner = _runner(config, out, overrides, workers, _growth(extend, retry))
    if dry_run:
        _print_estimate(runner, as_json)
        return
    runner.check()
    from diptych.curate.run import STEPS

    steps = {}
    with runner.alone():
        for name in STEPS:
            steps[name] = runner.run(name)
            _print_step(steps[name], as_json=as_json)
    if as_json:
        print_json({name: {"is_new": step.is_new, **step.facts} for name, step in steps.items()})
        return
    _print_funnel(steps["select"].facts["funnel"])
    if not any(step.is_new for step in steps.values()):
        click.echo("Nothing to do: everything is finished and nothing changed.")
    click.echo(f"Next: datasets.load_dataset({str(runner.selected)!r})")


@curate.command()
@CONFIG
@OUT
@SET
@WORKERS
@EXTEND
@RETRY
def ingest(config: Path, out: Path, overrides: tuple[str, ...], workers: int, extend: bool, retry: str) -> None:
    """Make OUT/pool from the source of CONFIG."""
    runner = _runner(config, out, overrides, workers, _growth(extend, retry))
    runner.check()
    _run_step(runner, "ingest")


def _step_command(name: str, text: str) -> None:
    """Add the command that does one step of a config."""

    @curate.command(name, help=text)
    @CONFIG
    @OUT
    @SET
    @WORKERS
    def command(config: Path, out: Path, overrides: tuple[str, ...], workers: int) -> None:
        _run_step(_runner(config, out, overrides, workers), name)


_step_command("score", "Compute the scores of CONFIG over OUT/pool.")
_step_command("dedup", "Find the duplicates in OUT/pool.")
_step_command("export", "Write the rows that the rules of CONFIG keep to OUT/selected.")


@curate.command()
@click.argument("path", type=LocalPathType(exists=True))
@click.option("--out", type=LocalPathType(), help="Directory of the run, if PATH is a config.")
@click.option("--where", multiple=True, metavar="[NAME:]SQL", help="A rule to try, if PATH is a dataset. Repeatable.")
@SET
@AS_JSON
def select(path: Path, out: Path | None, where: tuple[str, ...], overrides: tuple[str, ...], as_json: bool) -> None:
    """Apply rules and print the funnel.

    With a dataset directory, tries the rules of --where and writes nothing; with a config, decides for OUT/pool.
    """
    if path.is_dir():
        from diptych.curate.rules.adhoc import try_rules

        if out is not None or overrides:
            raise click.UsageError("--out and --set go with a config; to try rules on a dataset give --where alone")
        steps = try_rules(path, where)
    else:
        if out is None:
            raise click.UsageError("a config needs --out; to try rules on a dataset give its directory and --where")
        runner = _runner(path, out, overrides, 1)
        with runner.alone():
            steps = runner.run("select").facts["funnel"]
    if as_json:
        print_json(steps)
    else:
        _print_funnel(steps)


@click.command()
@click.argument("dataset", type=LocalPathType(exists=True, file_okay=False))
@click.argument("names", nargs=-1, required=True, metavar="[LABEL=]NAME...")
@click.option("--encoder", default="open_clip", show_default=True, help="Kind of encoder for scores that need one.")
@click.option("--judge", default="centre_point", show_default=True, help="Kind of judge for scores that need one.")
@SET
@WORKERS
@click.option("--batch-size", type=click.IntRange(1), default=64, show_default=True)
@click.pass_context
def score(
    ctx: click.Context,
    dataset: Path,
    names: tuple[str, ...],
    encoder: str,
    judge: str,
    overrides: tuple[str, ...],
    workers: int,
    batch_size: int,
) -> None:
    """Compute scores over any dataset directory.

    NAME is a score of diptych or one of your own, path/to/file.py:factory. A score's columns are called LABEL.column;
    without a label its own name is the label. Other options under a label that is there already take the label over;
    what was computed before stays.

    \b
    Examples:
      diptych score runs/laion/pool image_stats hashes
      diptych score runs/laion/pool clip_similarity aesthetic \\
        --set encoder.architecture=ViT-L-14 --set encoder.pretrained=openai --set aesthetic.version=v2
      diptych score runs/laion/pool b32=clip_similarity \\
        --set encoder.architecture=ViT-B-32 --set encoder.pretrained=openai
      diptych score runs/laion/pool scores/redness.py:redness --set redness.power=2
    """  # noqa: D301 -- as above
    from diptych.data.dataset import open_dataset
    from diptych.scores.named import named_plan
    from diptych.scores.run import score_dataset
    from diptych.storage.locks import only_one

    plan = named_plan(names, overrides, encoder=encoder, judge=judge)
    open_dataset(dataset)  # nothing is locked, and so made, where there is none
    with only_one(dataset):
        done = score_dataset(dataset, plan, workers=workers, batch_size=batch_size, progress=progress_mode(ctx))
    for label, column_set in done.sets.items():
        columns = ", ".join(column["name"] for column in column_set.manifest["columns"])
        click.echo(f"{label}: {columns} in {column_set.location}")
    if not done.shards_done:
        click.echo("Nothing to do: these scores are finished.")


def _growth(extend: bool, retry: str) -> Any:
    from diptych.curate.ingest.retry import retried_statuses
    from diptych.curate.ingest.run import IngestOptions

    return IngestOptions(extend, retried_statuses(name.strip() for name in retry.split(",") if name.strip()))


def _runner(config: Path, out: Path, overrides: tuple[str, ...], workers: int, growth: Any = None) -> Any:
    from diptych.config.load import load
    from diptych.curate.config import CurateConfig
    from diptych.curate.ingest.run import NOTHING_FURTHER
    from diptych.curate.run import CurateRunner

    progress = progress_mode(click.get_current_context())
    return CurateRunner(load(config, CurateConfig, overrides), out, workers, progress, growth or NOTHING_FURTHER)


def _run_step(runner: Any, name: str) -> None:
    with runner.alone():
        _print_step(runner.run(name))


def _print_step(step: Any, *, as_json: bool = False) -> None:
    if step.warning:
        click.echo(f"Warning: {step.warning}", err=True)
    if not as_json:
        click.echo(f"{step.name:<7} {'done' if step.is_new else 'kept'}  {step.summary}")


def _print_estimate(runner: Any, as_json: bool) -> None:
    estimate = runner.estimate()
    if as_json:
        print_json(estimate)
        return
    about = "" if estimate["bytes_are_known"] else "about (at 150 kB an image) "
    new, shards = estimate["new_rows"], estimate["shards"]
    state = f"{new:,} new, in {shards:,} shards to make" if new else "all there already"
    click.echo(f"rows    {estimate['rows']:,} ({state})")
    if estimate["rows_gone"]:
        click.echo(f"gone    {estimate['rows_gone']:,} rows of the pool, no longer in the input; they stay")
    if estimate["retried_rows"]:
        rows, shards = estimate["retried_rows"], estimate["retried_shards"]
        click.echo(f"retry   {rows:,} rows to ask for again, in {shards:,} shards")
    if estimate["inferred_types"]:
        kinds = ", ".join(f"{name} {kind}" for name, kind in estimate["inferred_types"].items())
        click.echo(f"columns taken as {kinds} (by what they hold; declare others under source.types)")
    click.echo(f"disk    {about}{format_bytes(estimate['bytes'])} more in the pool, the selected rows once more")
    click.echo(f"scores  {', '.join(estimate['scores']) or 'none'}")
    click.echo(f"rules   {', '.join(estimate['rules']) or 'none'}")
    click.echo("Nothing was written or downloaded.")


def _print_funnel(steps: list[dict[str, Any]]) -> None:
    width = max(len(step["rule"]) for step in steps)
    click.echo(f"{'rule':<{width}} {'in':>12} {'out':>12} {'lost':>12} {'only here':>12}  condition")
    for step in steps:
        lost = step["rows_in"] - step["rows_out"]
        numbers = f"{step['rows_in']:>12,} {step['rows_out']:>12,} {lost:>12,} {step['lost_only_here']:>12,}"
        click.echo(f"{step['rule']:<{width}} {numbers}  {step['where']}")
