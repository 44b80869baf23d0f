"""How good a picture is to those who rated it.

The mean of their numbers, how many they are, and how far they are apart. People rated elsewhere, see ``diptych evaluate
import-evidence``; a label that is right or wrong is a rating from 0 to 1. Decides nothing about who is to be believed:
every rater counts alike.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.judges.contract import Rating, RatingJudge
from diptych.judges.evidence import RATINGS
from diptych.scores import Column
from diptych.scores.batches import Batch
from diptych.scores.judge_rule import JudgeRule
from diptych.scores.looks import look_with


@dataclass(frozen=True, eq=False)
class RatingScore(JudgeRule[Rating]):
    """The ratings of one judge.

    Attributes:
        look: At its ratings.
        scale: The least and the most that one can be.
    """

    scale: tuple[float, float]

    score_name = "rating"

    @property
    def columns(self) -> tuple[Column, ...]:
        """``rating``, ``raters`` and ``rating_sd``."""
        low, high = self.scale
        said = f"Mean of the raters' numbers from {low:g} to {high:g}"
        better: dict[str, Any] = {"better_for_data": "higher", "better_for_models": "higher"}
        return (
            Column("rating", said, unit=f"from {low:g} to {high:g}", low=low, high=high, **better),
            Column("raters", "Number of ratings of the picture", low=0.0),
            Column("rating_sd", "Standard deviation of the ratings of one picture, of two or more (n - 1)", low=0.0),
        )

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the columns, float32 (N,); NaN where nobody rated, and ``rating_sd`` where only one did."""
        values = {column.name: np.full(len(batch), np.nan, np.float32) for column in self.columns}
        for row, said in enumerate(batch.evidence(self.look)):
            if not said:
                continue
            numbers = np.array([one.value for one in said])
            values["rating"][row] = numbers.mean()
            values["raters"][row] = len(numbers)
            if len(numbers) > 1:
                values["rating_sd"][row] = numbers.std(ddof=1)
        return values


def rating(*, judge: RatingJudge) -> RatingScore:
    """Return the score; loads no model.

    Args:
        judge: Rates images, such as an ``imported`` one.

    Raises:
        ConfigError: If the judge rates nothing.
    """
    return RatingScore(look_with(judge, RATINGS), judge.scale)
