"""Every figure of the models that diptych brings along, or of others laid out like them: which is measured by what.

Runs the measurements and names their figures ``<model>.<figure>``; what a figure means is said where it is measured.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from diptych.demo.measure.clip_quality import ROWS as CLIP_ROWS
from diptych.demo.measure.clip_quality import WEB_ROWS, measure_clip
from diptych.demo.measure.detector_quality import ROWS as DETECTOR_ROWS
from diptych.demo.measure.detector_quality import measure_detector
from diptych.demo.measure.heads_quality import ROWS as HEADS_ROWS
from diptych.demo.measure.heads_quality import measure_heads
from diptych.demo.measure.pipeline_quality import ROWS as PIPELINE_ROWS
from diptych.demo.measure.pipeline_quality import measure_pipeline
from diptych.errors import ConfigError, DataError
from diptych.intervals import ShareEstimate
from diptych.lookup import import_attribute
from diptych.progress import track

MODELS = Path(__file__).parents[1] / "models"
MIN_EXAMPLES = 20
MIN_WEB_ROWS = 200  # below it few captions are mismatched

# What measures which model. To add one: a function that takes the folder of all models, the share of the usual number
# of examples and a display mode and returns figures by name, a line here and one in ``FILES``.
MEASUREMENTS: dict[str, str] = {
    "clip": "diptych.demo.measure.quality_report:clip_figures",
    "heads": "diptych.demo.measure.quality_report:heads_figures",
    "detector": "diptych.demo.measure.quality_report:detector_figures",
    "demo-raw": "diptych.demo.measure.quality_report:raw_figures",
    "demo-curated": "diptych.demo.measure.quality_report:curated_figures",
}

# By which file of its folder a finished model is known.
FILES: dict[str, str] = {
    "clip": "open_clip_config.json",
    "heads": "flagged.pth",
    "detector": "config.json",
    "demo-raw": "model_index.json",
    "demo-curated": "model_index.json",
}


def measure_all(models: Path = MODELS, *, share: float = 1.0, progress: str = "none") -> dict[str, ShareEstimate]:
    """Measure the models of ``MEASUREMENTS`` on scenes that nothing was trained on.

    Args:
        models: Holds them, each in a folder of its name.
        share: Of the usual number of examples, above 0 and at most 1; fewer give wider intervals sooner.
        progress: Display mode, see ``diptych.progress``.

    Returns:
        Figures under ``<model>.<figure>``, in the order of the table.

    Raises:
        ConfigError: If the share is outside (0, 1].
        DataError: If a model is not there or cannot be read.
    """
    return measure_some(models, MEASUREMENTS, share=share, progress=progress)


def measure_some(
    models: Path, names: Iterable[str], *, share: float = 1.0, progress: str = "none"
) -> dict[str, ShareEstimate]:
    """Measure the models of these names, as ``measure_all`` does with those of all."""
    if not 0.0 < share <= 1.0:
        raise ConfigError(f"a share of the examples is above 0 and at most 1, not {share}")
    chosen = list(names)
    for name in chosen:
        if not (models / name / FILES[name]).is_file():
            raise DataError(f"{models}: there is no finished {name}: {name}/{FILES[name]} is missing; train it first")
    figures: dict[str, ShareEstimate] = {}
    for name in chosen:
        measure: Callable[[Path, float, str], dict[str, ShareEstimate]] = import_attribute(MEASUREMENTS[name])
        figures |= {f"{name}.{figure}": value for figure, value in measure(models, share, progress).items()}
    return figures


def finished_models(models: Path) -> list[str]:
    """Return the names of the models that a folder holds, in the order of the table.

    Raises:
        DataError: If there are none.
    """
    found = [name for name in MEASUREMENTS if (models / name / FILES[name]).is_file()]
    if not found:
        raise DataError(f"{models}: no finished models, as clip/{FILES['clip']} would be; train them first")
    return found


def clip_figures(models: Path, share: float, progress: str) -> dict[str, ShareEstimate]:
    """Return ``measure_clip`` of the demo's CLIP."""
    rows, web_rows = part_of(CLIP_ROWS, share), max(MIN_WEB_ROWS, part_of(WEB_ROWS, share))
    return measure_clip(models / "clip", rows=rows, web_rows=web_rows, progress=progress)


def heads_figures(models: Path, share: float, progress: str) -> dict[str, ShareEstimate]:
    """Return ``measure_heads`` of the demo's heads."""
    rows = part_of(HEADS_ROWS, share)
    return measure_heads(models / "clip", models / "heads", rows=rows, progress=progress)


def detector_figures(models: Path, share: float, progress: str) -> dict[str, ShareEstimate]:
    """Return ``measure_detector`` of the demo's detector."""
    with track("measure the detector", None, mode=progress, unit="pictures"):
        return measure_detector(models / "detector", rows=part_of(DETECTOR_ROWS, share))


def raw_figures(models: Path, share: float, progress: str) -> dict[str, ShareEstimate]:
    """Return ``measure_pipeline`` of the pipeline that learned from all of a demo web."""
    rows = part_of(PIPELINE_ROWS, share)
    return measure_pipeline(models / "demo-raw", models / "detector", rows=rows, progress=progress)


def curated_figures(models: Path, share: float, progress: str) -> dict[str, ShareEstimate]:
    """Return ``measure_pipeline`` of the pipeline that learned from what curation kept of it."""
    rows = part_of(PIPELINE_ROWS, share)
    return measure_pipeline(models / "demo-curated", models / "detector", rows=rows, progress=progress)


def part_of(examples: int, share: float) -> int:
    """Return a share of so many examples, at least 20 of them.

    >>> part_of(500, 0.1), part_of(500, 0.001)
    (50, 20)
    """
    return max(MIN_EXAMPLES, round(examples * share))
