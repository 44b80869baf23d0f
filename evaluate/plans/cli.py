"""``diptych evaluate plan`` and ``pareto``: parse, call one function, print what it says."""

import click

from diptych.addresses import Address
from diptych.command_line import AS_JSON, PlaceType, print_json


@click.command()
@click.argument("store", type=PlaceType())
@click.argument("labels", nargs=-1, metavar="[A B]")
@click.option("--metric", required=True, metavar="NAME", help="The mean by which they are to be told apart.")
@click.option("--difference", type=float, required=True, help="The true difference that is to be found.")
@click.option("--power", type=float, default=0.8, show_default=True, help="The probability with which it is.")
@AS_JSON
def plan(store: Address, labels: tuple[str, ...], metric: str, difference: float, power: float, as_json: bool) -> None:
    """Say how many prompts and images tell two models apart.

    STORE has a pilot: both models with some prompts, best with several images of each. A and B are models, written as
    RUN:MODEL where several runs have one.

    \b
    Examples:
      diptych evaluate plan runs/pilot.duckdb --metric clip_score --difference 0.5
      diptych evaluate plan runs/pilot.duckdb flux sdxl --metric clip_score \\
        --difference 0.5 --power 0.9
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from diptych.evaluate.plans.plan import make_plan

    found = make_plan(store, labels, metric=metric, difference=difference, power=power)
    if as_json:
        print_json([each.to_json() for each in found])
        return
    for each in found:
        for line in each.lines():
            click.echo(line)


@click.command()
@click.argument("store", type=PlaceType())
@click.option("--metric", required=True, metavar="NAME", help="The mean that is held against the seconds.")
@click.option("--run", "run_name", metavar="NAME", help="The run of this name or id; the only one otherwise.")
@AS_JSON
def pareto(store: Address, metric: str, run_name: str | None, as_json: bool) -> None:
    """Say which models and settings are worth their seconds.

    Each model with each setting is a point. One is dominated where another that is as fast or faster is resolved to be
    better, and on the front where all of those are resolved to be worse.

    \b
    Examples:
      diptych evaluate pareto runs/results.duckdb --metric clip_score
    """  # noqa: D301 -- as above
    from diptych.evaluate.plans.fronts import pareto_front

    found = pareto_front(store, metric=metric, run=run_name)
    if as_json:
        print_json(found.to_json())
        return
    for line in found.lines():
        click.echo(line)
