"""VQAScore: how likely a judge says yes to the prompt.

The question is ``Does this figure show "{}"? Please answer Yes or No.`` with the caption in the gap, and the score is
the probability of Yes as the judge has it (Lin et al. 2024, arXiv 2404.01291; the words are those of t2v_metrics 3.1).
It is a number of its judge: those of two judges, or of two ways to put the question, are not to be compared. Published
ones are mostly by CLIP-FlanT5, which transformers does not have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.errors import ConfigError
from diptych.judges.contract import Answer, AnswerJudge, Query
from diptych.judges.evidence import ANSWERS
from diptych.scores import Column
from diptych.scores.batches import Batch, without_caption
from diptych.scores.judge_rule import JudgeRule
from diptych.scores.looks import AskedRows, look_with

GAP = "{}"
QUESTION = 'Does this figure show "{}"? Please answer Yes or No.'
CHOICES = ("Yes", "No")
COLUMNS = (
    Column(
        "vqa_score",
        "Probability of Yes to the question whether the picture shows its caption, by the judge",
        low=0.0,
        high=1.0,
        better_for_data="higher",
        better_for_models="higher",
    ),
)


@dataclass(frozen=True)
class AskedCaption:
    """Asks of each row whether it shows its caption.

    Attributes:
        question: With a gap for the caption.
        choices: What may be said, the first of which agrees.
    """

    question: str
    choices: tuple[str, ...]

    @property
    def identity(self) -> Mapping[str, Any]:
        """The question and its choices."""
        return {"question": self.question, "gap": "caption", "choices": list(self.choices)}

    def of(self, rows: AskedRows) -> list[Sequence[Query]]:
        """Return the question for each row; none where there is no caption."""
        return [() if caption is None else (self.about(caption),) for caption in rows.captions]

    def about(self, caption: str) -> Query:
        """Return the question about a caption."""
        return Query(self.question.replace(GAP, caption), self.choices)


CAPTION_ASKED = AskedCaption(QUESTION, CHOICES)  # as the score asks where nothing else is said


@dataclass(frozen=True, eq=False)
class VqaScore(JudgeRule[Answer]):
    """The probability of the first choice by one judge."""

    columns: tuple[Column, ...] = COLUMNS

    score_name = "vqa_score"

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return ``vqa_score``, float32 (N,) in [0, 1]; NaN without a caption, and where the judge has no answer."""
        values = np.full(len(batch), np.nan, np.float32)
        reasons = without_caption(batch.captions)
        for row, said in enumerate(batch.evidence(self.look)):
            for answer in said or ():  # to one question
                if answer.state:
                    reasons[row] = answer.state
                else:
                    values[row] = answer.probabilities[0]
        return {"vqa_score": values, "reason": reasons}


def vqa_score(*, judge: AnswerJudge, question: str = QUESTION, choices: list[str] | None = None) -> VqaScore:
    """Return the score; loads no model yet.

    Args:
        judge: Answers questions.
        question: With a gap ``{}`` for the caption.
        choices: What may be said, two or more, the first of which agrees; None is ``Yes`` and ``No``.

    Raises:
        ConfigError: If the judge answers no questions, the question has no gap, or the choices are fewer than two or
            not different.
    """
    if GAP not in question:
        raise ConfigError(f"score 'vqa_score': question: {question!r} has no gap {GAP} for the caption")
    said = CHOICES if choices is None else tuple(choices)
    if len(set(said)) < max(len(said), 2):
        raise ConfigError(f"score 'vqa_score': choices are two or more different answers, not {choices}")
    return VqaScore(look_with(judge, ANSWERS, AskedCaption(question, said)))
