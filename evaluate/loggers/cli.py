"""``diptych evaluate log``: parse, call one function, print what it says."""

import click

from diptych.addresses import Address
from diptych.command_line import AS_JSON, PlaceType, print_json
from diptych.evaluate.loggers import LOGGERS


@click.command()
@click.argument("store", type=PlaceType())
@click.option("--to", "tracker", type=click.Choice(list(LOGGERS)), required=True, help="The tracker.")
@click.option("--run", "run_name", metavar="NAME", help="The run of this name or id; the only one otherwise.")
@click.option("--model", metavar="NAME", help="Only what is about this model, which is then no part of the keys.")
@click.option("--project", metavar="NAME", help="Project or experiment; else the tracker's own variable, or diptych.")
@click.option("--name", metavar="NAME", help="What it is called there; otherwise as the run, with the model.")
@click.option("--report", metavar="URL", help="A link to the report, which stands beside the numbers.")
@AS_JSON
def log(
    store: Address,
    tracker: str,
    run_name: str | None,
    model: str | None,
    project: str | None,
    name: str | None,
    report: str | None,
    as_json: bool,
) -> None:
    """Send the numbers of a run to an experiment tracker.

    Each goes with its interval, n and identity. The tracker's library finds its server and login by its own variables.
    What was sent already, with exactly these numbers, is not there twice.

    \b
    Examples:
      diptych evaluate log runs/results.duckdb --to wandb --project text-to-image
      diptych evaluate log runs/results.duckdb --to mlflow --model sdxl \\
        --report https://example.org/report/index.html
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from diptych.evaluate.loggers.sending import AskedLog, send_run

    found = send_run(store, AskedLog(tracker, run_name, model, name, project, report))
    if as_json:
        print_json(found.to_json())
        return
    for line in found.lines():
        click.echo(line)
