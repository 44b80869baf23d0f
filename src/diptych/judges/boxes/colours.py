"""Colours of things that a detector found, as GenEval tells them: zero-shot by a CLIP on each thing by itself.

Source: Ghosh et al. 2023 (arXiv 2310.11513), evaluation/evaluate_images.py of djghosh13/geneval at af4902f. A thing is
cut out at its box; where its mask is known all else is painted grey. Each colour is the mean of the vectors of three
descriptions, and the probabilities are the softmax of a hundred times the cosines. GenEval's encoder is ViT-L-14 of
OpenAI; with another one these are not GenEval's colours, which the identity of the judge shows.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image

from diptych.data.images import Image
from diptych.encoders import Encoder
from diptych.judges.boxes.masks import filled, within
from diptych.judges.contract import COLOUR, Box, Trait
from diptych.judges.nearness import SCALE, mean_directions, shares

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white")
DESCRIPTIONS = (
    "a photo of a {colour} {label}",
    "a photo of a {colour}-colored {label}",
    "a photo of a {colour} object",
)
GREY = (0x99, 0x99, 0x99)
MOST_OF_A_CLASS = 16  # GenEval looks at no more things of one class


@dataclass(frozen=True, eq=False)
class ColourNames:
    """Tells colours by one encoder.

    Attributes:
        encoder: With an image and a text tower.
    """

    encoder: Encoder
    _known: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict, init=False, repr=False)

    @property
    def identity(self) -> Mapping[str, Any]:
        """Version, descriptions, how many things of a class are looked at, and the encoder's identity."""
        facts = {"descriptions": list(DESCRIPTIONS), "most_of_a_class": MOST_OF_A_CLASS, "scale": SCALE}
        return {"version": 1, **facts, "encoder": dict(self.encoder.identity)}

    def told_of(self, image: Image, boxes: Sequence[Box]) -> list[Box]:
        """Return boxes with the probabilities of their colours, the surest of each class up to 16; others as they are.

        Args:
            image: The RGB picture in which they are.
            boxes: The surest first.
        """
        crops = {number: crop for number in _surest(boxes) if (crop := cut_out(image, boxes[number])) is not None}
        told = list(boxes)
        if not crops:
            return told
        vectors = self.encoder.images([self.encoder.prepare(crop) for crop in crops.values()])
        for number, vector in zip(crops, vectors, strict=True):
            likely = shares(self._colours_of(boxes[number].label), vector)
            traits = tuple(Trait(COLOUR, *one) for one in zip(COLOURS, likely, strict=True))
            told[number] = replace(boxes[number], traits=traits)
        return told

    def _colours_of(self, label: str) -> npt.NDArray[np.float64]:
        """Return the vector of each colour, float64 (colours, dim), for things of one class."""
        if label not in self._known:
            texts = [said.format(colour=colour, label=label) for colour in COLOURS for said in DESCRIPTIONS]
            self._known[label] = mean_directions(self.encoder.texts(texts), len(DESCRIPTIONS))
        return self._known[label]


def cut_out(image: Image, box: Box) -> Image | None:
    """Return what is in a box, grey where its mask, if it has one, says that the thing is not; None if that is nothing.

    The sides are rounded to whole pixels as PIL rounds them.
    """
    left, top, right, bottom = (round(side) for side in within(box.corners, image.width, image.height))
    if left >= right or top >= bottom:
        return None
    crop = image.crop((left, top, right, bottom))
    if box.mask is None:
        return crop
    inside = filled(box.mask, image.height, image.width)[top:bottom, left:right]
    return PIL.Image.composite(crop, PIL.Image.new("RGB", crop.size, GREY), PIL.Image.fromarray(inside))


def _surest(boxes: Sequence[Box]) -> Iterator[int]:
    seen: Counter[str] = Counter()
    for number, box in enumerate(boxes):
        seen[box.label] += 1
        if seen[box.label] <= MOST_OF_A_CLASS:
            yield number
