"""``diptych demo``: the whole loop on a small drawn world, from URLs to a report, with the ordinary commands.

Nothing here does a step's work: it serves the demo web, writes the held-out pictures, and runs the commands that it
prints, as anybody could type them.
"""

import os
import shlex
import sys
import time
import webbrowser
from pathlib import Path

import click

from diptych.command_line import AS_JSON, CommandGroup, LocalPathType, print_json, progress_mode
from diptych.config.overrides import path_setting, quoted_path
from diptych.demo.world.web_state import TABLE, port_of, remember
from diptych.lookup import import_attribute
from diptych.processors import own_cpus
from diptych.ready_configs import config_path

DEFAULT_ROWS = 1000
HELD_OUT_PICTURES = 600


@click.group(cls=CommandGroup, invoke_without_command=True)
@click.option(
    "--out",
    type=LocalPathType(file_okay=False),
    default=Path("demo-run"),
    show_default=True,
    help="Directory of the demo; run again with the same one, it goes on where it was.",
)
@click.option("--rows", type=click.IntRange(100), default=DEFAULT_ROWS, show_default=True, help="Rows of the demo web.")
@click.option(
    "--workers", type=click.IntRange(1), help="Processes that make images; by default one per core, two at most."
)
@click.option("--open/--no-open", "opens", default=None, help="Open the report in a browser; by default on a desktop.")
@click.pass_context
def demo(ctx: click.Context, out: Path, rows: int, workers: int | None, opens: bool | None) -> None:
    """Run diptych from end to end on a small drawn world.

    Serves a small web of captioned pictures on this machine, with the faults of the real one; curates it, and compares
    what was kept with the truth; makes images of prompts with two small pipelines, one trained on all of such a web,
    one on what curation keeps; judges them; asks questions about pictures of which it knows the truth; and writes a
    report. Nothing leaves this machine.
    """
    if ctx.invoked_subcommand is not None:
        return
    start = time.monotonic()
    _curate(ctx, out, rows)
    _draw_held_out(ctx, out)
    processes = str(workers or min(2, own_cpus()))
    for config in ("generate.yaml", "occupations.yaml"):
        folder = out / ("images" if config == "generate.yaml" else "occupations")
        _run(ctx, "generate", "run", config, "--out", folder, "--workers", processes)
    store = out / "results.duckdb"
    paths = {"images": out / "images", "occupations": out / "occupations", "held-out": out / "held-out" / "pool"}
    moved = [path_setting(f"datasets.{label}.path", path) for label, path in paths.items()]
    _run(ctx, "evaluate", "run", "evaluate.yaml", sets=[path_setting("store", store), *moved])
    _ask_about_drawn(ctx, out / "ordered", out / "questions.duckdb")
    report = out / "report"
    pools = f"pools=[{quoted_path(out / 'run' / 'pool')}]"
    _run(ctx, "report", "build", "report.yaml", "--out", report, sets=[path_setting("store", store), pools])
    page = (report / "index.html").resolve()
    click.echo(f"\nThe whole loop took {time.monotonic() - start:.0f} s. The report is {page}")
    if opens or (opens is None and _has_desktop()):
        webbrowser.open(page.as_uri())


@demo.command()
@click.option("--quick", is_flag=True, help="A tenth of the examples: seconds, and wide intervals.")
@AS_JSON
@click.pass_context
def quality(ctx: click.Context, quick: bool, as_json: bool) -> None:
    """Measure the demo's models on scenes that none was trained on."""
    measure = import_attribute("diptych.demo.measure.quality_report:measure_all")
    figures = measure(share=0.1 if quick else 1.0, progress=progress_mode(ctx))
    if as_json:
        print_json({name: figure._asdict() for name, figure in figures.items()}, indent=2)
        return
    width = max(map(len, figures))
    for name, figure in figures.items():
        interval = f"{figure.ci_low:.4f} to {figure.ci_high:.4f}"
        click.echo(f"{name:<{width}}  {figure.value:>8.4f}  {interval:>18}  n {figure.n:,}")


def main() -> None:
    """Do for ``python -m diptych.demo`` what ``diptych demo`` does."""
    from diptych.cli import main as root

    root(["demo", *sys.argv[1:]], prog_name="diptych")


def _curate(ctx: click.Context, out: Path, rows: int) -> None:
    """Serve the demo web while the ordinary command curates it, and say how right it was."""
    folder = out / "web"
    demo_web = import_attribute("diptych.demo.world.web:DemoWeb")  # says which extra is missing, where one is
    with demo_web(rows, port=port_of(folder, rows, whole=out)) as web:
        remember(folder, web.port, rows)
        table = folder / TABLE
        # A table that is there is kept: its bytes are the identity of the run.
        if not (table.is_file() and (folder / "truth.parquet").is_file()):
            web.write_tables(folder)
        click.echo(f"The demo web serves {rows:,} rows on http://127.0.0.1:{web.port}/ as {table} lists them.")
        sets = [path_setting("source.path", table), "download.allow_private_addresses=true"]
        _run(ctx, "curate", "run", "curate.yaml", "--out", out / "run", sets=sets)
    _print_outcome(folder / "truth.parquet", out / "run")


def _draw_held_out(ctx: click.Context, out: Path) -> None:
    """Draw pictures that nothing was trained on, and make a dataset directory of them."""
    pictures = out / "held-out" / "pictures"
    write = import_attribute("diptych.demo.world.held_out:write_held_out")
    write(pictures, HELD_OUT_PICTURES, progress=progress_mode(ctx))
    _run(ctx, "curate", "run", "held_out.yaml", "--out", out / "held-out", sets=[path_setting("source.path", pictures)])


def _ask_about_drawn(ctx: click.Context, folder: Path, store: Path) -> None:
    """Draw pictures to order, and let the truth answer questions about them."""
    import_attribute("diptych.demo.drawn_to_order:draw_to_order")(folder)
    sets = [path_setting("source", folder / "pictures")]
    _run(ctx, "generate", "import", "drawn.yaml", "--out", folder / "images", sets=sets)
    truth = folder / "truth.jsonl"
    judges = [path_setting(f"judges.{label}.options.truth", truth) for label in ("truth", "errs")]
    images = path_setting("datasets.ordered.path", folder / "images")
    _run(ctx, "evaluate", "run", "questions.yaml", sets=[path_setting("store", store), images, *judges])


def _run(
    ctx: click.Context, job: str, verb: str, config: str, *words: str | Path, sets: list[str] | None = None
) -> None:
    """Print a command as it can be typed, and run it in this process."""
    from diptych.cli import main as root

    command = [job, verb, _shown(config_path(f"demo/{config}")), *map(str, words)]
    for setting in sets or []:
        command += ["--set", setting]
    click.echo(f"\n$ {shlex.join(['diptych', *command])}")
    root.main(["--progress", progress_mode(ctx), *command], prog_name="diptych", standalone_mode=False)


def _shown(path: Path) -> str:
    """Return a path as it is typed: relative where it lies below the current directory."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _has_desktop() -> bool:
    """Return whether there is a screen to open a page on, and somebody at it."""
    if os.environ.get("CI") or os.environ.get("SSH_CONNECTION") or not sys.stdout.isatty():
        return False
    return sys.platform in {"darwin", "win32"} or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _print_outcome(truth: Path, run: Path) -> None:
    from diptych.demo.measure.outcome import kept_by_fault, target_lines, targets

    click.echo("\nWhat the rules kept, by the truth that only a drawn world has:")
    click.echo(f"{'fault':<16} {'rows':>6} {'kept':>6}")
    for kept in kept_by_fault(truth, run / "selected"):
        click.echo(f"{kept.fault:<16} {kept.rows:>6,} {kept.kept:>6,}  {kept.says}")
    click.echo("\nHow right the rules were about it, with intervals of 95 %:")
    for line in target_lines(targets(truth, run / "pool")):
        click.echo(line)
