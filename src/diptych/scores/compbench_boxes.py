"""What T2I-CompBench's rules of places and of numbers have in common: which boxes count, in a picture of which size.

Decides nothing about what they are worth, see ``place_rule`` and ``count_rule``.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.data.checks import Checks
from diptych.judges.contract import Box, BoxJudge
from diptych.scores.batches import Batch
from diptych.scores.judge_rule import JudgeRule
from diptych.scores.place_rule import Counting

THRESHOLD = 0.5  # of upstream's detector
NO_SIZE = "no_size"


class SureBoxes(NamedTuple):
    """A row that can be judged: its number, what its prompt asks for, what is there, and the size of the picture."""

    number: int
    checks: Checks
    boxes: list[Box]
    size: tuple[int, int]


@dataclass(frozen=True, eq=False)
class CompbenchBoxes(JudgeRule[Box]):
    """A rule of T2I-CompBench on one judge of boxes.

    Attributes:
        look: At the boxes of the judge.
        judge: Who looks at the pictures.
        counting: Whether as upstream counts, or as it means to.
        threshold: What the judge is not surer of is not there.
    """

    judge: BoxJudge
    counting: Counting
    threshold: float

    @property
    def options(self) -> Mapping[str, Any]:
        """How it is counted, and the threshold."""
        return {"counting": self.counting, "threshold": self.threshold}

    def sure_boxes(
        self, batch: Batch, why_not: Callable[[Checks], str | None], reasons: npt.NDArray[np.object_]
    ) -> Iterator[SureBoxes]:
        """Yield the rows that can be judged, see ``judged_rows``; not those of which nobody knows the size."""
        sizes = list(zip(batch.column("width"), batch.column("height"), strict=True))
        for row, checks, found in self.judged_rows(batch, why_not, reasons):
            width, height = sizes[row]
            if not width or not height:
                reasons[row] = NO_SIZE
                continue
            yield SureBoxes(row, checks, [box for box in found if box.score > self.threshold], (width, height))

    def knows(self, name: str) -> bool:
        """Return whether the judge can find a class, as upstream counts under a label that contains its name too."""
        labels = self.judge.labels
        if labels is None:
            return True
        return name in labels or (self.counting == "official" and any(name in label for label in labels))
