"""How well one thing lies to another as asked. As a judge sees it, by T2I-CompBench's rule.

The column ``checks`` of a row holds the relation, see ``diptych.data.checks``. What lies in front of another or behind
it takes a judge that also tells how near things are. A row that asks for what the judge does not know is not scored.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.data.checks import NOT_ASKED, Checks
from diptych.judges.contract import BoxJudge
from diptych.scores import Column
from diptych.scores.batches import Batch
from diptych.scores.compbench_boxes import THRESHOLD, CompbenchBoxes
from diptych.scores.judge_rule import check_threshold
from diptych.scores.object_accuracy import UNKNOWN_CLASS, look_for_boxes
from diptych.scores.place_rule import Counting, judge_place

NO_NEARNESS = "no_nearness"  # the reason of a picture of which nobody tells how near things are

COLUMNS = (
    Column(
        "place_accuracy",
        "A quarter of how sure the judge is of each of two things, and half of how well they lie to each other",
        low=0.0,
        high=1.0,
        better_for_data="higher",
        better_for_models="higher",
    ),
    Column("place_problem", "What is missing, or how far the place is not so; empty if nothing is", dtype="string"),
)


@dataclass(frozen=True, eq=False)
class PlaceAccuracy(CompbenchBoxes):
    """The rule on one judge."""

    columns: tuple[Column, ...] = COLUMNS

    score_name = "place_accuracy"
    version = 3

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of ``COLUMNS``; NaN and None where no relation is asked for, or none can be judged."""
        values = np.full(len(batch), np.nan, np.float32)
        problems, reasons = (np.full(len(batch), None, object) for _ in range(2))
        for row, checks, boxes, size in self.sure_boxes(batch, self._why_not, reasons):
            placed = [judge_place(boxes, relation, size, self.counting) for relation in checks.relations]
            known = [one.value for one in placed if one.value is not None]
            if len(known) < len(placed):
                reasons[row] = NO_NEARNESS
                continue
            values[row] = np.mean(known)
            problems[row] = "; ".join(filter(None, (one.words for one in placed)))
        return {"place_accuracy": values, "place_problem": problems, "reason": reasons}

    def _why_not(self, checks: Checks) -> str | None:
        if not checks.relations:
            return NOT_ASKED
        named = {name for one in checks.relations for name in (one.first, one.second)}
        return None if all(map(self.knows, named)) else UNKNOWN_CLASS


def place_accuracy(*, judge: BoxJudge, counting: Counting = "corrected", threshold: float = THRESHOLD) -> PlaceAccuracy:
    """Return the score; loads no model yet.

    Args:
        judge: Finds boxes, and tells how near they are where prompts ask for it.
        counting: ``official`` as T2I-CompBench's scripts count, ``corrected`` as they mean to.
        threshold: What the judge is not surer of is not there, in [0, 1); upstream has 0.5 for UniDet.

    Raises:
        ConfigError: If the judge finds no boxes, or the threshold is out of range or of no use.
    """
    look = look_for_boxes(judge)
    check_threshold(threshold, judge.least_score, "score 'place_accuracy': threshold")
    return PlaceAccuracy(look, judge, counting, threshold)
