"""What a judge answers to a question about each image. A signal to select by, or for an audit.

Of given choices the likeliest is the answer; with none the judge's own words are. Decides nothing about whether an
answer is right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from diptych.config.such_as import SuchAs
from diptych.errors import ConfigError
from diptych.judges.contract import Answer, AnswerJudge, Query
from diptych.judges.evidence import ANSWERS
from diptych.scores import Column
from diptych.scores.batches import Batch
from diptych.scores.judge_rule import JudgeRule, check_threshold
from diptych.scores.looks import AskedRows, look_with

UNSURE = "unsure"


@dataclass(frozen=True)
class OneQuestion:
    """Asks the same of every row."""

    query: Query

    @property
    def identity(self) -> Mapping[str, Any]:
        """The question and its choices."""
        return {"question": self.query.text, "choices": list(self.query.choices)}

    def of(self, rows: AskedRows) -> list[Sequence[Query]]:
        """Return the question for each row."""
        return [(self.query,)] * len(rows)


@dataclass(frozen=True, eq=False)
class AskedAnswer(JudgeRule[Answer]):
    """The answer of one judge to one question.

    Attributes:
        look: At its answers.
        choices: The answers to choose from; none lets the judge use its own words.
        threshold: A choice that the judge is not surer of is no answer.
    """

    choices: tuple[str, ...]
    threshold: float

    score_name = "answer"
    version = 2

    @property
    def columns(self) -> tuple[Column, ...]:
        """``answer``, and where there are choices ``answer_probability``."""
        answer = Column("answer", "What the judge answers", dtype="string", words=self.choices)
        if not self.choices:
            return (answer,)
        return answer, Column("answer_probability", "Probability of that answer by the judge", low=0.0, high=1.0)

    @property
    def options(self) -> Mapping[str, Any]:
        """Threshold."""
        return {"threshold": self.threshold}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the answer and its probability; None and NaN where the judge could not look or is not sure enough."""
        answers, reasons = (np.full(len(batch), None, object) for _ in range(2))
        probabilities = np.full(len(batch), np.nan, np.float32)
        for row, said in enumerate(batch.evidence(self.look)):
            for answer in said or ():  # to one question
                if answer.state:
                    reasons[row] = answer.state
                    continue
                probability = max(answer.probabilities, default=None)
                if probability is not None and probability <= self.threshold:
                    reasons[row] = UNSURE
                    continue
                answers[row] = answer.text
                probabilities[row] = np.nan if probability is None else probability
        values = {"answer": answers, "answer_probability": probabilities}
        return {**{column.name: values[column.name] for column in self.columns}, "reason": reasons}


def answer(
    *,
    judge: AnswerJudge,
    question: Annotated[str, SuchAs('"a {} of something"')],
    choices: Annotated[list[str] | None, SuchAs("[photo, drawing]")] = None,
    threshold: float = 0.0,
) -> AskedAnswer:
    """Return the score; loads no model yet.

    Args:
        judge: Answers questions.
        question: What is asked about every image; how to put it is the judge's, see there.
        choices: The answers to choose from; None lets the judge answer in its own words.
        threshold: A choice that the judge is not surer of is no answer but the reason ``unsure``, in [0, 1).

    Raises:
        ConfigError: If the judge answers no questions, the question is empty, the choices are fewer than two or not
            different, or the threshold is out of range.
    """
    check_threshold(threshold, 0.0, "score 'answer': threshold")
    if not question.strip():
        raise ConfigError("score 'answer': the question is empty")
    if choices is not None and len(set(choices)) < max(len(choices), 2):
        raise ConfigError(f"score 'answer': choices are two or more different answers, or left out, not {choices}")
    query = Query(question, tuple(choices or ()))
    return AskedAnswer(look_with(judge, ANSWERS, OneQuestion(query)), query.choices, threshold)
