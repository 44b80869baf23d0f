"""Paper and pencil: fixed patterns of noise at any size, the same on every machine.

A pattern depends on its name and the size alone; scenes vary it by turning it. Values are exact in the sense of
``shapes``: nothing but +, -, *, /, comparisons and conversions.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from diptych.demo.world.shapes import Floats

GRAIN_CELLS = 110
MOTTLE_CELLS = 7
FIBRE_CELLS = (150, 34)
STROKES = 26.0


class Texture(NamedTuple):
    """The patterns of one sheet of paper, or of a window of it; float64 (H, W).

    Attributes:
        grain: Fine noise in [-1, 1].
        mottle: Coarse noise in [-1, 1].
        tooth: How much wax crayon strokes leave on each point, in [0, 1].
        fibre: Noise of short fibres in [-1, 1].
    """

    grain: Floats
    mottle: Floats
    tooth: Floats
    fibre: Floats

    def window(self, rows: slice, columns: slice) -> "Texture":
        """Return the same patterns in a window."""
        return Texture(*(pattern[rows, columns] for pattern in self))


def texture(size: int, turn: int) -> Texture:
    """Return the patterns for a picture of ``size`` pixels, in one of eight positions: ``turn`` in 0..7."""
    return Texture(*(_turned(pattern, turn) for pattern in _sheet(size)))


@lru_cache(maxsize=16)
def _sheet(size: int) -> Texture:
    grain = _noise(size, (GRAIN_CELLS, GRAIN_CELLS), 1)
    mottle = 0.7 * _noise(size, (MOTTLE_CELLS, MOTTLE_CELLS), 2) + 0.3 * _noise(size, (23, 23), 3)
    position = (np.arange(size) + 0.5) / size
    strokes = STROKES * (position + 0.55 * position[:, np.newaxis]) + 0.55 * mottle
    wave = np.abs(2.0 * (strokes - np.floor(strokes)) - 1.0)
    tooth = np.minimum(np.maximum(0.5 + 0.55 * wave + 0.42 * grain, 0.0), 1.0)
    sheet = Texture(grain, mottle, tooth, _noise(size, FIBRE_CELLS, 4))
    for pattern in sheet:
        pattern.flags.writeable = False
    return sheet


def _noise(size: int, cells: tuple[int, int], seed: int) -> Floats:
    """Return smooth noise in [-1, 1]: random values on a lattice of ``cells``, linear in between."""
    values = np.random.Generator(np.random.PCG64(seed)).integers(0, 256, (cells[0] + 1, cells[1] + 1))
    lattice = values / 127.5 - 1.0
    for axis in (0, 1):
        place = (np.arange(size) + 0.5) * (cells[axis] / size)
        first = np.floor(place).astype(np.int64)
        share = place - first
        share = share[:, np.newaxis] if axis == 0 else share
        start, end = lattice.take(first, axis), lattice.take(first + 1, axis)
        lattice = start + (end - start) * share
    return lattice


def _turned(pattern: Floats, turn: int) -> Floats:
    pattern = pattern[::-1] if turn & 1 else pattern
    pattern = pattern[:, ::-1] if turn & 2 else pattern
    return pattern.T if turn & 4 else pattern
