"""The pictures that the demo detector is trained on, and what is to be seen where; drawn once, kept in files.

Beside what the world shows there are backgrounds with nothing on them, figures whose hat has neither of the two
colours, and pictures with the faults of the demo web; what a hazard sign hides is not there.
"""

import multiprocessing
import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL.Image import Resampling

from diptych.data.images import Image, decode
from diptych.demo.world.backdrops import UNITS
from diptych.demo.world.drawing import draw
from diptych.demo.world.faults import Format, encoded, picture_of
from diptych.demo.world.figures import HATS, OCCUPATIONS
from diptych.demo.world.palette import COLOURS
from diptych.demo.world.scenes import MAX_COUNT, Dice, Scene, scene
from diptych.demo.world.seeds import DETECTOR_ROWS
from diptych.demo.world.things import KINDS
from diptych.demo.world.truth import Truth, truth_of
from diptych.progress import track

STREAM = 110  # keeps the choices about training pictures apart from other choices
ROWS_PER_FILE = 2048
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


def draw_rows(folder: Path, count: int, *, side: int, start: int = DETECTOR_ROWS, processes: int = 1) -> DetectorRows:
    """Return ``count`` pictures from the seed ``start`` on; draws those that ``folder`` does not hold yet.

    Args:
        folder: Of this count, side and start; files of others would be taken for these.
        count: How many.
        side: Of the pictures in pixels, as the network takes them.
        start: Seed of the first scene.
        processes: That draw; the pictures do not depend on it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        _DetectorDrawing(
            folder / f"rows-{number:04d}.npz", start + first, start + min(first + ROWS_PER_FILE, count), side
        )
        for number, first in enumerate(range(0, count, ROWS_PER_FILE))
    ]
    missing = [job for job in jobs if not job.path.is_file()]
    done = count - sum(job.stop - job.first for job in missing)
    with track("draw", count, unit="pictures", done=done) as tracker, ExitStack() as stack:
        workers = min(processes, len(missing))
        pool = stack.enter_context(multiprocessing.get_context("spawn").Pool(workers)) if workers > 1 else None
        for written in pool.imap_unordered(_write_rows, missing) if pool else map(_write_rows, missing):
            tracker.advance(written)
    parts = [np.load(job.path) for job in jobs]
    return DetectorRows(*(np.concatenate([part[name] for part in parts]) for name in DetectorRows._fields))


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


class _DetectorDrawing(NamedTuple):
    """One file of the rows of seeds ``first`` to ``stop``."""

    path: Path
    first: int
    stop: int
    side: int


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


def _write_rows(job: _DetectorDrawing) -> int:
    """Draw one file of rows and return how many it has."""
    made: dict[str, list[Any]] = {name: [] for name in DetectorRows._fields}
    for seed in range(job.first, job.stop):
        one = training_picture(seed)
        made["pixels"].append(np.asarray(one.image.resize((job.side, job.side), Resampling.BICUBIC)))
        for name, values in one.places._asdict().items():
            made[name].append(values)
    arrays: dict[str, Any] = {name: np.array(values) for name, values in made.items()}
    part = job.path.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as file:
        np.savez(file, **arrays)
    part.replace(job.path)
    return job.stop - job.first
