"""``diptych report ...``: parse, call one function, print a summary."""

import json
from pathlib import Path
from typing import Any

import click


@click.group()
def report() -> None:
    """Make pages out of what was curated, generated and evaluated.

    \b
    Examples:
      diptych report build configs/reports/models.yaml --out reports/models
      open reports/models/index.html
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped


@report.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the report.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key: --set title=Mine")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.pass_context
def build(ctx: click.Context, config: Path, out: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Write the report that CONFIG describes into a folder that opens with a double click.

    The folder can be moved, packed and served as it is; it asks no server for anything. Run again, it makes only the
    pictures that are new.
    """
    from diptych.config.load import load
    from diptych.lookup import import_attribute
    from diptych.reports.config import ReportConfig

    loaded = load(config, ReportConfig, overrides)
    build_report = import_attribute("diptych.reports.build:build_report")  # says which extra is missing, where one is
    built = build_report(loaded, out, progress=_progress(ctx))
    facts = {"report": str(built.index), "pages": list(built.pages), "images": built.images, "bytes": built.bytes}
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(f"{len(built.pages)} pages, {built.images:,} images, {built.bytes / 1e6:,.1f} MB")
    click.echo(f"Open {built.index}")


def _progress(ctx: click.Context) -> str:
    settings: Any = ctx.find_root().obj or {}
    return str(settings.get("progress", "auto")) if isinstance(settings, dict) else "auto"
