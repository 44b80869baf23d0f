"""Which share of the prompt's questions is right. As a judge answers them for the picture.

The column ``checks`` of a row holds the questions, see ``diptych.data.checks``; DSG, DPG-Bench, TIFA and T2I-CoReBench
are such sets of questions. A row whose prompt asks nothing is not scored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from diptych.data.checks import CHECKS, NOT_ASKED, Checks, read_checks
from diptych.data.generated_columns import PROMPT_ID
from diptych.judges.contract import Answer, AnswerJudge, Query
from diptych.judges.evidence import ANSWERS
from diptych.scores import Column
from diptych.scores.answer_reading import Reading
from diptych.scores.batches import Batch
from diptych.scores.judge_rule import JudgeRule
from diptych.scores.looks import AskedRows, look_with
from diptych.scores.question_rule import QuestionRule, Reach, Repeats, Unanswered, judge_questions

# What published scorers do with some prompts by mistake: no wrong answer reaches another question; the first question
# is not counted, and one of which another hangs on it asks nothing then.
Mistake = Literal["no_reach", "without_first"]
OUTCOMES = "question_outcomes"
COLUMNS = (
    Column(
        "question_accuracy",
        "Share of the weight of the prompt's questions that the picture answers rightly, of those that were answered",
        low=0.0,
        high=1.0,
        better_for_data="higher",
        better_for_models="higher",
    ),
    Column(
        "question_accuracy_worst",
        "The same if every question without an answer were wrong",
        low=0.0,
        high=1.0,
        better_for_data="higher",
        better_for_models="higher",
    ),
    Column("questions_unanswered", "Number of questions to which the judge gave no answer", low=0.0),
    Column(
        "first_wrong_question",
        "The first question that is wrong by itself, with what was expected and said",
        dtype="string",
    ),
    Column(
        OUTCOMES,
        "What each question is worth by itself, in their order: a number from 0 to 1, or why it has no answer",
        dtype="string",
    ),
)
REASON = "nothing_answered"  # of a picture: the judge answered none of its questions


@dataclass(frozen=True)
class AskedQuestions:
    """Asks the questions of each row's prompt."""

    identity: Mapping[str, Any] = field(default_factory=lambda: {"questions": CHECKS, "version": 1})

    def of(self, rows: AskedRows) -> list[Sequence[Query]]:
        """Return the questions about each row; none where its prompt asks none."""
        every = map(read_checks, rows.column(CHECKS))
        return [[Query(one.question, one.choices) for one in checks.questions] if checks else () for checks in every]


def nothing_asked(checks: Checks) -> str | None:
    """Return why a prompt without questions has no number, None of one that has some."""
    return None if checks.questions else NOT_ASKED


@dataclass(frozen=True, eq=False)
class QuestionAccuracy(JudgeRule[Answer]):
    """The rule on one judge.

    Attributes:
        look: At its answers.
        rule: How they count.
        mistakes: Of prompts, by id.
    """

    rule: QuestionRule
    mistakes: Mapping[str, Mistake] = field(default_factory=dict)
    columns: tuple[Column, ...] = COLUMNS

    score_name = "question_accuracy"
    version = 5

    @property
    def options(self) -> Mapping[str, Any]:
        """Rule, and the prompts of which another holds."""
        return {**asdict(self.rule), "mistakes": dict(sorted(self.mistakes.items()))}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of ``COLUMNS``; NaN and None where nothing is asked, or nothing was answered."""
        numbers = {column.name: np.full(len(batch), np.nan, np.float32) for column in COLUMNS[:3]}
        first_wrong, outcomes, reasons = (np.full(len(batch), None, object) for _ in range(3))
        prompts = batch.column(PROMPT_ID) if self.mistakes else [None] * len(batch)
        for row, checks, said in self.checked_rows(batch, nothing_asked, reasons):
            mistake = self.mistakes.get(prompts[row] or "")
            if mistake == "without_first" and _is_first_a_parent(checks):
                reasons[row] = NOT_ASKED
                continue
            if said is None:
                continue
            rule = self.rule.on_its_own() if mistake == "no_reach" else self.rule
            verdict = judge_questions(said, checks, rule, without_first=mistake == "without_first")
            told = (verdict.share, verdict.worst, verdict.unanswered)
            for name, value in zip(numbers, told, strict=True):
                numbers[name][row] = value
            first_wrong[row], outcomes[row] = verdict.first_wrong, verdict.outcomes
            if np.isnan(verdict.share):
                reasons[row] = REASON
        return {**numbers, "first_wrong_question": first_wrong, OUTCOMES: outcomes, "reason": reasons}


def _is_first_a_parent(checks: Checks) -> bool:
    """Return whether another question hangs on the first; published scorers drop a prompt that has lost such a one."""
    return any(checks.questions[0].id in one.parents for one in checks.questions)


def question_accuracy(
    *,
    judge: AnswerJudge,
    reach: Reach = "parents",
    unanswered: Unanswered = "left_out",
    repeats: Repeats = "counted",
    reading: Reading = "meant",
    mistakes: dict[str, Mistake] | None = None,
) -> QuestionAccuracy:
    """Return the score; loads no model yet.

    Args:
        judge: Answers questions.
        reach: How far a wrong answer reaches: ``none``, to the questions that name it as a ``parents`` (as DSG counts),
            to all behind it, ``ancestors``, or to those of them that stand below, ``walked`` (as DPG-Bench counts).
        unanswered: What a question without an answer is: ``left_out``, or ``wrong`` as published scorers take it.
        repeats: What a question is that its prompt asked before in the same words: ``counted``, as published scorers
            have it, or ``lost``.
        reading: Of answers in somebody's own words: as they are ``meant``, or as published scorers read them: the right
            answer to the letter, ``exact``, or that with a ``capital``; the ``first_word``; ``yes_anywhere``, else no.
        mistakes: What published scorers do by mistake with some prompts, by their ids: no wrong answer reaches another
            question, ``no_reach``; or the first question is not counted, ``without_first``, and a prompt of which
            another question hangs on that one asks nothing then.

    Raises:
        ConfigError: If the judge answers no questions.
    """
    look = look_with(judge, ANSWERS, AskedQuestions())
    return QuestionAccuracy(look, QuestionRule(reach, unanswered, repeats, reading), mistakes or {})
