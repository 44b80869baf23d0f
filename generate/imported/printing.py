"""What ``generate import`` prints: what was found, and what is wrong with it."""

import shlex
from collections import Counter
from typing import Any

import click

from diptych.addresses import Address
from diptych.progress.wording import format_bytes, quantity
from diptych.storage.location import Location

SHOWN = 5  # images of a kind that are listed


def import_facts(made: Any, out: Address) -> dict[str, Any]:
    """Return what an import left, as JSON-able values."""
    from diptych.generate.imported.coverage import COVERAGE, coverage_facts

    return {
        **made.facts,
        **coverage_facts(made.coverage),
        "shards_made": made.shards_made,
        "bytes": sum(shard.bytes for shard in made.dataset.shards),
        "path": str(out),
        "coverage": str(Location.at(out) / COVERAGE),
    }


def print_import(made: Any, out: Address) -> None:
    """Say what an import left."""
    from diptych.generate.imported.coverage import COVERAGE, KINDS
    from diptych.generate.next_step import next_lines

    facts = import_facts(made, out)
    click.echo(f"layout    {facts['layout']}: {facts['why']}")
    for note in facts["notes"]:
        click.echo(f"note      {note}")
    if facts["found_by"]:
        ways = ", ".join(f"{many:,} by {way}" for way, many in facts["found_by"].items())
        click.echo(f"matched   {ways}")
    if facts["tools"]:
        click.echo(f"made by   {', '.join(f'{tool} {many:,}' for tool, many in facts['tools'].items())}")
    for one in facts["samples"]:
        whose = ", ".join(name for name in (one["model"], one["setting"]) if name is not None) or "no model named"
        click.echo(f"asked for {one['samples']:,} of each prompt ({whose})")
    _print_sizes(facts["sizes"])
    size = format_bytes(facts["bytes"])
    shards = quantity(len(made.dataset.shards), "shard")
    click.echo(f"{facts['usable']:,} usable of {quantity(facts['rows'], 'row')}, {shards}, {size} in {out}")
    for kind, many in facts["counts"].items():
        if many:
            click.echo(f"{kind:<10} {many:,} ({KINDS[kind]})")
            _print_flaws(
                [flaw for flaw in facts["flaws"] if flaw["kind"] == kind], of_several=len(facts["samples"]) > 1
            )
    _print_unprompted(facts["unprompted"])
    _print_unused(facts["unused_columns"])
    if not (any(facts["counts"].values()) or facts["unprompted"] or facts["unused_columns"]):
        click.echo("nothing is missing, and nothing is wrong")
    click.echo(f"all of it in {Location.at(out) / COVERAGE}")
    if not made.shards_made:
        click.echo("Nothing to do: everything is finished and nothing changed.")
    for line in next_lines(made.dataset, out):
        click.echo(line)


def _print_sizes(sizes: list[dict[str, Any]]) -> None:
    counts: Counter[str] = Counter()
    for one in sizes:
        counts[one["size"]] += one["images"]
    shown = ", ".join(f"{size} {many:,}" for size, many in counts.most_common(SHOWN))
    more = f" and {len(counts) - SHOWN} more" if len(counts) > SHOWN else ""
    click.echo(f"sizes     {shown or 'none'}{more}")


def _print_unprompted(files: list[str]) -> None:
    if files:
        click.echo(
            f"no prompt  {len(files):,} (nothing that is read says what they were asked for; --prompts or a table can)"
        )
        _print_some(files)


def _print_unused(columns: dict[str, str]) -> None:
    if not columns:
        return
    kept = shlex.quote(f"carry=[{', '.join(columns)}]")
    click.echo(f"not used   {quantity(len(columns), 'column')} of the table (--set {kept} keeps them as texts)")
    for name, key in columns.items():
        setting = shlex.quote(f"columns.{key}={name}")
        click.echo(f"  {name}{f': did you mean {key}? if so: --set {setting}' if key else ''}")


def _print_some(lines: list[str]) -> None:
    for line in lines[:SHOWN]:
        click.echo(f"  {line}")
    if len(lines) > SHOWN:
        click.echo(f"  and {len(lines) - SHOWN:,} more")


def _print_flaws(flaws: list[dict[str, Any]], *, of_several: bool) -> None:
    _print_some([f"{_place(flaw, of_several=of_several)}: {flaw['what']}" for flaw in flaws])


def _place(flaw: dict[str, Any], *, of_several: bool) -> str:
    """Return where a flaw is; an image that is not there has its model beside it, where there are several."""
    if flaw["file"] is None:
        model = f" of {flaw['model']}" if of_several and flaw["model"] is not None else ""
        return f"prompt {flaw['prompt_id']}, sample {flaw['sample']}{model}"
    return flaw["file"] if flaw["tile"] is None else f"{flaw['file']}, tile {flaw['tile']}"
