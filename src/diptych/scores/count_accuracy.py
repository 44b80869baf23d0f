"""Whether things are there in their numbers. As a judge sees it, by T2I-CompBench's rule.

The column ``checks`` of a row holds the objects with their counts, see ``diptych.data.checks``; here a count is exact.
A row that asks for what the judge does not know is not scored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.data.checks import BAD_CHECKS, CHECKS, NOT_ASKED, Checks, read_checks
from diptych.judges.contract import Box, BoxJudge
from diptych.judges.evidence import BOXES
from diptych.scores import Column
from diptych.scores.batches import Batch
from diptych.scores.count_rule import judge_counts
from diptych.scores.judge_rule import JudgeRule, check_threshold
from diptych.scores.looks import look_with, looks_for_any
from diptych.scores.object_accuracy import UNKNOWN_CLASS, CheckedLabels
from diptych.scores.place_accuracy import NO_SIZE, THRESHOLD, is_known, sizes_of
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
class CountAccuracy(JudgeRule[Box]):
    """The rule on one judge.

    Attributes:
        look: At the boxes of the judge.
        judge: Who looks at the pictures.
        counting: Whether as upstream counts, or as it means to.
        threshold: What the judge is not surer of is not there.
    """

    judge: BoxJudge
    counting: Counting
    threshold: float
    columns: tuple[Column, ...] = COLUMNS

    score_name = "count_accuracy"

    @property
    def options(self) -> Mapping[str, Any]:
        """How it is counted, and the threshold."""
        return {"counting": self.counting, "threshold": self.threshold}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of ``COLUMNS``; NaN and None where nothing is numbered, or nothing can be judged."""
        values = np.full(len(batch), np.nan, np.float32)
        problems, reasons = (np.full(len(batch), None, object) for _ in range(2))
        boxes, sizes = batch.evidence(self.look), sizes_of(batch)
        for row, text in enumerate(batch.column(CHECKS)):
            checks, found = read_checks(text), boxes[row]
            reasons[row] = self._why_not(checks)
            if checks is None or found is None or reasons[row]:
                continue
            if (size := sizes[row]) is None:
                reasons[row] = NO_SIZE
                continue
            sure = [box for box in found if box.score > self.threshold]
            values[row], problems[row] = judge_counts(sure, checks.include, size, self.counting)
        return {"count_accuracy": values, "count_problem": problems, "reason": reasons}

    def _why_not(self, checks: Checks | None) -> str | None:
        if checks is None:
            return BAD_CHECKS
        if not checks.include:
            return NOT_ASKED
        known = (is_known(one.label, self.judge, self.counting) for one in checks.include)
        return None if all(known) else UNKNOWN_CLASS


def count_accuracy(*, judge: BoxJudge, counting: Counting = "corrected", threshold: float = THRESHOLD) -> CountAccuracy:
    """Return the score; loads no model yet.

    Args:
        judge: Finds boxes.
        counting: ``official`` as T2I-CompBench's scripts count, ``corrected`` as they mean to.
        threshold: What the judge is not surer of is not there, in [0, 1); upstream has 0.5 for UniDet.

    Raises:
        ConfigError: If the judge finds no boxes, or the threshold is out of range or of no use.
    """
    look = look_with(judge, BOXES, CheckedLabels() if looks_for_any(judge) else None)
    check_threshold(threshold, judge.least_score, "score 'count_accuracy': threshold")
    return CountAccuracy(look, judge, counting, threshold)
