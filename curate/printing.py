"""What the commands print: how a step went, what a run would do, the funnel. Parses nothing and decides nothing."""

import os
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import click

from diptych.addresses import Address, store_of
from diptych.command_line import print_json
from diptych.progress.wording import format_bytes, quantity


def print_step(step: Any) -> None:
    """Say how a step went."""
    if step.warning:
        click.echo(f"Warning: {step.warning}", err=True)
    click.echo(f"{step.name:<7} {'done' if step.is_new else 'kept'}  {step.summary}")


def print_steps_json(steps: Sequence[Any]) -> None:
    """Print how steps went, by their names, for machines."""
    print_json({step.name: {"is_new": step.is_new, **step.facts, "warning": step.warning or None} for step in steps})


def print_estimate(estimate: dict[str, Any]) -> None:
    """Say what a run would do."""
    about = "" if estimate["bytes_are_known"] else "about (at 150 kB an image) "
    new, shards = estimate["new_rows"], estimate["shards"]
    state = f"{new:,} new, in {quantity(shards, 'shard')} to make" if new else "all there already"
    click.echo(f"rows    {estimate['rows']:,} ({state})")
    if estimate["rows_gone"]:
        click.echo(f"gone    {quantity(estimate['rows_gone'], 'row')} of the pool, no longer in the input; they stay")
    if estimate["retried_rows"]:
        rows, shards = estimate["retried_rows"], estimate["retried_shards"]
        click.echo(f"retry   {quantity(rows, 'row')} to ask for again, in {quantity(shards, 'shard')}")
    if estimate["inferred_types"]:
        kinds = ", ".join(f"{name} {kind}" for name, kind in estimate["inferred_types"].items())
        click.echo(f"columns taken as {kinds} (by what they hold; declare others under source.types)")
    click.echo(f"disk    {about}{format_bytes(estimate['bytes'])} more in the pool, the selected rows once more")
    click.echo(f"scores  {', '.join(estimate['scores']) or 'none'}")
    click.echo(f"rules   {', '.join(estimate['rules']) or 'none'}")
    click.echo("Nothing was written or downloaded.")


def print_funnel(steps: Sequence[dict[str, Any]]) -> None:
    """Say how many rows each rule takes and leaves."""
    width = max(len(step["rule"]) for step in steps)
    click.echo(f"{'rule':<{width}} {'in':>12} {'out':>12} {'lost':>12} {'only here':>12}  condition")
    for step in steps:
        lost = step["rows_in"] - step["rows_out"]
        numbers = f"{step['rows_in']:>12,} {step['rows_out']:>12,} {lost:>12,} {step['lost_only_here']:>12,}"
        unknown = f"  ({step['without_value']:,} of the lost without a value)" if step["without_value"] else ""
        click.echo(f"{step['rule']:<{width}} {numbers}  {step['where']}{unknown}")


def next_step(selected: Address) -> str:
    """Return the line that says how a training folder is read: by a library that diptych does without."""
    needed = "" if find_spec("datasets") else "; for that: pip install datasets"
    place = os.fspath(selected)
    # Of a folder the library takes the path alone; of a store only files.
    given = f"'parquet', data_files={f'{place}/data/*.parquet'!r}" if store_of(place) else repr(place)
    return f"Next: datasets.load_dataset({given}){needed}"
