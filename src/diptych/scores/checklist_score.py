"""How little of a checklist is wrong in a picture. Each wrong answer takes a fixed part away, down to nothing.

max(0, 1 - penalty x errors) over all questions of the prompt or those of a tag, as BizGenEval counts. Source:
``evaluation/summarize.py`` of microsoft/BizGenEval at 39e1bdc (Li et al. 2026, arXiv:2603.25732). The column ``checks``
of a row holds the questions. Decides nothing about who answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.data.checks import NOT_ASKED, Checks, Question
from diptych.errors import ConfigError
from diptych.judges.contract import Answer, AnswerJudge
from diptych.judges.evidence import ANSWERS
from diptych.scores import Column
from diptych.scores.answer_reading import Reading, is_right, state_of
from diptych.scores.batches import Batch
from diptych.scores.judge_rule import JudgeRule
from diptych.scores.looks import look_with
from diptych.scores.question_accuracy import AskedQuestions
from diptych.scores.question_rule import Unanswered

BETTER: dict[str, Any] = {"low": 0.0, "high": 1.0, "better_for_data": "higher", "better_for_models": "higher"}
COLUMNS = (
    Column("checklist_score", "1 less a penalty for each question that is wrong, at least 0", **BETTER),
    Column("checklist_score_worst", "The same if every question without an answer were wrong", **BETTER),
)


@dataclass(frozen=True, eq=False)
class ChecklistScore(JudgeRule[Answer]):
    """The rule on one judge.

    Attributes:
        look: At its answers.
        penalty: What a wrong answer takes away.
        tag: Of the questions that count; empty for all.
        unanswered: What a question without an answer is.
        reading: Of answers in somebody's own words.
    """

    penalty: float
    tag: str
    unanswered: Unanswered
    reading: Reading
    columns: tuple[Column, ...] = COLUMNS

    score_name = "checklist_score"
    version = 3

    @property
    def options(self) -> Mapping[str, Any]:
        """Penalty, tag, what a question without an answer is, and how words are read."""
        return {"penalty": self.penalty, "tag": self.tag, "unanswered": self.unanswered, "reading": self.reading}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the columns, float32 (N,); NaN where nothing is asked or the judge could not look.

        Where what has no answer is left out, a picture with such a question has no number: nobody knows its errors.
        """
        values, worst = (np.full(len(batch), np.nan, np.float32) for _ in COLUMNS)
        reasons = np.full(len(batch), None, object)
        for row, checks, said in self.judged_rows(batch, self._why_not, reasons):
            asked = zip(checks.questions, said, strict=True)
            counted = [(question, answer) for question, answer in asked if self._counts(question)]
            states = [state_of(answer, self.reading) for _, answer in counted]
            wrong = sum(not is_right(answer, question.answer, self.reading) for question, answer in counted)
            worst[row] = max(0.0, 1.0 - self.penalty * wrong)
            if any(states) and self.unanswered == "left_out":
                reasons[row] = next(filter(None, states))
            else:
                values[row] = worst[row]
        return {COLUMNS[0].name: values, COLUMNS[1].name: worst, "reason": reasons}

    def _counts(self, question: Question) -> bool:
        return not self.tag or self.tag in question.tags

    def _why_not(self, checks: Checks) -> str | None:
        return None if any(map(self._counts, checks.questions)) else NOT_ASKED


def checklist_score(
    *,
    judge: AnswerJudge,
    penalty: float = 0.1,
    tag: str = "",
    unanswered: Unanswered = "left_out",
    reading: Reading = "meant",
) -> ChecklistScore:
    """Return the score; loads no model yet.

    Args:
        judge: Answers questions.
        penalty: What a wrong answer takes away from 1, in (0, 1].
        tag: Of the questions that count; empty for all.
        unanswered: ``wrong`` for a question without an answer, as published scorers take it; ``left_out`` gives a
            picture that has one no number.
        reading: Of answers in somebody's own words: as they are ``meant``, or as published scorers read them, such as
            the ``truth`` of true, 1 and yes.

    Raises:
        ConfigError: If the judge answers no questions, or the penalty is out of range.
    """
    if not 0.0 < penalty <= 1.0:
        raise ConfigError(f"score 'checklist_score': penalty is above 0 and at most 1, not {penalty}")
    return ChecklistScore(look_with(judge, ANSWERS, AskedQuestions()), penalty, tag, unanswered, reading)
