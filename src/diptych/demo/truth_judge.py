"""A judge that answers questions about drawn pictures from the truth of what was drawn; it may err as often as is said.

Who knows how often a judge errs can tell what a number of it is worth: with the truth itself as judge a protocol gives
exactly what was drawn, and with one of known errors the estimate that corrects for them can be held against it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from diptych.assets import file_sha256
from diptych.data.checks import NO, YES
from diptych.data.images import Image
from diptych.demo.world.questions import every_question
from diptych.demo.world.truth import Truth
from diptych.errors import ConfigError, DataError, first_line
from diptych.judges.contract import REFUSED, Answer, Found, Query
from diptych.storage.location import Location

PIXELS, TRUTH = "pixels_sha256", "truth"  # of a line of the file
VERSION = 1


def pixels_sha256(image: Image) -> str:
    """Return what a picture is known by, whatever file it lies in: SHA-256 of its pixels, uint8 RGB."""
    return hashlib.sha256(image.tobytes()).hexdigest()


@dataclass(frozen=True)
class TruthJudge:
    """The judge.

    Attributes:
        file: Of the truth: a line of JSON for each picture.
        sensitivity: How likely it says yes where that is so, in [0, 1].
        specificity: How likely it says no where that is so, in [0, 1].
    """

    file: Path
    sensitivity: float
    specificity: float

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, what is known of which pictures, and how often it errs."""
        errs = {"sensitivity": self.sensitivity, "specificity": self.specificity}
        return {"judge": "drawn_truth", "version": VERSION, "truth_sha256": file_sha256(self.file), **errs}

    def answers(self, images: Sequence[Image], questions: Sequence[Sequence[Query]]) -> Found[Answer]:
        """Return its answers; None for a picture of which it does not know the truth.

        Raises:
            DataError: If the file is no truth of drawn pictures.
        """
        found: list[list[Answer] | None] = []
        for image, asked in zip(images, questions, strict=True):
            pixels = pixels_sha256(image)
            truth = self._known.get(pixels)
            found.append(None if truth is None else [self._answer(pixels, truth, one) for one in asked])
        return found

    def _answer(self, pixels: str, truth: Truth, asked: Query) -> Answer:
        holds = every_question().get(asked.text)
        if holds is None or set(asked.choices) != {YES, NO}:
            return Answer(asked.text, asked.choices, (), "", REFUSED)
        is_so = holds(truth)
        sure = self.sensitivity if is_so else self.specificity
        said = is_so if _share(f"{pixels} {asked.text}") < sure else not is_so
        text = YES if said else NO
        return Answer(asked.text, asked.choices, tuple(float(choice == text) for choice in asked.choices), text)

    @cached_property
    def _known(self) -> Mapping[str, Truth]:
        read = TypeAdapter(Truth).validate_python
        known = {}
        for number, line in enumerate(Location.at(self.file).read().decode().splitlines(), start=1):
            try:
                told = json.loads(line)
                known[str(told[PIXELS])] = read(told[TRUTH])
            except (ValueError, KeyError, TypeError, ValidationError) as error:
                raise DataError(
                    f"{self.file}:{number}: no truth of a drawn picture: {first_line(error)}; let diptych demo write it"
                ) from error
        return known


def truth_judge(*, truth: str, sensitivity: float = 1.0, specificity: float = 1.0) -> TruthJudge:
    """Return the judge; reads nothing yet.

    Args:
        truth: File that ``diptych demo`` writes beside the pictures that it draws.
        sensitivity: How likely it says yes where that is so, in [0, 1]. Which answers are wrong depends on the picture
            and the question alone.
        specificity: How likely it says no where that is so, in [0, 1].

    Raises:
        ConfigError: If there is no such file, or a share is out of range.
    """
    for name, value in (("sensitivity", sensitivity), ("specificity", specificity)):
        if not 0.0 <= value <= 1.0:
            raise ConfigError(f"judge 'drawn_truth': {name}: a share is from 0 to 1, not {value}")
    file = Path(truth)
    if not Location.at(file).is_file():
        raise ConfigError(f"judge 'drawn_truth': truth: {truth}: there is no such file; diptych demo writes one")
    return TruthJudge(file, sensitivity, specificity)


def _share(text: str) -> float:
    """Return a number in [0, 1) that depends on a text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
