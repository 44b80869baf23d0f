"""``python -m diptych.demo.training clip|heads``: trains the demo models; run again, it goes on where it was."""

import json
from pathlib import Path
from typing import Any

import click

OUT = click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Pictures, checkpoint and result."
)
THREADS = click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Threads to use.")


@click.group()
def main() -> None:
    """Train the models of the demo world."""


@main.command()
@OUT
@THREADS
@click.option("--steps", type=click.IntRange(1), help="Batches in all; may be raised later.")
@click.option("--batch", type=click.IntRange(2), help="Pictures in a batch.")
@click.option("--rows", type=click.IntRange(2), help="Pictures in all.")
@click.option("--learning-rate", type=float, help="Its peak.")
@click.option("--check-every", type=click.IntRange(1), default=50, show_default=True, help="Steps between checkpoints.")
def clip(out: Path, threads: int, check_every: int, **settings: float | None) -> None:
    """Train the CLIP; uses a CUDA device where there is one."""
    from diptych.demo.training.clip import ClipTraining, train_clip

    given: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    click.echo(train_clip(out, ClipTraining(**given), threads=threads, check_every=check_every))


@main.command()
@OUT
@THREADS
@click.option(
    "--clip", "clip_folder", type=click.Path(path_type=Path, exists=True), help="The CLIP; by default OUT/clip."
)
@click.option("--rows", type=click.IntRange(100), help="Pictures to learn from.")
def heads(out: Path, threads: int, clip_folder: Path | None, rows: int | None) -> None:
    """Fit the aesthetic and the flagged head over a CLIP."""
    from diptych.demo.training.heads import DEFAULT_ROWS, train_heads

    click.echo(train_heads(out, clip_folder or out / "clip", rows=rows or DEFAULT_ROWS, threads=threads))


@main.command()
@OUT
def measure(out: Path) -> None:
    """Print every figure of the models in OUT as JSON."""
    from diptych.demo.quality import measure_clip, measure_heads

    figures = measure_clip(out / "clip") | measure_heads(out / "clip", out / "heads")
    click.echo(json.dumps({name: figure._asdict() for name, figure in figures.items()}, indent=2))


if __name__ == "__main__":
    main()
