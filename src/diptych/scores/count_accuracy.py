"""Whether things are there in their numbers. As a judge sees it, by T2I-CompBench's rule.

The column ``checks`` of a row holds the objects with their counts, see ``diptych.data.checks``; here a count is exact.
A row that asks for what the judge does not know is not scored.
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
from diptych.scores.count_rule import judge_counts
from diptych.scores.judge_rule import check_threshold
from diptych.scores.object_accuracy import UNKNOWN_CLASS, look_for_boxes
from diptych.scores.place_rule import Counting

COLUMNS = (
    Column(
        "count_accuracy",
        "Share of the named things that are there, half of it, and that are there in their number, the other half",
        low=0.0,
        high=1.0,
        better_for_data="higher",
        better_for_models="higher",
    ),
    Column("count_problem", "Which numbers are wrong, in words; empty if none is", dtype="string"),
)


@dataclass(frozen=True, eq=False)
class CountAccuracy(CompbenchBoxes):
    """The rule on one judge."""

    columns: tuple[Column, ...] = COLUMNS

    score_name = "count_accuracy"

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of ``COLUMNS``; NaN and None where nothing is numbered, or nothing can be judged."""
        values = np.full(len(batch), np.nan, np.float32)
        problems, reasons = (np.full(len(batch), None, object) for _ in range(2))
        for row, checks, boxes, size in self.sure_boxes(batch, self._why_not, reasons):
            values[row], problems[row] = judge_counts(boxes, checks.include, size, self.counting)
        return {"count_accuracy": values, "count_problem": problems, "reason": reasons}

    def _why_not(self, checks: Checks) -> str | None:
        if not checks.include:
            return NOT_ASKED
        return None if all(self.knows(one.label) for one in checks.include) else UNKNOWN_CLASS


def count_accuracy(*, judge: BoxJudge, counting: Counting = "corrected", threshold: float = THRESHOLD) -> CountAccuracy:
    """Return the score; loads no model yet.

    Args:
        judge: Finds boxes.
        counting: ``official`` as T2I-CompBench's scripts count, ``corrected`` as they mean to.
        threshold: What the judge is not surer of is not there, in [0, 1); upstream has 0.5 for UniDet.

    Raises:
        ConfigError: If the judge finds no boxes, or the threshold is out of range or of no use.
    """
    look = look_for_boxes(judge)
    check_threshold(threshold, judge.least_score, "score 'count_accuracy': threshold")
    return CountAccuracy(look, judge, counting, threshold)
