"""How likely a judge finds right answers: Soft-TIFA.

Of each question it is the probability of its right answer. Their arithmetic mean says which share of the prompt a
picture shows, their geometric mean whether it shows all of it. Source: Kamath et al. 2025 (arXiv 2512.16853),
``evaluation.py`` of facebookresearch/GenEval2 at a6e82d2.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.data.checks import Question
from diptych.judges.contract import Answer, AnswerJudge
from diptych.judges.evidence import ANSWERS
from diptych.scores import Column
from diptych.scores.batches import Batch
from diptych.scores.judge_rule import JudgeRule
from diptych.scores.looks import look_with
from diptych.scores.question_accuracy import OUTCOMES, REASON, AskedQuestions, nothing_asked
from diptych.scores.question_rule import outcomes_text

NO_PROBABILITY = "no_probability"  # the state of an answer of which nobody told how likely it was
COLUMNS = (
    Column(
        "soft_accuracy",
        "Mean probability of the right answers to the prompt's questions, of those that were answered",
        low=0.0,
        high=1.0,
        better_for_data="higher",
        better_for_models="higher",
    ),
    Column(
        "soft_accuracy_of_all",
        "Geometric mean of the same: low where one of them is",
        low=0.0,
        high=1.0,
        better_for_data="higher",
        better_for_models="higher",
    ),
    Column(OUTCOMES, "Probability of the right answer to each question, or why there is none", dtype="string"),
)


@dataclass(frozen=True, eq=False)
class SoftAccuracy(JudgeRule[Answer]):
    """The rule on one judge.

    Attributes:
        look: At its answers.
    """

    columns: tuple[Column, ...] = COLUMNS

    score_name = "soft_accuracy"

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of ``COLUMNS``; NaN and None where nothing is asked, or nothing was answered."""
        mean, of_all = (np.full(len(batch), np.nan, np.float32) for _ in range(2))
        outcomes, reasons = (np.full(len(batch), None, object) for _ in range(2))
        for row, checks, said in self.judged_rows(batch, nothing_asked, reasons):
            told = [_likely(question, answer) for question, answer in zip(checks.questions, said, strict=True)]
            states = [answer.state or NO_PROBABILITY for answer in said]
            outcomes[row] = outcomes_text(told, states)
            known = np.array([value for value in told if value is not None])
            if not len(known):
                reasons[row] = REASON
                continue
            mean[row] = known.mean()
            of_all[row] = np.exp(np.log(known).mean()) if known.all() else 0.0
        return {"soft_accuracy": mean, "soft_accuracy_of_all": of_all, OUTCOMES: outcomes, "reason": reasons}


def _likely(question: Question, answer: Answer) -> float | None:
    """Return the probability of the right answer; None where nobody tells."""
    if answer.state or question.answer not in answer.choices:
        return None
    return answer.probabilities[answer.choices.index(question.answer)]


def soft_accuracy(*, judge: AnswerJudge) -> SoftAccuracy:
    """Return the score; loads no model yet.

    Args:
        judge: Answers questions, and says how likely each choice is.

    Raises:
        ConfigError: If the judge answers no questions.
    """
    return SoftAccuracy(look_with(judge, ANSWERS, AskedQuestions()))
