"""What the commands print: the estimate of a plan, the end of a run. Parses nothing and decides nothing."""

from collections.abc import Sequence
from typing import Any

import click

from diptych.addresses import Address
from diptych.progress.wording import format_bytes, quantity, taken_over

SHOWN = 12  # settings, dropped ones and so on that are listed


def run_facts(plan: Any, made: Any, outcome: Any, out: Address) -> dict[str, Any]:
    """Return what a run left, as JSON-able values."""
    return {
        **outcome.as_json(),
        "refused": [refused._asdict() for refused in plan.refused],
        "images": made.dataset.rows,
        "shards_made": made.shards_made,
        "rendered": made.rendered,
        "reused": made.reused,
        "pruned": made.pruned,
        "not_taken": made.not_taken,
        "bytes": sum(shard.bytes for shard in made.dataset.shards),
        "dropped": [dropped._asdict() for dropped in plan.dropped],
        "path": str(out),
    }


def print_run(plan: Any, made: Any, outcome: Any, out: Address) -> None:
    """Say what a run left."""
    from diptych.generate.estimate import without_effect
    from diptych.generate.next_step import next_lines
    from diptych.generate.outcome import problem

    facts = run_facts(plan, made, outcome, out)
    cut = [f"{quantity(count, 'prompt')} cut, being longer than {label} reads" for label, count in plan.cut.items()]
    _print_notes([*cut, *plan.notes, *without_effect(plan), *made.not_taken])
    _print_dropped(facts["dropped"])
    if made.reused or made.pruned:
        click.echo(f"{made.rendered:,} rendered, {made.reused:,} reused, {made.pruned:,} dropped")
    size = format_bytes(facts["bytes"])
    click.echo(f"{quantity(facts['images'], 'image')}, {quantity(len(made.dataset.shards), 'shard')}, {size} in {out}")
    shards = len(made.dataset.shards)
    if made.shards_made and (said := taken_over(shards - made.shards_made, shards, "shard")):
        click.echo(said)
    _print_unlike(facts["unlike"])
    _print_refused(facts["refused"])
    if not made.shards_made and not made.pruned:
        click.echo("Nothing to do: everything is finished and nothing changed.")
    for line in [] if problem(outcome, plan.refused) else next_lines(made.dataset, out):
        click.echo(line)


def print_estimate(facts: dict[str, Any]) -> None:
    """Say what a plan asks for, what it costs, and what is there of it."""
    sets = ", ".join(f"{name} {count:,}" for name, count in facts["prompts"].items())
    models = ", ".join(f"{label} in {quantity(count, 'setting')}" for label, count in facts["models"].items())
    click.echo(f"prompts   {sets}")
    click.echo(f"models    {models}")
    useful = f"{100 * facts['useful_share']:.0f} % of all batch rows are images"
    shared = f" ({quantity(facts['rows'], 'row')}, as sets have prompts in common)"
    rows = shared if facts["rows"] > facts["images"] else ""
    click.echo(f"images    {facts['images']:,}{rows} in {quantity(facts['shards'], 'shard')}; {useful}")
    _print_growth(facts)
    left = f"; {facts['nfe_left']:,} of these are left" if facts["images_done"] else ""
    whole = f"{facts['nfe_in_all']:,} with those that guidance and other stages add"
    click.echo(f"denoiser  {facts['nfe']:,} evaluations, {whole}{left}")
    about = "" if facts["bytes_are_measured"] else "about "
    click.echo(f"disk      {about}{format_bytes(facts['bytes'])}")
    for label, count in facts["prompts_cut"].items():
        click.echo(f"note      {quantity(count, 'prompt')} cut, being longer than {label} reads")
    _print_notes([*facts["notes"], *facts["without_effect"], *facts["growth"]["not_taken"]])
    width = max(len(one["setting"]) for one in facts["settings"])
    for one in facts["settings"][:SHOWN]:
        size, guidance = one["size"] or "own size", "no" if one["guidance"] is None else f"{one['guidance']:g}"
        details = f"{one['sampler']}, {one['steps']} steps, guidance {guidance}, {size}, {one['nfe']} evaluations"
        click.echo(f"  {one['model']}  {one['setting']:<{width}}  {details}")
    if len(facts["settings"]) > SHOWN:
        click.echo(f"  and {len(facts['settings']) - SHOWN} more; --json lists them")
    _print_dropped(facts["dropped"])
    _print_refused(facts["refused"])
    click.echo("Nothing was made.")


def _print_growth(facts: dict[str, Any]) -> None:
    """Say what becomes of images that were made before; nothing where there are none."""
    growth, there = facts["growth"], facts["images_done"]
    if not there and not growth["pruned"]:
        return
    reused = f" ({quantity(growth['reused'], 'row')} of them reused)" if growth["reused"] else ""
    click.echo(f"there     {quantity(there, 'image')} already{reused}, {growth['rendered']:,} are new")
    if growth["pruned"]:
        labels = "; ".join(f"{label}: {rows:,}" for label, rows in list(growth["pruned_by_setting"].items())[:SHOWN])
        click.echo(f"pruned    {growth['pruned']:,} are no longer asked for, which run drops with --prune ({labels})")
    if growth["shards_rewritten"]:
        shards = quantity(growth["shards_rewritten"], "shard")
        click.echo(f"rewritten {shards}, as what is said of their images has changed")


def _print_notes(notes: Sequence[str]) -> None:
    for note in notes[:SHOWN]:
        click.echo(f"note      {note}")


def _print_dropped(dropped: list[dict[str, str]]) -> None:
    for one in dropped[:SHOWN]:
        label = f"{one['model']}, {one['setting']}"
        why = "it is given twice" if one["same_as"] == label else f"the same images as {one['same_as']}"
        click.echo(f"left out  {label}: {why}")
    if len(dropped) > SHOWN:
        click.echo(f"left out  {len(dropped) - SHOWN} more for the same reason; --json lists them")


def _print_unlike(unlike: list[dict[str, Any]]) -> None:
    for one in unlike[:SHOWN]:
        label = f"{one['model']}, {one['setting']}"
        reason = one["error"].removeprefix(f"{label}: ").removeprefix(f"{one['status']}: ")
        click.echo(f"{one['status']:<9} {label}: {quantity(one['rows'], 'row')}, {reason}")
    if len(unlike) > SHOWN:
        click.echo(f"and {len(unlike) - SHOWN} more; --json lists them")


def _print_refused(refused: list[dict[str, str]]) -> None:
    for one in refused[:SHOWN]:
        label = f"{one['model']}, {one['setting']}" if one["setting"] else one["model"]
        reason = one["reason"].removeprefix(f"models.{one['model']}: ")
        click.echo(f"refused   {label}: {reason}")
    if len(refused) > SHOWN:
        click.echo(f"refused   {len(refused) - SHOWN} more; --json lists them")
