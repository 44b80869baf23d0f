"""The rule of questions with right answers: which share of what a prompt asks a picture is right, as DSG counts.

Source: Cho et al. 2024 (arXiv 2310.18235) and the released scorers of DSG and DPG-Bench, which differ in how far a
wrong answer reaches: a question whose parent is wrong counts as wrong whatever is answered to it (no motorcycle, no
blue motorcycle). Decides nothing about who answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from diptych.data.checks import Checks, Question
from diptych.judges.contract import Answer

# How far a wrong answer reaches: nowhere, to the questions that name it as a parent (DSG), to those behind them (DPG).
Reach = Literal["none", "parents", "ancestors"]
# What a question without an answer is: not counted, and of no consequence for others; or wrong, as upstream takes it.
Unanswered = Literal["left_out", "wrong"]


@dataclass(frozen=True)
class QuestionRule:
    """How answers count.

    Attributes:
        reach: Of a wrong answer.
        unanswered: What a question without an answer is.
    """

    reach: Reach = "parents"
    unanswered: Unanswered = "left_out"

    def on_its_own(self) -> "QuestionRule":
        """Return the rule in which every question counts by itself."""
        return replace(self, reach="none")


class QuestionVerdict(NamedTuple):
    """What is right of one picture.

    Attributes:
        share: Of the weight of what counts, in [0, 1]; NaN where nothing does.
        worst: The same if everything without an answer were wrong.
        unanswered: Number of questions without an answer.
        first_wrong: The first question that is wrong by itself, with what was expected and said; empty if none is.
    """

    share: float
    worst: float
    unanswered: int
    first_wrong: str


def judge_questions(answers: Sequence[Answer], checks: Checks, rule: QuestionRule) -> QuestionVerdict:
    """Return what is right of a picture.

    Args:
        answers: One to each question of the checks, in their order.
        checks: The questions and their right answers.
        rule: How they count.
    """
    own = {
        question.id: None if answer.state else same_words(answer.text, question.answer)
        for question, answer in zip(checks.questions, answers, strict=True)
    }
    wrong = (
        f"{question.question} expected {question.answer}, said {answer.text}".strip()
        for question, answer in zip(checks.questions, answers, strict=True)
        if own[question.id] is False
    )
    unanswered = sum(is_right is None for is_right in own.values())
    worst = _share(checks.questions, {name: bool(is_right) for name, is_right in own.items()}, rule.reach)
    share = worst if rule.unanswered == "wrong" else _share(checks.questions, own, rule.reach)
    return QuestionVerdict(share, worst, unanswered, next(wrong, ""))


def same_words(answer: str, right: str) -> bool:
    """Return whether an answer is the right one, whatever its case and the full stop behind it.

    >>> same_words(" Yes.", "yes"), same_words("yes, two", "yes")
    (True, False)
    """
    return answer.strip().rstrip(".").casefold() == right.strip().rstrip(".").casefold()


def _share(questions: Sequence[Question], own: Mapping[str, bool | None], reach: Reach) -> float:
    """Return the right share of the weight of the questions that are answered; NaN if none is."""
    parents = {question.id: question.parents for question in questions}
    counted = [question for question in questions if own[question.id] is not None]
    total = sum(question.weight for question in counted)
    right = sum(
        question.weight for question in counted if own[question.id] and not _reached(question, own, parents, reach)
    )
    return right / total if total else float("nan")


def _reached(
    question: Question, own: Mapping[str, bool | None], parents: Mapping[str, Sequence[str]], reach: Reach
) -> bool:
    """Return whether a question hangs on one that was answered wrongly; circles are walked once."""
    seen, ahead = {question.id}, list(question.parents if reach != "none" else ())
    while ahead:
        name = ahead.pop()
        if name in seen:
            continue
        seen.add(name)
        if own[name] is False:
            return True
        ahead += parents[name] if reach == "ancestors" else ()
    return False
