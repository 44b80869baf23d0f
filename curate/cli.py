"""``diptych curate ...``: parse, call one function, print a summary."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from diptych.curate.printing import next_step, print_estimate, print_funnel, print_step, print_steps_json
from diptych.errors import ConfigError
from diptych.jobs.command_line import engine_options
from diptych.jobs.engine import HERE, Engine

OUT = out_option("Directory of the run.", PlaceType())
SET = set_option("dedup.radius=2", {"score": "diptych.scores:SCORES"})
ENGINE = engine_options("Processes.")
EXTEND = click.option("--extend", is_flag=True, help="Add the rows that are new in the input; the others stay.")
RETRY = click.option(
    "--retry", metavar="STATUS,...", default="", help="Ask again for rows with a status, or: transient, all."
)


@click.group(cls=CommandGroup)
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
@ENGINE
@EXTEND
@RETRY
@PART
@click.option("--dry-run", is_flag=True, help="Say what would be done, how many rows and how much disk; do nothing.")
@AS_JSON
def run(
    config: Address,
    out: Address,
    overrides: tuple[str, ...],
    engine: Engine,
    extend: bool,
    retry: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Do all steps of CONFIG; what is done already is not done again."""
    if not given_part().is_whole:
        _refuse_with_part({"--extend": extend, "--retry": retry, "--dry-run": dry_run})
        _run_part(_runner(config, out, overrides, engine), None, as_json)
        return
    from diptych.curate.foresight import check_memory

    runner = _runner(config, out, overrides, engine, _growth(extend, retry))
    check_memory(runner.plan(), runner.pool, engine, is_trial=dry_run)
    with _placing(config, overrides):
        runner.check_ahead() if dry_run else runner.check()
    if dry_run:
        (print_json if as_json else print_estimate)(runner.estimate())
        return
    from diptych.curate.run import STEPS

    steps = _run_steps(runner, STEPS, as_json)
    if as_json:
        return
    print_funnel(next(step.facts["funnel"] for step in steps if "funnel" in step.facts))
    if not any(step.is_new for step in steps):
        click.echo("Nothing to do: everything is finished and nothing changed.")
    click.echo(next_step(runner.selected))


@curate.command()
@CONFIG
@OUT
@SET
@ENGINE
@EXTEND
@RETRY
@PART
@AS_JSON
def ingest(
    config: Address,
    out: Address,
    overrides: tuple[str, ...],
    engine: Engine,
    extend: bool,
    retry: str,
    as_json: bool,
) -> None:
    """Make OUT/pool from the source of CONFIG."""
    if not given_part().is_whole:
        _refuse_with_part({"--extend": extend, "--retry": retry})
        _run_part(_runner(config, out, overrides, engine), "ingest", as_json)
        return
    runner = _runner(config, out, overrides, engine, _growth(extend, retry))
    with _placing(config, overrides):
        runner.check()
    _run_steps(runner, ["ingest"], as_json)


@curate.command()
@CONFIG
@OUT
@SET
@ENGINE
@PART
@AS_JSON
def score(config: Address, out: Address, overrides: tuple[str, ...], engine: Engine, as_json: bool) -> None:
    """Compute the scores of CONFIG over OUT/pool."""
    runner = _runner(config, out, overrides, engine)
    if given_part().is_whole:
        _run_steps(runner, ["score"], as_json)
    else:
        _run_part(runner, "score", as_json)


def _step_command(name: str, text: str) -> None:
    """Add the command that does one step of a config."""

    @curate.command(name, help=text)
    @CONFIG
    @OUT
    @SET
    @ENGINE
    @AS_JSON
    def command(config: Address, out: Address, overrides: tuple[str, ...], engine: Engine, as_json: bool) -> None:
        _run_steps(_runner(config, out, overrides, engine), [name], as_json)


_step_command("dedup", "Find the duplicates in OUT/pool.")
_step_command("export", "Write the rows that the rules of CONFIG keep to OUT/selected.")


@curate.command()
@click.argument("path", type=PlaceType(exists=True, allow_dash=True))
@click.option("--out", type=PlaceType(), help="Directory of the run, if PATH is a config.")
@click.option("--where", multiple=True, metavar="[NAME:]SQL", help="A rule to try, if PATH is a dataset. Repeatable.")
@SET
@AS_JSON
def select(
    path: Address, out: Address | None, where: tuple[str, ...], overrides: tuple[str, ...], as_json: bool
) -> None:
    """Apply rules and print the funnel.

    With a dataset directory, tries the rules of --where and writes nothing; with a config, decides for OUT/pool.
    """
    from diptych.storage.location import Location

    if Location.at(path).is_directory():
        from diptych.curate.rules.adhoc import try_rules

        if out is not None or overrides:
            raise click.UsageError("--out and --set go with a config; to try rules on a dataset give --where alone")
        steps = try_rules(path, where)
    else:
        if out is None:
            raise click.UsageError("a config needs --out; to try rules on a dataset give its directory and --where")
        if where:
            pool = f"{os.fspath(out)}/pool"
            raise click.UsageError(f"--where goes with a dataset, {path} is a config; give {pool} and --where")
        runner = _runner(path, out, overrides, HERE)
        with runner.alone():
            steps = runner.run("select").facts["funnel"]
    (print_json if as_json else print_funnel)(steps)


def _refuse_with_part(given: dict[str, Any]) -> None:
    for option, value in given.items():
        if value:
            raise click.UsageError(f"{option} does not go with --part: it is about all of the pool; give it alone")


def _run_part(runner: Any, step: str | None, as_json: bool) -> None:
    """Do a part of a step and say how it went; without a step, of the first that is not finished."""
    from diptych.curate.part_run import next_step_of, run_part

    step, part = step or next_step_of(runner), given_part()
    print_part(step, part, run_part(runner, step, part), as_json)


def _growth(extend: bool, retry: str) -> Any:
    from diptych.curate.ingest.retry import retried_statuses
    from diptych.curate.ingest.run import IngestOptions

    return IngestOptions(extend, retried_statuses(name.strip() for name in retry.split(",") if name.strip()))


def _runner(config: Address, out: Address, overrides: tuple[str, ...], engine: Engine, growth: Any = None) -> Any:
    from diptych.config.load import load
    from diptych.curate.config import CurateConfig
    from diptych.curate.ingest.run import NOTHING_FURTHER
    from diptych.curate.run import CurateRunner
    from diptych.data.claims import check_writable
    from diptych.storage.location import Location
    from diptych.storage.store_path import read_path

    progress = progress_mode(click.get_current_context())
    loaded = load(read_path(config), CurateConfig, overrides)
    check_writable(Location.at(out))
    return CurateRunner(loaded, out, engine, progress, growth or NOTHING_FURTHER)


@contextmanager
def _placing(config: Address, overrides: tuple[str, ...]) -> Iterator[None]:
    """Say of what does not fit the columns where it stands in the config."""
    from diptych.config.load import place_in
    from diptych.curate.foresight import UnfitConfig
    from diptych.storage.store_path import read_path

    try:
        yield
    except UnfitConfig as error:
        said, key = str(error), ".".join(map(str, error.place))
        said = said if said.startswith(f"{error.place[0]}: ") else f"{key}: {said}"
        raise ConfigError(f"{place_in(read_path(config), error.place, overrides)}: {said}") from error


def _run_steps(runner: Any, names: Sequence[str], as_json: bool) -> list[Any]:
    """Do steps, say how each went as soon as it is done, or all at the end in JSON, and return how they went."""
    steps = []
    with runner.alone():
        for name in names:
            steps.append(runner.run(name))
            if not as_json:
                print_step(steps[-1])
    if as_json:
        print_steps_json(steps)
    return steps
