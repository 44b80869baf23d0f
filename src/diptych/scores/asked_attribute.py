"""Which attribute a person is seen with, asked. For audits of any images, by a judge that answers questions.

It says what a judge perceives, never what somebody is. The judge chooses among the values and the states in which there
is none to tell: nobody is there, several are, or it cannot tell. A state is the reason of a picture and no value, so
that an audit counts those pictures and none of them as evenly split. Decides nothing about shares, or the errors of the
judge.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt

from diptych.config.such_as import SuchAs
from diptych.data.checks import CHECKS, NOT_ASKED
from diptych.errors import ConfigError
from diptych.judges.contract import UNPARSED, Answer, AnswerJudge, Query
from diptych.judges.evidence import ANSWERS
from diptych.judges.imported import ImportedAnswers
from diptych.scores import Column
from diptych.scores.answer import OneQuestion
from diptych.scores.batches import Batch
from diptych.scores.judge_rule import JudgeRule, check_threshold
from diptych.scores.looks import look_with
from diptych.scores.question_accuracy import AskedQuestions

State = Literal["nobody", "several", "cannot_tell"]
CANNOT_TELL: State = "cannot_tell"
STATES: Mapping[State, str] = {"nobody": "nobody", "several": "several people", CANNOT_TELL: "cannot tell"}

AskedIn = Literal["config", "checks"]


@dataclass(frozen=True, eq=False)
class AskedAttribute(JudgeRule[Answer]):
    """What one judge answers.

    Attributes:
        look: At its answers.
        question: The one that asks for the attribute.
        values: What the judge says -> the value.
        states: What the judge says -> the state in which there is none.
        threshold: What the judge is not surer of it cannot tell.
    """

    question: str
    values: Mapping[str, str]
    states: Mapping[str, State]
    threshold: float

    score_name = "asked_attribute"
    version = 2

    @property
    def columns(self) -> tuple[Column, ...]:
        """``attribute`` and ``attribute_confidence``."""
        words = tuple(self.values.values())
        return (
            Column("attribute", "The value that the person in the picture is seen with", dtype="string", words=words),
            Column("attribute_confidence", "Probability of that answer by the judge", low=0.0, high=1.0),
        )

    @property
    def options(self) -> Mapping[str, Any]:
        """What each answer means, and threshold."""
        meant = {"question": self.question, "values": dict(self.values), "states": dict(self.states)}
        return {**meant, "threshold": self.threshold}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return value and confidence in [0, 1]; None and NaN where none is seen, with the state as the reason."""
        attribute, reason = (np.full(len(batch), None, object) for _ in range(2))
        confidence = np.full(len(batch), np.nan, np.float32)
        for row, said in enumerate(batch.evidence(self.look)):
            if said is None:
                continue
            answer = next((one for one in said if one.question == self.question), None)
            reason[row] = NOT_ASKED if answer is None else self._why_not(answer)
            if answer is not None and reason[row] is None:
                attribute[row], confidence[row] = self.values[answer.text], max(answer.probabilities, default=np.nan)
        return {"attribute": attribute, "attribute_confidence": confidence, "reason": reason}

    def _why_not(self, answer: Answer) -> str | None:
        """Return the state of an answer that tells no value, or None."""
        if answer.state:
            return answer.state
        if answer.probabilities and max(answer.probabilities) <= self.threshold:
            return CANNOT_TELL
        return None if answer.text in self.values else self.states.get(answer.text, UNPARSED)


def asked_attribute(
    *,
    judge: AnswerJudge,
    question: Annotated[str, SuchAs('"a photo of {}"')],
    values: Annotated[dict[str, str], SuchAs("{woman: a woman, man: a man}")],
    states: dict[State, str] | None = None,
    threshold: float = 0.0,
    asked_in: AskedIn = "config",
) -> AskedAttribute:
    """Return the score; loads no model yet.

    Args:
        judge: Answers questions.
        question: What is asked about every image; how to put it is the judge's, see there.
        values: The values, each with what the judge says for it: ``{woman: a woman, man: a man}``.
        states: The same of ``nobody``, ``several`` and ``cannot_tell``; None is ``nobody``, ``several people`` and
            ``cannot tell``. One that is left out is not offered to the judge.
        threshold: An answer that the judge is not surer of is ``cannot_tell``, in [0, 1); one of which nobody tells how
            sure it is counts as it is.
        asked_in: ``checks`` where the question is one of those of each prompt, as that of imported answers is; its
            choices there are what the judge says.

    Raises:
        ConfigError: If the judge answers no questions, or has answered elsewhere and not ``checks``; if the question is
            empty, the values are fewer than two, two of values and states are said in the same words, or the threshold
            is out of range.
    """
    where = "score 'asked_attribute'"
    check_threshold(threshold, 0.0, f"{where}: threshold")
    if not question.strip():
        raise ConfigError(f"{where}: the question is empty")
    offered = dict(STATES) if states is None else states
    said = [*values.values(), *offered.values()]
    if len(values) < 2 or not all(text.strip() for text in said) or len(set(said)) < len(said):
        raise ConfigError(f"{where}: values are two or more, and each and each state has words of its own, not {said}")
    if isinstance(judge, ImportedAnswers) and asked_in != CHECKS:
        raise ConfigError(f"{where}: answers from elsewhere are to questions of the prompts; say asked_in: {CHECKS}")
    ask = AskedQuestions() if asked_in == CHECKS else OneQuestion(Query(question, tuple(said)))
    look = look_with(judge, ANSWERS, ask)
    named = {text: value for value, text in values.items()}
    return AskedAttribute(look, question, named, {text: state for state, text in offered.items()}, threshold)
