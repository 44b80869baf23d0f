"""``python -m diptych.demo.training NAME``: trains the demo models; run again, it goes on where it was."""

from collections.abc import Mapping
from math import inf
from pathlib import Path
from typing import Any

import click

from diptych.command_line import LocalPathType, print_json
from diptych.demo.training.stops import Stopped
from diptych.errors import DiptychError
from diptych.lookup import import_attribute


class Trainings(click.Group):
    """Ends with one line where something is wrong or a signal came, as ``diptych`` does."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except DiptychError as error:
            raise click.ClickException(str(error)) from error
        except Stopped as stopped:
            click.echo(str(stopped), err=True)
            ctx.exit(stopped.exit_code)
        except KeyboardInterrupt:
            click.echo("stopped; the same command goes on", err=True)
            ctx.exit(130)


def positive(_: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """Return a value that is a positive number, or none."""
    if value is not None and not 0.0 < value < inf:
        raise click.BadParameter(f"{value} is not a positive finite number", param=option)
    return value


OUT = click.option("--out", type=LocalPathType(file_okay=False), required=True, help="Pictures, checkpoint and result.")
THREADS = click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Threads to use.")
STEPS = click.option("--steps", type=click.IntRange(1), help="Batches in all; may be raised later.")
BATCH = click.option("--batch", type=click.IntRange(2), help="Pictures in a batch.")
ROWS = click.option("--rows", type=click.IntRange(2), help="Pictures in all.")
PEAK = click.option("--learning-rate", type=float, callback=positive, help="Its peak.")
EXISTING = LocalPathType(exists=True)


def given(settings: Mapping[str, float | None]) -> dict[str, Any]:
    """Return the settings that the command line names; the others keep their defaults."""
    return {name: value for name, value in settings.items() if value is not None}


@click.group(cls=Trainings)
def main() -> None:
    """Train the models of the demo world."""


def _drawn_command(name: str, settings_class: str, text: str, *, check_every: int) -> None:
    """Add the command that trains a model on drawn pictures."""

    @main.command(name, help=f"{text}; uses a CUDA device where there is one.")
    @OUT
    @THREADS
    @STEPS
    @BATCH
    @ROWS
    @PEAK
    @click.option(
        "--check-every",
        type=click.IntRange(1),
        default=check_every,
        show_default=True,
        help="Steps between checkpoints.",
    )
    def command(out: Path, threads: int, check_every: int, **settings: float | None) -> None:
        train = import_attribute(f"diptych.demo.training.{name}:train_{name}")
        training = import_attribute(f"diptych.demo.training.{name}:{settings_class}")(**given(settings))
        click.echo(train(out, training, threads=threads, check_every=check_every))


_drawn_command("clip", "ClipTraining", "Train the CLIP", check_every=50)
_drawn_command("detector", "DetectorTraining", "Train the detector", check_every=100)
_drawn_command("vae", "VaeTraining", "Train the autoencoder that both text-to-image pipelines share", check_every=100)


@main.command()
@OUT
@THREADS
@click.option("--clip", "clip_folder", type=EXISTING, help="The CLIP; by default OUT/clip.")
@click.option("--rows", type=click.IntRange(100), help="Pictures to learn from.")
def heads(out: Path, threads: int, clip_folder: Path | None, rows: int | None) -> None:
    """Fit the aesthetic and the flagged head over a CLIP."""
    from diptych.demo.training.heads import DEFAULT_ROWS, train_heads

    click.echo(train_heads(out, clip_folder or out / "clip", rows=rows or DEFAULT_ROWS, threads=threads))


@main.command()
@OUT
@THREADS
@STEPS
@click.option("--pairs", type=EXISTING, required=True, help="Dataset to learn from.")
@click.option("--vae", type=EXISTING, required=True, help="Folder of the autoencoder.")
@click.option("--clip", type=EXISTING, required=True, help="Folder of the CLIP.")
@click.option("--begin", type=EXISTING, help="Folder of a pipeline to go on from.")
@click.option("--compiled", is_flag=True, help="Compile the U-Net first; needs a C++ compiler.")
def diffusion(
    out: Path,
    threads: int,
    pairs: Path,
    vae: Path,
    clip: Path,
    begin: Path | None,
    compiled: bool,
    **settings: int | None,
) -> None:
    """Train a text-to-image pipeline on the pairs of a dataset directory."""
    from diptych.demo.training.diffusion import DiffusionTraining, train_diffusion
    from diptych.demo.training.sources import Sources

    sources = Sources(pairs, vae, clip, begin)
    click.echo(train_diffusion(out, sources, DiffusionTraining(**given(settings)), threads=threads, compiled=compiled))


@main.command()
@OUT
@THREADS
def everything(out: Path, threads: int) -> None:
    """Train all models of the demo, one after the other; hours on a CPU."""
    from diptych.demo.training.everything import TrainingPlan, make_models

    click.echo(f"all models are in {make_models(out, TrainingPlan(), threads=threads)}")


@main.command()
@OUT
@click.option("--quick", is_flag=True, help="A tenth of the examples: wide intervals, sooner.")
def measure(out: Path, quick: bool) -> None:
    """Print every figure of the models in OUT as JSON.

    They are those in OUT/models, where ``everything`` lays them, or else those in OUT itself, where the commands that
    train a single model do.
    """
    from diptych.demo.measure.quality_report import finished_models, measure_all, measure_some

    share, models = 0.1 if quick else 1.0, out / "models"
    figures = (
        measure_all(models, share=share, progress="auto")
        if models.is_dir()
        else measure_some(out, finished_models(out), share=share, progress="auto")
    )
    print_json({name: figure._asdict() for name, figure in figures.items()}, indent=2)


if __name__ == "__main__":
    main()
