"""Every figure of the models that diptych brings along, by one command: which model is measured by what.

Runs the measurements and names their figures ``<model>.<figure>``; what a figure means is said where it is measured.
"""

from collections.abc import Callable
from pathlib import Path

from diptych.demo.detector_quality import ROWS as DETECTOR_ROWS
from diptych.demo.detector_quality import measure_detector
from diptych.demo.pipeline_quality import ROWS as PIPELINE_ROWS
from diptych.demo.pipeline_quality import measure_pipeline
from diptych.demo.quality import RECALL_ROWS, SPECIMEN_ROWS, WEB_ROWS, measure_clip, measure_heads
from diptych.errors import ConfigError
from diptych.intervals import Figure
from diptych.lookup import import_attribute
from diptych.progress import track

MODELS = Path(__file__).parent / "models"
MIN_EXAMPLES = 20
MIN_WEB_ROWS = 200  # below it few captions are mismatched

# What measures which model. To add one: a function that takes the share of the usual number of examples and a display
# mode and returns figures by name, a line here.
MEASUREMENTS: dict[str, str] = {
    "clip": "diptych.demo.quality_report:clip_figures",
    "heads": "diptych.demo.quality_report:heads_figures",
    "detector": "diptych.demo.quality_report:detector_figures",
    "demo-raw": "diptych.demo.quality_report:raw_figures",
    "demo-curated": "diptych.demo.quality_report:curated_figures",
}


def measure_all(*, share: float = 1.0, progress: str = "none") -> dict[str, Figure]:
    """Measure the models of ``MEASUREMENTS`` on scenes that nothing was trained on.

    Args:
        share: Of the usual number of examples, above 0 and at most 1; fewer give wider intervals sooner.
        progress: Display mode, see ``diptych.progress``.

    Returns:
        Figures under ``<model>.<figure>``, in the order of the table.

    Raises:
        ConfigError: If the share is outside (0, 1].
        DataError: If a model cannot be read.
    """
    if not 0.0 < share <= 1.0:
        raise ConfigError(f"a share of the examples is above 0 and at most 1, not {share}")
    figures: dict[str, Figure] = {}
    for model, target in MEASUREMENTS.items():
        measure: Callable[[float, str], dict[str, Figure]] = import_attribute(target)
        figures |= {f"{model}.{name}": figure for name, figure in measure(share, progress).items()}
    return figures


def clip_figures(share: float, progress: str) -> dict[str, Figure]:
    """Return ``measure_clip`` of the demo's CLIP."""
    rows, web_rows = part_of(RECALL_ROWS, share), max(MIN_WEB_ROWS, part_of(WEB_ROWS, share))
    return measure_clip(MODELS / "clip", rows=rows, web_rows=web_rows, progress=progress)


def heads_figures(share: float, progress: str) -> dict[str, Figure]:
    """Return ``measure_heads`` of the demo's heads."""
    rows = part_of(SPECIMEN_ROWS, share)
    return measure_heads(MODELS / "clip", MODELS / "heads", rows=rows, progress=progress)


def detector_figures(share: float, progress: str) -> dict[str, Figure]:
    """Return ``measure_detector`` of the demo's detector."""
    with track("measure the detector", None, mode=progress, unit="pictures"):
        return measure_detector(MODELS / "detector", rows=part_of(DETECTOR_ROWS, share))


def raw_figures(share: float, progress: str) -> dict[str, Figure]:
    """Return ``measure_pipeline`` of the pipeline that learned from all of a demo web."""
    rows = part_of(PIPELINE_ROWS, share)
    return measure_pipeline(MODELS / "demo-raw", MODELS / "detector", rows=rows, progress=progress)


def curated_figures(share: float, progress: str) -> dict[str, Figure]:
    """Return ``measure_pipeline`` of the pipeline that learned from what curation kept of it."""
    rows = part_of(PIPELINE_ROWS, share)
    return measure_pipeline(MODELS / "demo-curated", MODELS / "detector", rows=rows, progress=progress)


def part_of(examples: int, share: float) -> int:
    """Return a share of so many examples, at least 20 of them.

    >>> part_of(500, 0.1), part_of(500, 0.001)
    (50, 20)
    """
    return max(MIN_EXAMPLES, round(examples * share))
