"""What ``generate import`` prints: what was found, and what is wrong with it."""

from collections import Counter
from pathlib import Path
from typing import Any

import click

from diptych.progress.wording import format_bytes, quantity

SHOWN = 5  # images of a kind that are listed


def import_facts(made: Any, out: Path) -> dict[str, Any]:
    """Return what an import left, as JSON-able values."""
    from diptych.generate.imported.coverage import COVERAGE, coverage_facts

    return {
        **made.facts,
        **coverage_facts(made.coverage),
        "shards_made": made.shards_made,
        "bytes": sum(shard.bytes for shard in made.dataset.shards),
        "path": str(out),
        "coverage": str(out / COVERAGE),
    }


def print_import(made: Any, out: Path) -> None:
    """Say what an import left."""
    from diptych.generate.imported.coverage import COVERAGE, KINDS

    facts = import_facts(made, out)
    click.echo(f"layout    {facts['layout']}: {facts['why']}")
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
            _print_flaws([flaw for flaw in facts["flaws"] if flaw["kind"] == kind])
    if not any(facts["counts"].values()):
        click.echo("nothing is missing, and nothing is wrong")
    click.echo(f"all of it in {out / COVERAGE}")
    if not made.shards_made:
        click.echo("Nothing to do: everything is finished and nothing changed.")


def _print_sizes(sizes: list[dict[str, Any]]) -> None:
    counts: Counter[str] = Counter()
    for one in sizes:
        counts[one["size"]] += one["images"]
    shown = ", ".join(f"{size} {many:,}" for size, many in counts.most_common(SHOWN))
    more = f" and {len(counts) - SHOWN} more" if len(counts) > SHOWN else ""
    click.echo(f"sizes     {shown or 'none'}{more}")


def _print_flaws(flaws: list[dict[str, Any]]) -> None:
    for flaw in flaws[:SHOWN]:
        where = flaw["file"] or f"prompt {flaw['prompt_id']}, sample {flaw['sample']}"
        click.echo(f"  {where}: {flaw['what']}")
    if len(flaws) > SHOWN:
        click.echo(f"  and {len(flaws) - SHOWN:,} more")
