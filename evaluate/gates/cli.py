"""``diptych evaluate gate``: parse, call one function, print what it found, end with an exit code."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from diptych.addresses import Address
from diptych.command_line import AS_JSON, LocalPathType, PlaceType, print_json
from diptych.failures import GATE_CLOSED

CRITERIA = "diptych.criteria"  # in what click keeps for all contexts of a command
KINDS = {
    "min": ("METRIC=X", "The least that a number may be; may be given several times, as the next two."),
    "max": ("METRIC=X", "The most that it may be."),
    "max-regress": ("METRIC=X[%]", "The most by which it may be worse than that of --against."),
}


def _criteria_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what is asked; they are kept in the order in which they stand here."""
    for kind, (metavar, says) in reversed(KINDS.items()):

        def keep(ctx: click.Context, _: click.Parameter, texts: tuple[str, ...], kind: str = kind) -> None:
            ctx.meta.setdefault(CRITERIA, {})[kind] = texts

        option = click.option(f"--{kind}", multiple=True, metavar=metavar, help=says, expose_value=False, callback=keep)
        command = option(command)
    return command


@click.command()
@click.argument("store", type=PlaceType())
@_criteria_options
@click.option("--against", metavar="RUN", help="What it is held against: a run, a model or RUN:MODEL of the store.")
@click.option("--run", "run_name", metavar="RUN", help="What is looked at, written as that; the only run otherwise.")
@click.option("--allow-unresolved", is_flag=True, help="Let pass what is good enough, and may not be by its interval.")
@click.option(
    "--out",
    "files",
    type=LocalPathType(dir_okay=False),
    multiple=True,
    help="A file to write: .xml is JUnit, .csv or .json; may be given several times.",
)
@AS_JSON
@click.pass_context
def gate(
    ctx: click.Context,
    store: Address,
    against: str | None,
    run_name: str | None,
    allow_unresolved: bool,
    files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Hold the numbers of a run against bounds.

    A check is passed where the whole interval of 95 % is on the right side. What is not resolved, missing or made in
    another way is not passed, and the reason is printed. The exit code is 100 if
    one check is not passed.

    \b
    Examples:
      diptych evaluate gate runs/results.duckdb --min clip_score=28
      diptych evaluate gate runs/results.duckdb --run new --against old \\
        --max-regress clip_score=2% --out gate.xml
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from diptych.evaluate.gates.criteria import parse_criteria
    from diptych.evaluate.gates.files import check_names, write_files
    from diptych.evaluate.gates.gate import AskedGate
    from diptych.evaluate.gates.gate import gate as held

    given = ctx.meta[CRITERIA]
    criteria = [
        *parse_criteria("min", given["min"]),
        *parse_criteria("max", given["max"]),
        *parse_criteria("max-regress", given["max-regress"]),
    ]
    check_names(files)
    found = held(store, AskedGate(criteria, run_name, against, allow_unresolved))
    write_files(found, files)
    if as_json:
        print_json(found.to_json())
    else:
        for line in found.lines():
            click.echo(line)
    if not found.is_passed:
        ctx.exit(GATE_CLOSED)
