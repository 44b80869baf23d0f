"""The pictures that the demo detector is trained on, and what is to be seen where; drawn once, kept in files.

Beside what the world shows there are backgrounds with nothing on them, figures whose hat has neither of the two
colours, and pictures with the faults of the demo web; what a hazard sign hides is not there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL.Image import Resampling

from diptych.data.images import Image, decode
from diptych.demo.training.rows import kept_rows
from diptych.demo.world.backdrops import UNITS
from diptych.demo.world.drawing import draw
from diptych.demo.world.faults import Format, encoded, picture_of
from diptych.demo.world.figures import HATS, OCCUPATIONS
from diptych.demo.world.palette import COLOURS
from diptych.demo.world.scenes import MAX_COUNT, Dice, Scene, scene
from diptych.demo.world.seeds import DETECTOR_ROWS
from diptych.demo.world.things import KINDS
from diptych.demo.world.truth import Truth, truth_of

STREAM = 110  # keeps the choices about training pictures apart from other choices
NOTHING = -1

LABELS = (*KINDS, *OCCUPATIONS)
COLOUR_NAMES = tuple(COLOURS)
OTHER_HATS = ("black", "blue", "green", "white")  # far enough from orange and purple

EMPTY_PERCENT = 4
OTHER_HAT_PERCENT = 16
HIDDEN_SHARE = 0.35  # of a box that a sign covers: from here on, what is in it is not there

# How many of 100 training pictures have which fault; none that moves a box.
FAULT_WEIGHTS: dict[str, int] = {"": 76, "blurred": 4, "flagged": 5, "low_contrast": 4, "noisy": 4, "watermarked": 7}
SIZES_PX = {64: 6, 96: 2, 128: 1}
FORMATS: dict[Format, int] = {"png": 65, "jpeg": 35}
JPEG_QUALITY = (40, 95)


class DetectorRows(NamedTuple):
    """Training pictures and what is in them, ``MAX_COUNT`` places each; a place without a thing holds -1.

    Attributes:
        pixels: uint8 RGB (N, side, side, 3).
        boxes: Left, top, right, bottom as shares of the side, float32 (N, MAX_COUNT, 4).
        labels: Number in ``LABELS``, int8 (N, MAX_COUNT).
        colours: Number in ``COLOUR_NAMES``, int8 (N, MAX_COUNT); -1 for a figure.
        hats: Number in ``HATS``, int8 (N, MAX_COUNT); -1 for things, and figures with a hat of another colour.
    """

    pixels: npt.NDArray[np.uint8]
    boxes: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int8]
    colours: npt.NDArray[np.int8]
    hats: npt.NDArray[np.int8]


class Places(NamedTuple):
    """What is in one picture: the places of ``DetectorRows``."""

    boxes: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int8]
    colours: npt.NDArray[np.int8]
    hats: npt.NDArray[np.int8]


class Shown(NamedTuple):
    """One training picture."""

    image: Image
    places: Places


@dataclass(frozen=True)
class DetectorKind:
    """Rows of ``DetectorRows``.

    Attributes:
        side: Of the pictures in pixels, as the network takes them.
    """

    side: int

    def open(self) -> Callable[[int], Mapping[str, Any]]:
        """Return what draws a row; there is nothing to load."""
        return self._draw

    def _draw(self, seed: int) -> Mapping[str, Any]:
        one = training_picture(seed)
        pixels = np.asarray(one.image.resize((self.side, self.side), Resampling.BICUBIC))
        return {"pixels": pixels, **one.places._asdict()}


def draw_detector_rows(folder: Path, count: int, kind: DetectorKind, *, processes: int = 1) -> DetectorRows:
    """Return the first ``count`` training pictures; draws those that ``folder`` does not hold yet."""
    seeds = range(DETECTOR_ROWS, DETECTOR_ROWS + count)
    return DetectorRows(**kept_rows(folder, kind, seeds, processes=processes))


def training_picture(seed: int) -> Shown:
    """Return the training picture of a seed as a file would give it, and what is in it."""
    dice = Dice(STREAM, seed)
    shown, fault, size_px = _training_scene(seed, dice), dice.weighted(FAULT_WEIGHTS), dice.weighted(SIZES_PX)
    strength, format, quality = dice.between(0, 100) / 100.0, dice.weighted(FORMATS), dice.between(*JPEG_QUALITY)
    pixels = picture_of(shown, size_px, fault, strength)
    places = places_of(truth_of(shown, UNITS))
    if fault == "flagged":
        covered = np.abs(pixels.astype(np.int16) - draw(shown, size_px)).max(axis=-1) > 16
        there = zip(places.boxes, places.labels, strict=True)
        hidden = [label >= 0 and _share(covered, box) > HIDDEN_SHARE for box, label in there]
        for values in (places.labels, places.colours, places.hats):
            values[hidden] = NOTHING
    return Shown(decode(encoded(pixels, format, quality)), places)


def places_of(truth: Truth) -> Places:
    """Return boxes, labels, colours and hats of a picture's truth, as ``DetectorRows`` has them."""
    boxes = np.full((MAX_COUNT, 4), NOTHING, np.float32)
    numbers = np.full((3, MAX_COUNT), NOTHING, np.int8)
    for place, thing in enumerate(truth.things):
        boxes[place] = np.array(thing.box) / truth.size_px
        numbers[:2, place] = LABELS.index(thing.kind), COLOUR_NAMES.index(thing.colour)
    if truth.figure:
        boxes[0] = np.array(truth.figure.box) / truth.size_px
        numbers[0, 0] = LABELS.index(truth.figure.occupation)
        if truth.figure.attribute in HATS:
            numbers[2, 0] = HATS.index(truth.figure.attribute)
    return Places(boxes, *numbers)


def _training_scene(seed: int, dice: Dice) -> Scene:
    shown = scene(seed)
    if dice.chance(EMPTY_PERCENT):
        return replace(shown, things=(), relation=None, figure=None)
    if shown.figure is not None and dice.chance(OTHER_HAT_PERCENT):
        return replace(shown, figure=replace(shown.figure, hat=dice.pick(OTHER_HATS)))
    return shown


def _share(covered: npt.NDArray[np.bool_], box: npt.NDArray[np.float32]) -> float:
    left, top, right, bottom = np.round(box * len(covered)).astype(int)
    return float(covered[top:bottom, left:right].mean())
