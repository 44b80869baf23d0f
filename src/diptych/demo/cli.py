"""``diptych demo``: from a small web with known faults to a curated dataset, with the ordinary commands."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from diptych.errors import ConfigError
from diptych.lookup import import_attribute

CONFIG = Path("configs", "demo", "curate.yaml")
DEFAULT_ROWS = 2000
STATE = "web.json"


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-run"),
    show_default=True,
    help="Directory of the demo; run again with the same one, it goes on where it was.",
)
@click.option("--rows", type=click.IntRange(100), default=DEFAULT_ROWS, show_default=True, help="Rows of the demo web.")
@click.pass_context
def demo(ctx: click.Context, out: Path, rows: int) -> None:
    """Run diptych from end to end on a small drawn world.

    Serves a small web of captioned pictures on this machine, with the faults of the real one, curates it with the
    ordinary command, and compares what was kept with the truth. Nothing leaves this machine.
    """
    folder = out / "web"
    demo_web = import_attribute("diptych.demo.web:DemoWeb")  # says which extra is missing, where one is
    with demo_web(rows, port=_port_of(folder, rows)) as web:
        _remember(folder, web.port, rows)
        table = folder / "urls.parquet"
        # A table that is there is kept: its bytes are the identity of the run.
        if not (table.is_file() and (folder / "truth.parquet").is_file()):
            web.write_tables(folder)
        click.echo(f"The demo web serves {rows:,} rows on http://127.0.0.1:{web.port}/ as {table} lists them.")
        _curate(ctx, table, out / "run")
    _print_outcome(folder / "truth.parquet", out / "run" / "selected")
    click.echo(
        f"The curated pairs are in {out / 'run' / 'selected'}, everything that was asked for in {out / 'run' / 'pool'}."
    )


def config_path() -> Path:
    """Return the demo's config: that of the wheel, or that of the repository."""
    installed = Path(__file__).parent / "configs" / CONFIG.name
    return installed if installed.is_file() else Path(__file__).resolve().parents[3] / CONFIG


def main() -> None:
    """Do for ``python -m diptych.demo`` what ``diptych demo`` does."""
    from diptych.cli import main as root

    root(["demo", *sys.argv[1:]], prog_name="diptych")


def _port_of(folder: Path, rows: int) -> int:
    """Return the port that the tables of an earlier run name; 0 where there is none."""
    state = folder / STATE
    if not state.is_file():
        return 0
    try:
        known = json.loads(state.read_text(encoding="utf-8"))
        port, before = int(known["port"]), int(known["rows"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{state}: not written by diptych demo ({error}); delete {folder.parent}") from error
    if before != rows:
        raise ConfigError(f"{folder} is a demo web of {before} rows, not {rows}; give another --out or --rows {before}")
    return port


def _remember(folder: Path, port: int, rows: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / STATE
    part = state.with_suffix(".part")
    part.write_text(json.dumps({"port": port, "rows": rows}) + "\n", encoding="utf-8")
    part.replace(state)


def _curate(ctx: click.Context, table: Path, out: Path) -> None:
    """Print the command as it can be typed, and run it in this process."""
    from diptych.cli import main as root

    command = ["curate", "run", _shown(config_path()), "--out", str(out), "--set", f"source.path={table}"]
    command += ["--set", "download.allow_private_addresses=true"]
    click.echo(f"\n$ {shlex.join(['diptych', *command])}")
    root.main(["--progress", _progress(ctx), *command], prog_name="diptych", standalone_mode=False)


def _shown(path: Path) -> str:
    """Return a path as it is typed: relative where it lies below the current directory."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _progress(ctx: click.Context) -> str:
    settings: Any = ctx.find_root().obj or {}
    return str(settings.get("progress", "auto")) if isinstance(settings, dict) else "auto"


def _print_outcome(truth: Path, selected: Path) -> None:
    from diptych.demo.outcome import kept_by_fault

    click.echo("\nWhat the rules kept, by the truth that only a drawn world has:")
    click.echo(f"{'fault':<16} {'rows':>6} {'kept':>6}")
    for kept in kept_by_fault(truth, selected):
        click.echo(f"{kept.fault:<16} {kept.rows:>6,} {kept.kept:>6,}  {kept.says}")
    click.echo("")
