"""Object accuracy: whether a picture shows what its prompt asks for, as a detector sees it, by GenEval's rule.

The column ``checks`` of a row holds the objects that its prompt asks for, see ``diptych.data.checks``. The share of
right pictures is the metric; GenEval's own is the plain mean over its six categories. A row that asks for what the
detector does not know is not scored, rather than wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.data.checks import CHECKS, NOT_ASKED, Checks, read_checks
from diptych.errors import ConfigError
from diptych.judges.boxes import Detector, make_detector
from diptych.scores import Column, Reads
from diptych.scores.batches import Batch
from diptych.scores.geneval_rule import judge

# What the detector of the drawn world finds with a lower score is mostly not there.
THRESHOLD = 0.3

COLUMNS = (
    Column(
        "object_correct",
        "1 if everything that the prompt asks for is there, by GenEval's rule on a detector's boxes, else 0",
        low=0.0,
        high=1.0,
        better_for_data="higher",
        better_for_models="higher",
    ),
    Column(
        "object_reason",
        "What is wrong first: missing, wrong_count, wrong_colour, wrong_position; empty if nothing is",
        dtype="string",
    ),
)


@dataclass(frozen=True, eq=False)
class ObjectAccuracy:
    """GenEval's rule on one detector.

    Attributes:
        detector: What looks at the pictures.
        threshold: What it is not surer of is not there.
        counting_threshold: The same where a prompt asks for an exact count.
    """

    detector: Detector
    threshold: float
    counting_threshold: float
    columns: tuple[Column, ...] = COLUMNS
    reads: frozenset[Reads] = frozenset({"pixels"})
    encoder: None = None

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, thresholds and the detector's identity."""
        thresholds = {"threshold": self.threshold, "counting_threshold": self.counting_threshold}
        facts = {"score": "object_accuracy", "version": 1, "rule": "geneval", **thresholds}
        return {**facts, "detector": dict(self.detector.identity)}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return ``object_correct`` in {0, 1} and ``object_reason``; NaN and None where nothing can be judged."""
        correct = np.full(len(batch), np.nan, np.float32)
        verdicts, reasons = np.full(len(batch), None, object), np.full(len(batch), None, object)
        detections = batch.detections(self.detector)
        for row, text in enumerate(batch.column(CHECKS)):
            checks = read_checks(text)
            reasons[row] = self._why_not(checks)
            found = detections[row]
            if checks is None or found is None or reasons[row]:
                continue
            threshold = self.counting_threshold if checks.is_counting else self.threshold
            verdicts[row] = judge(found, checks, threshold=threshold)
            correct[row] = verdicts[row] == ""
        return {"object_correct": correct, "object_reason": verdicts, "reason": reasons}

    def _why_not(self, checks: Checks | None) -> str | None:
        """Return why objects cannot be judged whatever the picture, or None."""
        if checks is None:
            return "bad_checks"
        if not checks.has_objects:
            return NOT_ASKED
        if not checks.labels <= set(self.detector.labels):
            return "unknown_class"
        return None if checks.colours <= set(self.detector.colours) else "unknown_colour"


def object_accuracy(
    *,
    detector: str = "centre_point",
    detector_options: dict[str, Any] | None = None,
    threshold: float = THRESHOLD,
    counting_threshold: float | None = None,
) -> ObjectAccuracy:
    """Return the score; loads no model yet.

    Args:
        detector: A kind of ``judges.boxes.DETECTORS``.
        detector_options: Its options, such as ``weights``.
        threshold: What the detector is not surer of is not there, in [0, 1); GenEval has 0.3 for its own detector.
        counting_threshold: The same where a prompt asks for an exact count, for which GenEval has 0.9; None takes
            ``threshold``.

    Raises:
        ConfigError: If the detector or an option of it is wrong, or a threshold out of range.
    """
    for name, value in (("threshold", threshold), ("counting_threshold", counting_threshold)):
        check_threshold(value, f"score 'object_accuracy': {name}")
    counting = threshold if counting_threshold is None else counting_threshold
    return ObjectAccuracy(make_detector(detector, detector_options or {}), threshold, counting)


def check_threshold(value: float | None, where: str) -> None:
    """Raise if a threshold is out of range.

    Raises:
        ConfigError: If it is not in [0, 1).
    """
    if value is not None and not 0.0 <= value < 1.0:
        raise ConfigError(f"{where}: a threshold is at least 0 and below 1, not {value}")
