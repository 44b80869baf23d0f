"""What two judges say of the same things, as words: image by image, or question by question where both answered those.

A score of answers has a share of each image; its judge said more, and that is read from its evidence. What is neither
0 or 1 nor a word becomes yes or no by a line that the config draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.data.checks import CHECKS, NO, YES, Checks, read_checks
from diptych.errors import ConfigError, DataError
from diptych.evaluate.agreements.choices import AgreementChoice
from diptych.evaluate.inputs.scored_rows import Index, ScoredColumn, ScoredRows
from diptych.evaluate.statistics.agreement import Words
from diptych.judges.contract import Answer
from diptych.judges.evidence import ANSWERS, evidence_name, read_evidence
from diptych.scores.question_accuracy import AskedQuestions
from diptych.scores.question_rule import same_words

IMAGES, QUESTIONS = "images", "questions"  # what the two are held against each other of


@dataclass(frozen=True)
class BothVerdicts:
    """What both say.

    Attributes:
        of: ``images`` or ``questions``.
        rows: int64 (M,): the row that each thing belongs to, ascending.
        a: (M,) words; None where nothing was said.
        b: (M,) words.
        texts: (M,) the question; empty of an image.
    """

    of: str
    rows: Index
    a: Words
    b: Words
    texts: npt.NDArray[np.object_]

    @property
    def splits(self) -> npt.NDArray[np.bool_]:
        """Bool (M,): of what both say something, and not the same."""
        return np.array(
            [None not in (one, other) and one != other for one, other in zip(self.a, self.b, strict=True)], bool
        )

    def among(self, rows: Index) -> "BothVerdicts":
        """Return what they say of some rows."""
        own = np.isin(self.rows, rows)
        return BothVerdicts(self.of, self.rows[own], self.a[own], self.b[own], self.texts[own])


class _Side(NamedTuple):
    """One of the two: its column, the number from which on it is a yes, and where a config names that."""

    name: str
    column: ScoredColumn
    at_least: float | None
    option: str


def both_verdicts(choice: AgreementChoice, rows: ScoredRows) -> BothVerdicts:
    """Return what both judges say of a dataset.

    Raises:
        ConfigError: If a column has other numbers than 0 and 1, and no line is drawn.
        DataError: If evidence is not there any more.
    """
    sides = (
        _Side(choice.a, rows.score(choice.a), choice.at_least_a, "at_least_a"),
        _Side(choice.b, rows.score(choice.b), choice.at_least_b, "at_least_b"),
    )
    if all(map(_is_of_questions, sides)):
        every = [read_checks(text) for text in rows.values(CHECKS).to_pylist()]
        numbers = np.repeat(np.arange(len(rows)), [len(checks.questions) if checks else 0 for checks in every])
        texts = [question.question for checks in every if checks for question in checks.questions]
        a, b = (_answered(rows, side, every) for side in sides)
        return BothVerdicts(QUESTIONS, numbers, a, b, np.array(texts, object))
    a, b = map(_said, sides)
    return BothVerdicts(IMAGES, np.arange(len(rows), dtype=np.int64), a, b, np.full(len(rows), "", object))


def _is_of_questions(side: _Side) -> bool:
    """Return whether a score is a rule over answers to the questions of prompts, and nobody draws a line."""
    identity = side.column.identity
    is_asked = identity.get("evidence") == ANSWERS.name and identity.get("asked") == dict(AskedQuestions().identity)
    return is_asked and side.at_least is None


def _said(side: _Side) -> Words:
    """Return what a column says of each image.

    Raises:
        ConfigError: If its numbers have no line.
    """
    if side.column.texts is not None:
        return np.array(side.column.texts, object)
    values = side.column.values
    known, line = np.isfinite(values), side.at_least
    if line is None:
        if not np.isin(values[known], (0.0, 1.0)).all():
            raise ConfigError(
                f"agreements: {side.name} has other numbers than 0 and 1; say from which on it is a yes: {side.option}"
            )
        line = 1.0
    words = np.where(values >= line, YES, NO).astype(object)
    words[~known] = None
    return words


def _answered(rows: ScoredRows, side: _Side, every: Sequence[Checks | None]) -> Words:
    """Return of each question whether a judge answered it rightly; None where it gave no answer.

    Raises:
        DataError: If its answers are not there any more.
    """
    name = evidence_name(side.column.identity)
    evidence = rows.dataset.column_set("evidence", name)
    if evidence is None:
        raise DataError(f"{rows.dataset.path}: the evidence {name} behind {side.name} is not there; import it again")
    evidence.check()
    said = [one for file in evidence.files for one in read_evidence(ANSWERS, file).records]
    words: list[str | None] = []
    for checks, answers in zip(every, said, strict=True):
        if checks:
            words += _rightness(checks, answers)
    return np.array(words, object)


def _rightness(checks: Checks, answers: Sequence[Answer] | None) -> list[str | None]:
    if answers is None:
        return [None] * len(checks.questions)
    return [
        None if answer.state else YES if same_words(answer.text, question.answer) else NO
        for question, answer in zip(checks.questions, answers, strict=True)
    ]
