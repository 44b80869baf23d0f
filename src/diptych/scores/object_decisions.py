"""Whether a picture shows what its prompt asks for, as it was decided elsewhere by GenEval's rule.

The decisions of GenEval's own program come by import; no rule is run again, and no threshold can be another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.data.checks import NOT_ASKED, Checks
from diptych.errors import ConfigError
from diptych.judges.contract import Rating, RatingJudge
from diptych.judges.evidence import RATINGS
from diptych.scores import Column
from diptych.scores.batches import Batch
from diptych.scores.judge_rule import JudgeRule
from diptych.scores.looks import look_with

RULE = "geneval, decided elsewhere"
SCALE = (0.0, 1.0)


@dataclass(frozen=True, eq=False)
class ObjectDecisions(JudgeRule[Rating]):
    """The decisions of one judge.

    Attributes:
        look: At its ratings: 1 for right, 0 for wrong.
        columns: Those of ``object_accuracy`` that a decision has.
    """

    columns: tuple[Column, ...]

    score_name = "object_accuracy"
    version = 2

    @property
    def options(self) -> Mapping[str, Any]:
        """Whose rule it was."""
        return {"rule": RULE}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return ``object_correct`` in {0, 1} and ``object_problem`` in the words of who decided.

        Of several decisions about one picture more than half have to be for it.
        """
        correct = np.full(len(batch), np.nan, np.float32)
        words, reasons = np.full(len(batch), None, object), np.full(len(batch), None, object)
        for row, _, said in self.judged_rows(batch, _no_objects, reasons):
            if said:
                correct[row] = np.mean([one.value for one in said]) > 0.5
                words[row] = next((one.note for one in said if one.note), "")
        return {"object_correct": correct, "object_problem": words, "reason": reasons}


def _no_objects(checks: Checks) -> str | None:
    return None if checks.has_objects else NOT_ASKED


def object_decisions(judge: RatingJudge, columns: tuple[Column, ...]) -> ObjectDecisions:
    """Return the score of a judge that decided.

    Raises:
        ConfigError: If what it says is no decision.
    """
    if tuple(judge.scale) != SCALE:
        low, high = judge.scale
        raise ConfigError(
            f"score 'object_accuracy': judge {judge.identity['judge']!r} rates from {low:g} to {high:g}, and a "
            f"decision is from 0 to 1: score its ratings with 'rating'"
        )
    return ObjectDecisions(look_with(judge, RATINGS), columns)
