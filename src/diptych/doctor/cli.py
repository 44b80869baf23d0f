"""``diptych doctor``: look, and print what was found."""

import click

from diptych.command_line import AS_JSON, print_json
from diptych.doctor.inspection import inspect_machine
from diptych.doctor.wording import format_report


@click.command()
@AS_JSON
@click.option("--devices/--no-devices", default=True, help="Look for GPUs, which imports torch and takes seconds.")
def doctor(as_json: bool, devices: bool) -> None:
    """Show what this machine offers and what is installed.

    Changes nothing, opens no network connection and prints no secret.
    """
    report = inspect_machine(devices=devices)
    if as_json:
        print_json(report, indent=2)
    else:
        click.echo(format_report(report))
