"""``diptych evaluate ...``: parse, call one function, print a summary."""

import shlex
from typing import Any

import click

from diptych.addresses import Address
from diptych.command_line import (
    AS_JSON,
    CONFIG,
    CommandGroup,
    PlaceType,
    print_json,
    progress_mode,
    set_option,
)
from diptych.evaluate.gates.cli import gate
from diptych.evaluate.imports.cli import import_evidence
from diptych.evaluate.loggers.cli import log
from diptych.evaluate.metrics.cli import distance, statistics
from diptych.evaluate.plans.cli import pareto, plan
from diptych.evaluate.protocols.cli import protocols
from diptych.jobs.command_line import engine_options
from diptych.jobs.engine import Engine
from diptych.progress.wording import quantity, taken_over

METRICS = "diptych.evaluate.metrics.contract:SET_METRICS"
SET = set_option("compare.baseline=sdxl", {"metric": METRICS, "score": "diptych.scores:SCORES"})
ENGINE = engine_options("Processes for scoring.")
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
    ctx: click.Context, config: Address, overrides: tuple[str, ...], engine: Engine, dry_run: bool, as_json: bool
) -> None:
    """Do what CONFIG says and write it into its store.

    What is scored already is not scored again.
    """
    from diptych.config.load import load, placing
    from diptych.config.overrides import path_setting
    from diptych.evaluate.config import EvaluateConfig
    from diptych.evaluate.run import EvaluateRunner
    from diptych.storage.store_path import read_path

    loaded = load(read_path(config), EvaluateConfig, overrides)
    runner = EvaluateRunner(loaded, engine, progress_mode(ctx))
    with placing(read_path(config), loaded, overrides):
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


evaluate.add_command(distance)
evaluate.add_command(gate)
evaluate.add_command(import_evidence)
evaluate.add_command(log)
evaluate.add_command(pareto)
evaluate.add_command(plan)
evaluate.add_command(protocols)
evaluate.add_command(statistics)


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
