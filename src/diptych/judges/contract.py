"""What a judge may be asked about an image, and the records in which it says what it sees.

A judge is what it can do: one that has ``boxes`` finds things, one that has ``answers`` answers questions, one that has
``ratings`` rates the whole, one that has ``text`` reads. It may have several. It decides nothing about what is right or
sure enough: that is up to the rules of scores, which look at its records as they are stored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:  # naming a judge must load without PIL
    from diptych.data.images import Image

Corners = tuple[float, float, float, float]  # left, top, right, bottom

Record = TypeVar("Record")
Found: TypeAlias = Sequence[list[Record] | None]  # of each image; None where a judge could not look

# Why a question has no answer: the judge broke down over it, would not answer, could not take in the whole of it, or
# said what is no answer to it; or it was stopped before it had answered, as rules say of its own words.
FAILED, REFUSED, TOO_LONG, UNPARSED, CUT = UNANSWERED = ("failed", "refused", "too_long", "unparsed", "answer_cut")

COLOUR = "colour"  # the trait under which a judge that tells the colour of a thing tells it
# The traits under which a judge tells how near what is in a box is, from 0 for what is farthest in the picture to 1 for
# what is nearest; the second is of the box with its axes swapped, where a published rule looks by mistake.
NEARNESS, NEARNESS_SWAPPED = "nearness", "nearness_swapped"
NEAR = "near"  # the one value of both


@dataclass(frozen=True)
class Trait:
    """One thing that may be so about what is in a box.

    Attributes:
        name: What it is about, such as ``colour``.
        value: What may be so, such as ``red``.
        probability: That it is, given that the thing is there, in [0, 1]. Those of one name need not add up to 1: of
            some traits a thing has none.
    """

    name: str
    value: str
    probability: float

    def __post_init__(self) -> None:
        """Raise ValueError if the probability is out of range."""
        _check_share("probability", self.probability)


@dataclass(frozen=True)
class Box:
    """One thing in an image.

    Attributes:
        label: What it is.
        score: How sure the judge is of it, in [0, 1].
        corners: Left, top, right and bottom in pixels of the image after EXIF orientation, from its upper left corner.
        traits: What else the judge says of it; a plain detector says nothing.
        mask: Which pixels of the image belong to it: run lengths column by column, the first of pixels that do not, as
            in COCO's uncompressed RLE; None where the judge tells no mask.
    """

    label: str
    score: float
    corners: Corners
    traits: tuple[Trait, ...] = ()
    mask: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        """Raise ValueError if the score is out of range or the corners are in the wrong order."""
        _check_share("score", self.score)
        _check_corners(self.corners)

    def likeliest(self, trait: str) -> Trait | None:
        """Return the likeliest value of a trait, the first of equal ones; None where the judge says nothing of it.

        >>> colours = (Trait("colour", "red", 0.7), Trait("colour", "blue", 0.2))
        >>> Box("car", 0.9, (0, 0, 8, 4), colours).likeliest("colour").value
        'red'
        """
        named = [one for one in self.traits if one.name == trait]
        return max(named, key=lambda one: one.probability, default=None)


@dataclass(frozen=True)
class Query:
    """What is asked about an image.

    Attributes:
        text: The question; how it is put to the model is up to the judge.
        choices: The answers to choose from; none asks for an answer in the judge's own words.
    """

    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What a judge says to a question.

    Attributes:
        question: Its text.
        choices: The answers that were given to choose from.
        probabilities: Of each of the choices, in [0, 1]. They need not add up to 1: a judge that generates may find
            other answers likelier.
        text: The answer: the likeliest of the choices, or where none are given the judge's own words.
        state: Empty for an answer; else why there is none, of ``UNANSWERED``: there are no probabilities then, and the
            text is what the judge said instead.
        is_cut: Whether the judge was stopped before the end of its own words.
        words: What was said to the letter, where the text is the choice that was read from it or the state that there
            is none; empty where the judge chose.
    """

    question: str
    choices: tuple[str, ...]
    probabilities: tuple[float, ...]
    text: str
    state: str = ""
    is_cut: bool = False
    words: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError if choices and probabilities do not fit, one is out of range or the state is unknown."""
        if self.state not in ("", *UNANSWERED):
            raise ValueError(f"a question is answered or {', '.join(UNANSWERED)}, not {self.state!r}")
        if len(self.probabilities) != (0 if self.state else len(self.choices)):
            raise ValueError(f"{len(self.choices)} choices have {len(self.probabilities)} probabilities")
        for probability in self.probabilities:
            _check_share("probability", probability)


@dataclass(frozen=True)
class Rating:
    """What one rater, a person or a program, says of an image as a number.

    Attributes:
        value: On the scale of the judge; a decision is 1 for right and 0 for wrong on a scale from 0 to 1.
        rater: Who of several; empty where nobody tells.
        note: Why, in the rater's words; empty where nobody tells.
    """

    value: float
    rater: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError if the value is no number."""
        if not math.isfinite(self.value):
            raise ValueError(f"a rating is a number, not {self.value}")


@dataclass(frozen=True)
class TextLine:
    """One line of text in an image.

    Attributes:
        text: What is written there.
        confidence: How sure the judge is of it, in [0, 1]; 1 where it takes what it reads for certain.
        corners: Left, top, right and bottom in pixels, as of a ``Box``; the whole picture where the judge tells no
            place.
        is_cut: Whether the judge was stopped in it, so that nobody knows what else there is to read.
    """

    text: str
    confidence: float
    corners: Corners
    is_cut: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError if the confidence is out of range or the corners are in the wrong order."""
        _check_share("confidence", self.confidence)
        _check_corners(self.corners)


class Judge(Protocol):
    """Looks at images.

    Loading weights happens when it is first asked; constructing a judge is cheap, so that a run whose results all exist
    loads no model. No neighbour in a batch changes what it says. Of a picture that it cannot take at all, such as a
    strip of which its network would see no pixel, it gives None, stored with the reason ``judge_failed``.
    """

    @property
    def identity(self) -> Mapping[str, Any]:
        """JSON-able facts that change what it says: ``judge`` (its name), weights sha256, preprocessing, options.

        No threshold of a rule is one of them.
        """
        ...


class BoxJudge(Judge, Protocol):
    """Finds things in images.

    One that looks for any label and cannot be asked for some has ``check_labels(labels)``, which raises a ConfigError
    of the first such one, so that it is found before the judge looks at a picture.
    """

    @property
    def labels(self) -> tuple[str, ...] | None:
        """Everything that it can find; None if it looks for any label that it is given."""
        ...

    @property
    def traits(self) -> Mapping[str, tuple[str, ...]]:
        """The traits that it tells of some things, each with the values that it knows; empty for a plain detector."""
        ...

    @property
    def least_score(self) -> float:
        """What it is less sure of it does not tell, in [0, 1]; no rule can ask for less."""
        ...

    def boxes(self, images: Sequence[Image], labels: Sequence[Sequence[str]] | None = None) -> Found[Box]:
        """Return what is in each RGB image, the surest first.

        Args:
            images: The images.
            labels: What to look for in each of them; None looks for everything that it can find.
        """
        ...


class AnswerJudge(Judge, Protocol):
    """Answers questions about images.

    One that answers from the vectors of an encoder has it as ``encoder``, and is given those vectors, float32 (dim,),
    in the place of the images, so that an image is embedded once, whoever asks.
    """

    def answers(self, images: Sequence[Any], questions: Sequence[Sequence[Query]]) -> Found[Answer]:
        """Return an answer to each of its questions for each RGB image, in their order.

        Args:
            images: The images.
            questions: Those about each of them.
        """
        ...


class RatingJudge(Judge, Protocol):
    """Says of an image as a whole how good it is, or whether it is right; several raters may."""

    @property
    def scale(self) -> tuple[float, float]:
        """The least and the most that a rating can be."""
        ...

    def ratings(self, images: Sequence[Image]) -> Found[Rating]:
        """Return what each rater says of each RGB image."""
        ...


class TextJudge(Judge, Protocol):
    """Reads what is written in images."""

    def text(self, images: Sequence[Image]) -> Found[TextLine]:
        """Return the lines of text in each RGB image in reading order."""
        ...


def _check_share(name: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name}: a judge says numbers from 0 to 1, not {value}")


def _check_corners(corners: Corners) -> None:
    left, top, right, bottom = corners
    if not (left <= right and top <= bottom):
        raise ValueError(f"corners are left, top, right and bottom, not {corners}")
