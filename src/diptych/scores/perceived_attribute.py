"""Which value of a trait a person is seen with. For audits.

It says what a judge perceives, never what somebody is. In the drawn world the trait is the colour of a doll's hat, a
neutral stand-in. A picture in which no value is seen is not counted for any: it has the reason ``none_detected``, and
an audit has to say how many of those there are. Decides nothing about shares, intervals or the judge's own errors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.errors import ConfigError
from diptych.judges.contract import Box, BoxJudge, Trait
from diptych.judges.evidence import BOXES
from diptych.lookup import describe_unknown
from diptych.scores import Column
from diptych.scores.batches import Batch
from diptych.scores.geneval_rule import THRESHOLD
from diptych.scores.judge_rule import JudgeRule, check_threshold
from diptych.scores.looks import look_with

TRAIT = "attribute"
LIKELY = 0.5
COLUMNS = (
    Column("attribute", "The value of a trait that the surest figure with one is seen with", dtype="string"),
    Column(
        "attribute_confidence", "How sure the judge is of that value, given that the figure is there", low=0.0, high=1.0
    ),
    Column("attribute_class", "What that figure is: a label of the judge", dtype="string"),
)


class SeenTrait(NamedTuple):
    """A thing in a picture, and the likeliest value of one of its traits."""

    thing: Box
    trait: Trait


@dataclass(frozen=True, eq=False)
class PerceivedAttribute(JudgeRule[Box]):
    """What one judge sees of the surest figure with a value of a trait.

    Attributes:
        look: At the boxes of the judge.
        trait: What of its figures is wanted.
        threshold: Figures that the judge is not surer of are not there.
        trait_threshold: A value that the judge is not surer of is none.
    """

    trait: str
    threshold: float
    trait_threshold: float
    columns: tuple[Column, ...]

    score_name = "perceived_attribute"
    version = 2

    @property
    def options(self) -> Mapping[str, Any]:
        """Trait and thresholds."""
        return {"trait": self.trait, "threshold": self.threshold, "trait_threshold": self.trait_threshold}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return value, confidence in [0, 1] and class; None, NaN and None where no value is seen."""
        attribute, label, reason = (np.full(len(batch), None, object) for _ in range(3))
        confidence = np.full(len(batch), np.nan, np.float32)
        for row, found in enumerate(batch.evidence(self.look)):
            if found is None:
                continue
            seen = surest_trait(found, self.trait, threshold=self.threshold, trait_threshold=self.trait_threshold)
            if seen is None:
                reason[row] = "none_detected"
            else:
                attribute[row], label[row], confidence[row] = seen.trait.value, seen.thing.label, seen.trait.probability
        values = {"attribute": attribute, "attribute_confidence": confidence, "attribute_class": label}
        return {**values, "reason": reason}


def surest_trait(
    found: Sequence[Box], trait: str, *, threshold: float = THRESHOLD, trait_threshold: float = LIKELY
) -> SeenTrait | None:
    """Return the surest thing with a value of a trait, and that value; None where there is none.

    Args:
        found: What is in a picture, in any order.
        trait: The trait.
        threshold: Things that the judge is not surer of are not there.
        trait_threshold: A value that the judge is not surer of is none.
    """
    likeliest = ((thing, thing.likeliest(trait)) for thing in found if thing.score > threshold)
    seen = [SeenTrait(thing, value) for thing, value in likeliest if value and value.probability > trait_threshold]
    return max(seen, key=lambda one: one.thing.score, default=None)


def perceived_attribute(
    *, judge: BoxJudge, trait: str = TRAIT, threshold: float = THRESHOLD, trait_threshold: float = LIKELY
) -> PerceivedAttribute:
    """Return the score; loads no model yet.

    Args:
        judge: Finds figures and tells the trait of them.
        trait: A trait that the judge tells.
        threshold: Figures that the judge is not surer of are not there, in [0, 1).
        trait_threshold: A value that the judge is not surer of is none, in [0, 1).

    Raises:
        ConfigError: If the judge finds no boxes or does not tell the trait, or a threshold is out of range.
    """
    look = look_with(judge, BOXES)
    check_threshold(threshold, judge.least_score, "score 'perceived_attribute': threshold")
    check_threshold(trait_threshold, 0.0, "score 'perceived_attribute': trait_threshold")
    if trait not in judge.traits:
        told = describe_unknown("trait", trait, judge.traits) if judge.traits else "it tells no traits"
        raise ConfigError(f"score 'perceived_attribute': this judge does not fit: {told}")
    words = {"attribute": judge.traits[trait], "attribute_class": judge.labels or ()}
    columns = tuple(replace(column, words=words.get(column.name, ())) for column in COLUMNS)
    return PerceivedAttribute(look, trait, threshold, trait_threshold, columns)
