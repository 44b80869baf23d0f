"""Whether a picture shows what its prompt asks for. As a judge sees it, by GenEval's rule.

The column ``checks`` of a row holds the objects that its prompt asks for, see ``diptych.data.checks``. The share of
right pictures is the metric; GenEval's own is the plain mean over its six categories. A row that asks for what the
judge does not know is not scored, rather than wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from diptych.data.checks import CHECKS, NOT_ASKED, Checks, read_checks
from diptych.errors import ConfigError
from diptych.judges.contract import COLOUR, Box, BoxJudge, RatingJudge
from diptych.judges.evidence import BOXES, RATINGS
from diptych.scores import Column
from diptych.scores.batches import Batch
from diptych.scores.geneval_rule import COUNTING_THRESHOLD, THRESHOLD, judge
from diptych.scores.judge_rule import JudgeRule, check_threshold
from diptych.scores.looks import AskedRows, Look, look_with, looks_for_any
from diptych.scores.object_decisions import ObjectDecisions, object_decisions

RULE, OTHER_RULE = "geneval", "geneval, with other thresholds"
UNKNOWN_CLASS = "unknown_class"  # the reason of a picture whose prompt names a class that the judge does not know

CORRECT = Column(
    "object_correct",
    "1 if everything that the prompt asks for is there, by GenEval's rule on a judge's boxes, else 0",
    low=0.0,
    high=1.0,
    better_for_data="higher",
    better_for_models="higher",
)
REASON = Column(
    "object_reason",
    "What is wrong first: missing, wrong_count, wrong_colour, wrong_position; empty if nothing is",
    dtype="string",
)
PROBLEM = Column(
    "object_problem", "What was expected and not found, in words; empty if nothing is wrong", dtype="string"
)
COLUMNS = (CORRECT, REASON, PROBLEM)


@dataclass(frozen=True, eq=False)
class ObjectAccuracy(JudgeRule[Box]):
    """GenEval's rule on one judge.

    Attributes:
        look: At the boxes of the judge.
        judge: Who looks at the pictures.
        threshold: What it is not surer of is not there.
        counting_threshold: The same where a prompt asks for an exact count.
    """

    judge: BoxJudge
    threshold: float
    counting_threshold: float
    columns: tuple[Column, ...] = COLUMNS

    score_name = "object_accuracy"
    version = 2

    @property
    def options(self) -> Mapping[str, Any]:
        """Thresholds, and whether with them the rule is GenEval's own."""
        thresholds = {"threshold": self.threshold, "counting_threshold": self.counting_threshold}
        is_theirs = (self.threshold, self.counting_threshold) == (THRESHOLD, COUNTING_THRESHOLD)
        return {"rule": RULE if is_theirs else OTHER_RULE, **thresholds}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of ``COLUMNS``; NaN and None where nothing can be judged."""
        correct = np.full(len(batch), np.nan, np.float32)
        wrong, problems, reasons = (np.full(len(batch), None, object) for _ in range(3))
        for row, checks, found in self.judged_rows(batch, self._why_not, reasons):
            threshold = self.counting_threshold if checks.is_counting else self.threshold
            wrong[row], problems[row] = judge(found, checks, threshold=threshold)
            correct[row] = wrong[row] == ""
        return {"object_correct": correct, "object_reason": wrong, "object_problem": problems, "reason": reasons}

    def _why_not(self, checks: Checks) -> str | None:
        """Return why objects cannot be judged whatever the picture, or None."""
        if not checks.has_objects:
            return NOT_ASKED
        if self.judge.labels is not None and not checks.labels <= set(self.judge.labels):
            return UNKNOWN_CLASS
        return None if checks.colours <= set(self.judge.traits.get(COLOUR, ())) else "unknown_colour"


@dataclass(frozen=True)
class CheckedLabels:
    """Asks a judge that finds any label for the classes that a row's prompt names."""

    identity: Mapping[str, Any] = field(default_factory=lambda: {"labels": CHECKS, "version": 1})

    def of(self, rows: AskedRows) -> list[Sequence[str]]:
        """Return the classes of each row, in the order of their names; none where it asks for none."""
        every = map(read_checks, rows.column(CHECKS))
        return [sorted(checks.labels) if checks else () for checks in every]


def look_for_boxes(judge: BoxJudge) -> Look[Box]:
    """Return a look at the boxes of a judge, which is asked for the classes of each row if it finds any label.

    Raises:
        ConfigError: If the judge finds no boxes.
    """
    return look_with(judge, BOXES, CheckedLabels() if looks_for_any(judge) else None)


def object_accuracy(
    *, judge: BoxJudge | RatingJudge, threshold: float = THRESHOLD, counting_threshold: float = COUNTING_THRESHOLD
) -> ObjectAccuracy | ObjectDecisions:
    """Return the score; loads no model yet.

    Args:
        judge: Finds boxes, and tells colours where prompts ask for some; or has decided elsewhere, without thresholds.
        threshold: What the judge is not surer of is not there, in [0, 1); GenEval has 0.3 for its own detector.
        counting_threshold: The same where a prompt asks for an exact count, for which GenEval has 0.9. Another detector
            may want other thresholds; the identity says then that the rule is not GenEval's own.

    Raises:
        ConfigError: If the judge neither finds boxes nor decided, or a threshold is out of range or of no use.
    """
    if hasattr(judge, RATINGS.name) and not hasattr(judge, BOXES.name):
        if (threshold, counting_threshold) != (THRESHOLD, COUNTING_THRESHOLD):
            raise ConfigError("score 'object_accuracy': what was decided elsewhere has no threshold; leave it out")
        return object_decisions(cast("RatingJudge", judge), (CORRECT, PROBLEM))
    detector = cast("BoxJudge", judge)
    look = look_for_boxes(detector)
    for name, value in (("threshold", threshold), ("counting_threshold", counting_threshold)):
        check_threshold(value, detector.least_score, f"score 'object_accuracy': {name}")
    return ObjectAccuracy(look, detector, threshold, counting_threshold)
