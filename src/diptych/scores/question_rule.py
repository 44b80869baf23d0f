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
from diptych.scores.answer_reading import Reading, is_right, state_of

# How far a wrong answer reaches: nowhere; to the questions that name it as a parent (DSG); to those behind them; or, as
# DPG-Bench's scorer walks down its table and zeroes as it goes, to those behind them that stand below.
Reach = Literal["none", "parents", "ancestors", "walked"]
# What a question without an answer is: not counted, and of no consequence for others; or wrong, as upstream takes it.
Unanswered = Literal["left_out", "wrong"]
# What a question is that a prompt asks once more in the same words: another question, or none.
Repeats = Literal["counted", "lost"]
LOST = "lost"  # the state of a question that is not counted at all


@dataclass(frozen=True)
class QuestionRule:
    """How answers count.

    Attributes:
        reach: Of a wrong answer.
        unanswered: What a question without an answer is.
        repeats: What a question is that was asked before.
        reading: Of answers in somebody's own words.
    """

    reach: Reach = "parents"
    unanswered: Unanswered = "left_out"
    repeats: Repeats = "counted"
    reading: Reading = "meant"

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
        outcomes: Of every question by itself, see ``outcomes_text``.
    """

    share: float
    worst: float
    unanswered: int
    first_wrong: str
    outcomes: str


def judge_questions(
    answers: Sequence[Answer], checks: Checks, rule: QuestionRule, *, without_first: bool = False
) -> QuestionVerdict:
    """Return what is right of a picture.

    Args:
        answers: One to each question of the checks, in their order.
        checks: The questions and their right answers.
        rule: How they count.
        without_first: Whether the first question is not counted; no other hangs on it.
    """
    lost = repeated(checks.questions) if rule.repeats == "lost" else set[int]()
    lost |= {0} if without_first else set()
    kept = [place for place in range(len(checks.questions)) if place not in lost]
    questions, counted = [checks.questions[place] for place in kept], [answers[place] for place in kept]
    own = [
        None if (right := is_right(answer, question.answer, rule.reading)) is None else float(right)
        for question, answer in zip(questions, counted, strict=True)
    ]
    wrong = (
        f"{question.question} expected {question.answer}, said {answer.words or answer.text}".strip()
        for question, answer, right in zip(questions, counted, own, strict=True)
        if right == 0.0
    )
    worst = _share(questions, [right or 0.0 for right in own], rule.reach)
    share = worst if rule.unanswered == "wrong" else _share(questions, own, rule.reach)
    states = [state_of(answer, rule.reading) for answer in counted]
    known = dict(zip(kept, zip(own, states, strict=True), strict=True))
    outcomes = outcomes_text(*zip(*(known.get(place, (None, LOST)) for place in range(len(answers))), strict=True))
    return QuestionVerdict(share, worst, own.count(None), next(wrong, ""), outcomes)


def repeated(questions: Sequence[Question]) -> set[int]:
    """Return the places of questions that were asked before in the same words, and on which no other hangs."""
    parents = {name for question in questions for name in question.parents}
    seen, found = set[str](), set[int]()
    for place, question in enumerate(questions):
        words = " ".join(question.question.split())
        if words in seen and question.id not in parents:
            found.add(place)
        seen.add(words)
    return found


def outcomes_text(own: Sequence[float | None], states: Sequence[str]) -> str:
    """Return what each question is worth by itself, in their order: a number, or why it has no answer.

    >>> outcomes_text([1.0, None, 0.25], ["", "unparsed", ""])
    '1 unparsed 0.25'
    """
    return " ".join(state if value is None else f"{value:.9g}" for value, state in zip(own, states, strict=True))


def read_outcomes(text: str) -> tuple[list[float | None], list[str]]:
    """Return what each question is worth, None without an answer, and its state, empty with one.

    >>> read_outcomes("1 unparsed 0.25")
    ([1.0, None, 0.25], ['', 'unparsed', ''])
    """
    words = text.split(" ")
    states = [word if word[:1].isalpha() else "" for word in words]
    return [None if state else float(word) for word, state in zip(words, states, strict=True)], states


def with_reach(questions: Sequence[Question], own: Sequence[float | None], reach: Reach) -> list[float | None]:
    """Return what each question is worth where a wrong answer reaches others; None stays, and is of no consequence.

    Args:
        questions: Of one prompt.
        own: What each is worth by itself.
        reach: Of an answer that is worth nothing.
    """
    if reach == "none":
        return list(own)
    worth = {question.id: value for question, value in zip(questions, own, strict=True)}
    if reach == "walked":
        for question in questions:
            if worth[question.id] and any(worth[name] == 0.0 for name in question.parents):
                worth[question.id] = 0.0
        return list(worth.values())
    parents = {question.id: question.parents for question in questions}
    return [
        0.0 if value and _is_reached(question, worth, parents, reach) else value
        for question, value in zip(questions, own, strict=True)
    ]


def _share(questions: Sequence[Question], own: Sequence[float | None], reach: Reach) -> float:
    """Return the right share of the weight of the questions that are answered; NaN if none is."""
    counted = [
        (question.weight, value)
        for question, value in zip(questions, with_reach(questions, own, reach), strict=True)
        if value is not None
    ]
    total = sum(weight for weight, _ in counted)
    return sum(weight * value for weight, value in counted) / total if total else float("nan")


def _is_reached(
    question: Question, own: Mapping[str, float | None], parents: Mapping[str, Sequence[str]], reach: Reach
) -> bool:
    """Return whether a question hangs on one that is worth nothing; circles are walked once."""
    seen, ahead = {question.id}, list(question.parents)
    while ahead:
        name = ahead.pop()
        if name in seen:
            continue
        seen.add(name)
        if own[name] == 0.0:
            return True
        ahead += parents[name] if reach == "ancestors" else ()
    return False
