"""How well one thing lies to another as asked. As a judge sees it, by T2I-CompBench's rule.

The column ``checks`` of a row holds the relation, see ``diptych.data.checks``. What lies in front of another or behind
it takes a judge that also tells how near things are. A row that asks for what the judge does not know is not scored.
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
from diptych.scores.judge_rule import JudgeRule, check_threshold
from diptych.scores.looks import look_with, looks_for_any
from diptych.scores.object_accuracy import UNKNOWN_CLASS, CheckedLabels
from diptych.scores.place_rule import Counting, judge_place

THRESHOLD = 0.5  # of upstream's detector
NO_NEARNESS = "no_nearness"  # the reason of a picture of which nobody tells how near things are
NO_SIZE = "no_size"

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
class PlaceAccuracy(JudgeRule[Box]):
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

    score_name = "place_accuracy"

    @property
    def options(self) -> Mapping[str, Any]:
        """How it is counted, and the threshold."""
        return {"counting": self.counting, "threshold": self.threshold}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of ``COLUMNS``; NaN and None where no relation is asked for, or none can be judged."""
        values = np.full(len(batch), np.nan, np.float32)
        problems, reasons = (np.full(len(batch), None, object) for _ in range(2))
        boxes, sizes = batch.evidence(self.look), sizes_of(batch)
        for row, text in enumerate(batch.column(CHECKS)):
            checks, found = read_checks(text), boxes[row]
            reasons[row] = why_not_placed(checks, self.judge, self.counting)
            if checks is None or found is None or reasons[row]:
                continue
            if (size := sizes[row]) is None:
                reasons[row] = NO_SIZE
                continue
            sure = [box for box in found if box.score > self.threshold]
            placed = [judge_place(sure, relation, size, self.counting) for relation in checks.relations]
            known = [one.value for one in placed if one.value is not None]
            if len(known) < len(placed):
                reasons[row] = NO_NEARNESS
                continue
            values[row] = np.mean(known)
            problems[row] = "; ".join(filter(None, (one.words for one in placed)))
        return {"place_accuracy": values, "place_problem": problems, "reason": reasons}


def sizes_of(batch: Batch) -> list[tuple[int, int] | None]:
    """Return width and height of each picture; None where nobody knows."""
    sides = zip(batch.column("width"), batch.column("height"), strict=True)
    return [(width, height) if width and height else None for width, height in sides]


def why_not_placed(checks: Checks | None, judge: BoxJudge, counting: Counting) -> str | None:
    """Return why relations cannot be judged whatever the picture, or None."""
    if checks is None:
        return BAD_CHECKS
    if not checks.relations:
        return NOT_ASKED
    named = {name for one in checks.relations for name in (one.first, one.second)}
    return None if all(is_known(name, judge, counting) for name in named) else UNKNOWN_CLASS


def is_known(name: str, judge: BoxJudge, counting: Counting) -> bool:
    """Return whether a judge can find a class, as upstream counts under a label that contains its name too."""
    if judge.labels is None:
        return True
    return name in judge.labels or (counting == "official" and any(name in label for label in judge.labels))


def place_accuracy(*, judge: BoxJudge, counting: Counting = "corrected", threshold: float = THRESHOLD) -> PlaceAccuracy:
    """Return the score; loads no model yet.

    Args:
        judge: Finds boxes, and tells how near they are where prompts ask for it.
        counting: ``official`` as T2I-CompBench's scripts count, ``corrected`` as they mean to.
        threshold: What the judge is not surer of is not there, in [0, 1); upstream has 0.5 for UniDet.

    Raises:
        ConfigError: If the judge finds no boxes, or the threshold is out of range or of no use.
    """
    look = look_with(judge, BOXES, CheckedLabels() if looks_for_any(judge) else None)
    check_threshold(threshold, judge.least_score, "score 'place_accuracy': threshold")
    return PlaceAccuracy(look, judge, counting, threshold)
