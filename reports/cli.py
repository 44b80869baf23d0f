"""``diptych report ...``: parse, call one function, print a summary."""

import click

from diptych.addresses import Address
from diptych.command_line import (
    AS_JSON,
    CONFIG,
    CommandGroup,
    PlaceType,
    out_option,
    print_json,
    progress_mode,
    set_option,
)
from diptych.jobs.command_line import engine_options
from diptych.jobs.engine import Engine
from diptych.progress.wording import format_bytes, quantity, taken_over


@click.group(cls=CommandGroup)
def report() -> None:
    """Make pages out of what was curated, generated and evaluated.

    \b
    Examples:
      diptych report build configs/reports/models.yaml --out reports/models
      open reports/models/index.html
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped


@report.command()
@CONFIG
@out_option("Folder of the report.", PlaceType())
@set_option("title=Mine")
@engine_options("Processes that make pictures.")
@AS_JSON
@click.pass_context
def build(
    ctx: click.Context, config: Address, out: Address, overrides: tuple[str, ...], engine: Engine, as_json: bool
) -> None:
    """Write the report that CONFIG describes into a folder.

    The folder opens with a double click. It can be moved, packed and served as it is; it asks no server for anything.
    Run again, it makes only the pictures that are new.
    """
    from diptych.config.load import load
    from diptych.lookup import import_attribute
    from diptych.reports.config import ReportConfig
    from diptych.storage.store_path import read_path

    loaded = load(read_path(config), ReportConfig, overrides)
    build_report = import_attribute("diptych.reports.build:build_report")  # says which extra is missing, where one is
    built = build_report(loaded, out, engine=engine, progress=progress_mode(ctx))
    if as_json:
        print_json({"report": str(built.index), **built.facts})
        return
    click.echo(f"{quantity(len(built.pages), 'page')}, {quantity(built.images, 'image')}, {format_bytes(built.bytes)}")
    if said := taken_over(built.pictures_kept, built.images, "picture"):
        click.echo(said)
    click.echo(f"Open {built.index}")
