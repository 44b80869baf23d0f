"""How likely a judge says yes to every noun phrase. The product, as T2I-CompBench has it of BLIP-VQA.

Each phrase of a prompt is a question (``a red car?``) of the column ``checks``, and worth yes / (yes + no). Source:
``BLIPvqa_eval/BLIP_vqa.py`` of Karine-Huang/T2I-CompBench at 1b70949 (Huang et al. 2023, arXiv 2307.06350, section
4.1). ``official`` rounds each, and the product, to four digits, as the files between upstream's scripts do, and asks of
no phrase behind the eighth; ``corrected`` does neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.data.checks import NO, YES
from diptych.judges.contract import Answer, AnswerJudge
from diptych.judges.evidence import ANSWERS
from diptych.scores import Column
from diptych.scores.batches import Batch
from diptych.scores.judge_rule import JudgeRule
from diptych.scores.looks import look_with
from diptych.scores.place_rule import Counting
from diptych.scores.question_accuracy import OUTCOMES, AskedQuestions, nothing_asked
from diptych.scores.question_rule import outcomes_text
from diptych.scores.soft_accuracy import NO_PROBABILITY

MOST_PHRASES = 8  # of which upstream asks
DIGITS = 4
PHRASE_UNANSWERED = "phrase_unanswered"  # the reason of a picture: one phrase without an answer, and no product
COLUMNS = (
    Column(
        "phrase_product",
        "Product over the prompt's noun phrases of the probability of yes against no, by the judge",
        low=0.0,
        high=1.0,
        better_for_data="higher",
        better_for_models="higher",
    ),
    Column(OUTCOMES, "Probability of yes against no for each phrase, or why there is none", dtype="string"),
)


@dataclass(frozen=True, eq=False)
class PhraseProduct(JudgeRule[Answer]):
    """The rule on one judge.

    Attributes:
        look: At its answers.
        counting: Whether as upstream counts, or as it means to.
    """

    counting: Counting
    columns: tuple[Column, ...] = COLUMNS

    score_name = "phrase_product"

    @property
    def options(self) -> Mapping[str, Any]:
        """How it is counted."""
        return {"counting": self.counting}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of ``COLUMNS``; NaN where there is no phrase, or one that counts has no answer."""
        values = np.full(len(batch), np.nan, np.float32)
        outcomes, reasons = (np.full(len(batch), None, object) for _ in range(2))
        for row, _, said in self.judged_rows(batch, nothing_asked, reasons):
            told = [self._rounded(yes_against_no(one)) for one in said]
            outcomes[row] = outcomes_text(told, [one.state or NO_PROBABILITY for one in said])
            counted = told[:MOST_PHRASES] if self.counting == "official" else told
            known = [value for value in counted if value is not None]
            if len(known) < len(counted):
                reasons[row] = PHRASE_UNANSWERED
                continue
            values[row] = self._rounded(prod(known))
        return {"phrase_product": values, OUTCOMES: outcomes, "reason": reasons}

    def _rounded(self, value: float | None) -> float | None:
        return value if value is None or self.counting == "corrected" else round(value, DIGITS)


def yes_against_no(answer: Answer) -> float | None:
    """Return how likely yes is of yes and no, in [0, 1]; None where nobody tells, or neither is likely at all.

    >>> yes_against_no(Answer("a cat?", ("yes", "no"), (0.5, 0.5), "yes"))
    0.5
    """
    if answer.state or not {YES, NO} <= set(answer.choices):
        return None
    yes, no = (answer.probabilities[answer.choices.index(word)] for word in (YES, NO))
    return yes / (yes + no) if yes + no else None


def phrase_product(*, judge: AnswerJudge, counting: Counting = "corrected") -> PhraseProduct:
    """Return the score; loads no model yet.

    Args:
        judge: Answers questions, and says how likely yes and no are.
        counting: ``official`` as T2I-CompBench's scripts count, ``corrected`` without their rounding and limit.

    Raises:
        ConfigError: If the judge answers no questions.
    """
    return PhraseProduct(look_with(judge, ANSWERS, AskedQuestions()), counting)
