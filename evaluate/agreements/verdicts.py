"""What two judges say of the same things, as words: image by image, or question by question where both answered those.

A score of answers has a share of each image, and beside it what each question is worth. What is neither 0 or 1 nor a
word becomes yes or no by a line that the config draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.data.checks import CHECKS, NO, YES, read_checks
from diptych.data.column_names import full_name
from diptych.errors import ConfigError
from diptych.evaluate.agreements.choices import AgreementChoice
from diptych.evaluate.inputs.scored_rows import Index, ScoredColumn, ScoredRows
from diptych.evaluate.protocols.items import kinds_of
from diptych.evaluate.statistics.agreement import Words
from diptych.scores.question_accuracy import OUTCOMES
from diptych.scores.question_rule import read_outcomes

IMAGES, QUESTIONS = "images", "questions"  # what the two are held against each other of
MORE_THAN = 0.5


@dataclass(frozen=True)
class BothVerdicts:
    """What both say.

    Attributes:
        of: ``images`` or ``questions``.
        rows: int64 (M,): the row that each thing belongs to, ascending.
        a: (M,) words; None where nothing was said.
        b: (M,) words.
        texts: (M,) the question; empty of an image.
        kinds: (M,) what the question is about, the broadest of its tags; empty of an image, and of one without any.
    """

    of: str
    rows: Index
    a: Words
    b: Words
    texts: npt.NDArray[np.object_]
    kinds: npt.NDArray[np.object_]

    @property
    def splits(self) -> npt.NDArray[np.bool_]:
        """Bool (M,): of what both say something, and not the same."""
        return np.array(
            [None not in (one, other) and one != other for one, other in zip(self.a, self.b, strict=True)], bool
        )

    def among(self, rows: Index) -> "BothVerdicts":
        """Return what they say of some rows."""
        return self.where(np.isin(self.rows, rows))

    def where(self, own: npt.NDArray[np.bool_]) -> "BothVerdicts":
        """Return what they say of some of the things, (M,)."""
        return BothVerdicts(self.of, self.rows[own], self.a[own], self.b[own], self.texts[own], self.kinds[own])


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
    """
    sides = (
        _Side(choice.a, rows.score(choice.a), choice.at_least_a, "at_least_a"),
        _Side(choice.b, rows.score(choice.b), choice.at_least_b, "at_least_b"),
    )
    if all(_is_of_questions(rows, side) for side in sides):
        return _of_questions(rows, sides)
    a, b = map(_said, sides)
    nothing = np.full(len(rows), "", object)
    return BothVerdicts(IMAGES, np.arange(len(rows), dtype=np.int64), a, b, nothing, nothing)


def _is_of_questions(rows: ScoredRows, side: _Side) -> bool:
    """Return whether a score tells what each question is worth, and nobody draws a line."""
    return full_name(side.column.label, OUTCOMES) in rows.table.columns and side.at_least is None


def _of_questions(rows: ScoredRows, sides: Sequence[_Side]) -> BothVerdicts:
    every = [read_checks(text) for text in rows.values(CHECKS).to_pylist()]
    asked = [(row, question) for row, checks in enumerate(every) if checks for question in checks.questions]
    numbers = np.array([row for row, _ in asked], np.int64)
    texts, kinds = np.empty(len(asked), object), np.empty(len(asked), object)
    texts[:] = [question.question for _, question in asked]
    kinds[:] = ["".join(kinds_of(question.tags, 1)) for _, question in asked]
    counts = [len(checks.questions) if checks else 0 for checks in every]
    a, b = (_answered(rows, side, counts) for side in sides)
    return BothVerdicts(QUESTIONS, numbers, a, b, texts, kinds)


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


def _answered(rows: ScoredRows, side: _Side, counts: Sequence[int]) -> Words:
    """Return of each question whether a judge answered it rightly; None where it gave no answer.

    A question that is worth a probability is right where that is more than half.
    """
    words: list[str | None] = []
    said = rows.score(full_name(side.column.label, OUTCOMES)).texts or [None] * len(rows)
    for text, count in zip(said, counts, strict=True):
        own = read_outcomes(text)[0] if text else [None] * count
        words += [None if worth is None else YES if worth > MORE_THAN else NO for worth in own]
    found = np.empty(len(words), object)
    found[:] = words
    return found
