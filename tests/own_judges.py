"""Judges that tests put into the table of judges: they say what they are told to, by the height of a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from diptych.data.images import Image
from diptych.judges import JUDGES
from diptych.judges.contract import Answer, Box, Corners, Query, Rating, TextLine, Trait

TABLE = {
    "own_answers": "own_judges:own_answers",
    "own_boxes": "own_judges:own_boxes",
    "own_ratings": "own_judges:own_ratings",
    "own_text": "own_judges:own_text",
}
FOUND: dict[int, list[Box] | None] = {}
WRITTEN: dict[int, list[TextLine]] = {}
SAID: dict[str, str] = {}  # question -> answer; a state in brackets
SEEN: list[int] = []  # sizes of the batches that were looked at
ASKED: list[Sequence[Any]] = []  # what was asked of each picture, where something was


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the judges into the table, and forget what they were told and have seen."""
    for name, target in TABLE.items():
        monkeypatch.setitem(JUDGES, name, target)
    for kept in (FOUND, WRITTEN, SAID, SEEN, ASKED):
        kept.clear()


def box(
    label: str, score: float = 0.8, *, corners: Corners = (0.0, 0.0, 9.0, 9.0), colour: str = "", attribute: str = ""
) -> Box:
    """Return a box with a sure colour or attribute."""
    told = {"colour": colour, "attribute": attribute}
    return Box(label, score, corners, tuple(Trait(name, value, 0.9) for name, value in told.items() if value))


@dataclass(frozen=True)
class OwnBoxes:
    """Returns what a test left in ``FOUND`` under the height of the picture."""

    labels: tuple[str, ...] | None = ("boat", "cook", "fish", "house")
    traits: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {"colour": ("blue", "red"), "attribute": ("orange", "purple")}
    )
    least_score: float = 0.05
    identity: Mapping[str, Any] = field(default_factory=lambda: {"judge": "own_boxes"})

    def boxes(self, images: Sequence[Image], labels: Sequence[Sequence[str]] | None = None) -> list[list[Box] | None]:
        SEEN.append(len(images))
        ASKED.extend(labels or ())
        found = [FOUND.get(image.height, []) for image in images]
        if labels is None:
            return found
        pairs = zip(found, labels, strict=True)
        return [some and [one for one in some if one.label in wanted] for some, wanted in pairs]


@dataclass(frozen=True)
class OwnAnswers:
    """Says what a test left in ``SAID``, else chooses the first of two choices with 0.75, or says the height."""

    identity: Mapping[str, Any] = field(default_factory=lambda: {"judge": "own_answers"})

    def answers(self, images: Sequence[Image], questions: Sequence[Sequence[Query]]) -> list[list[Answer]]:
        SEEN.append(len(images))
        ASKED.extend(questions)
        return [
            [self._answer(image, question) for question in some] for image, some in zip(images, questions, strict=True)
        ]

    def _answer(self, image: Image, question: Query) -> Answer:
        if said := SAID.get(question.text):
            state = said.strip("()") if said.startswith("(") else ""
            return Answer(question.text, (), (), "" if state else said, state)
        chosen = question.choices[0] if question.choices else str(image.height)
        return Answer(question.text, question.choices, (0.75, 0.25)[: len(question.choices)], chosen)


@dataclass(frozen=True)
class OwnRatings:
    """Two raters give every picture a 4 and a 5."""

    scale: tuple[float, float] = (1.0, 5.0)
    identity: Mapping[str, Any] = field(default_factory=lambda: {"judge": "own_ratings"})

    def ratings(self, images: Sequence[Image]) -> list[list[Rating]]:
        SEEN.append(len(images))
        return [[Rating(4.0, "ann", "no red"), Rating(5.0, "ben")] for _ in images]


@dataclass(frozen=True)
class OwnText:
    """Reads what a test left in ``WRITTEN`` under the height of the picture."""

    identity: Mapping[str, Any] = field(default_factory=lambda: {"judge": "own_text"})

    def text(self, images: Sequence[Image]) -> list[list[TextLine]]:
        SEEN.append(len(images))
        return [WRITTEN.get(image.height, []) for image in images]


def own_boxes(*, name: str = "own_boxes", plain: bool = False, free: bool = False) -> OwnBoxes:
    """Return a judge that may tell no traits, or look for any label that it is given."""
    made = OwnBoxes(identity={"judge": name, "plain": plain, "free": free})
    labels, traits = None if free else made.labels, {} if plain else made.traits
    return OwnBoxes(labels, traits, identity=made.identity)


def own_answers() -> OwnAnswers:
    return OwnAnswers()


def own_ratings() -> OwnRatings:
    return OwnRatings()


def own_text() -> OwnText:
    return OwnText()
