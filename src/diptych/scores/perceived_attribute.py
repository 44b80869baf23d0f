"""Perceived attribute: which of a detector's attributes the person in a picture is seen with, for audits.

It says what a judge perceives, never what somebody is. In the drawn world the attribute is the colour of a doll's hat,
a neutral stand-in. A picture in which no attribute is seen is not counted for any: it has the reason ``none_detected``,
and an audit has to say how many of those there are. Decides nothing about shares, intervals or the judge's own errors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.errors import ConfigError
from diptych.judges.boxes import Detection, Detector, make_detector
from diptych.scores import Column, Reads
from diptych.scores.batches import Batch
from diptych.scores.object_accuracy import THRESHOLD, check_threshold

COLUMNS = (
    Column("attribute", "The attribute that the surest figure with one is seen with", dtype="string"),
    Column(
        "attribute_confidence",
        "How sure the detector is of that attribute, given that the figure is there",
        low=0.0,
        high=1.0,
    ),
    Column("attribute_class", "What that figure is: a label of the detector", dtype="string"),
)


@dataclass(frozen=True, eq=False)
class PerceivedAttribute:
    """What one detector sees of the surest figure with an attribute.

    Attributes:
        detector: What looks at the pictures.
        threshold: Figures that it is not surer of are not there.
    """

    detector: Detector
    threshold: float
    columns: tuple[Column, ...] = COLUMNS
    reads: frozenset[Reads] = frozenset({"pixels"})
    encoder: None = None

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, threshold and the detector's identity."""
        facts = {"score": "perceived_attribute", "version": 1, "threshold": self.threshold}
        return {**facts, "detector": dict(self.detector.identity)}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return attribute, confidence in [0, 1] and class; None, NaN and None where no attribute is seen."""
        attribute, label, reason = (np.full(len(batch), None, object) for _ in range(3))
        confidence = np.full(len(batch), np.nan, np.float32)
        for row, found in enumerate(batch.detections(self.detector)):
            if found is None:
                continue
            figure = self._surest(found)
            if figure is None:
                reason[row] = "none_detected"
            else:
                attribute[row], label[row], confidence[row] = figure.attribute, figure.label, figure.attribute_score
        values = {"attribute": attribute, "attribute_confidence": confidence, "attribute_class": label}
        return {**values, "reason": reason}

    def _surest(self, found: list[Detection]) -> Detection | None:
        seen = [one for one in found if one.attribute and one.score > self.threshold]
        return max(seen, key=lambda one: one.score, default=None)


def perceived_attribute(
    *, detector: str = "centre_point", detector_options: dict[str, Any] | None = None, threshold: float = THRESHOLD
) -> PerceivedAttribute:
    """Return the score; loads no model yet.

    Args:
        detector: A kind of ``judges.boxes.DETECTORS`` that sees attributes.
        detector_options: Its options, such as ``weights``.
        threshold: Figures that the detector is not surer of are not there, in [0, 1).

    Raises:
        ConfigError: If the detector or an option of it is wrong, it sees no attributes, or the threshold is out of
            range.
    """
    check_threshold(threshold, "score 'perceived_attribute': threshold")
    made = make_detector(detector, detector_options or {})
    if not made.attributes:
        raise ConfigError("score 'perceived_attribute': this detector sees no attributes; give it one that does")
    return PerceivedAttribute(made, threshold)
