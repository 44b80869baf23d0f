"""How many pictures of one set have a version in another, of which no name tells: recompressed, resized or decoded.

A version is far nearer to its picture than either is to any other of its own set. By chance that hardly occurs: in a
space of d directions one of 3^d pictures is at a third of another's distance. How often it does is told by the
distances within a set.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.evaluate.inputs.set_images import SetImages
from diptych.evaluate.metrics.kept_vectors import hashes

Index = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SAMPLE = 256  # images that are looked at, those whose keys have the lowest hashes
FAR_NEARER = 1.0 / 9.0  # in squares
LEAST, LEAST_SHARE, TIMES_CHANCE = 8, 0.05, 3.0  # fewer are not told from chance
BLOCK_ROWS = 4096


class Nearest(NamedTuple):
    """The nearest vector of a set for each of some images, int64 (N,), and squared distances of it and of the next."""

    which: Index
    first: Floats
    second: Floats


def near_pictures(few: SetImages, many: SetImages) -> int:
    """Return about how many images of a set have a version in the other; 0 where that may be chance.

    Args:
        few: Images with vectors of one length, at least two.
        many: The same.
    """
    rows = np.sort(np.argsort(hashes(few.keys), kind="stable")[:SAMPLE])
    across, own = nearest(few, rows, many), nearest(few, rows, few)
    theirs = nearest(many, across.which, many)
    found = int((across.first < FAR_NEARER * np.minimum(own.first, theirs.first)).sum())
    by_chance = int((own.first < FAR_NEARER * own.second).sum())
    is_sure = found >= max(LEAST, LEAST_SHARE * len(rows), TIMES_CHANCE * by_chance)
    return round(found / len(rows) * len(few.vectors)) if is_sure else 0


def nearest(images: SetImages, rows: Index, others: SetImages) -> Nearest:
    """Return what is nearest to some images of a set in another one, or in the same one beside themselves."""
    some = images.vectors[rows]
    lengths = np.einsum("nd,nd->n", some, some, dtype=np.float64)
    which, best = np.zeros((len(rows), 2), np.int64), np.full((len(rows), 2), np.inf)
    for start in range(0, len(others.vectors), BLOCK_ROWS):
        block = others.vectors[start : start + BLOCK_ROWS]
        squares = -2.0 * (some @ block.T).astype(np.float64)
        squares += lengths[:, np.newaxis] + np.einsum("nd,nd->n", block, block, dtype=np.float64)
        if others is images:
            inside = np.flatnonzero((rows >= start) & (rows < start + len(block)))
            squares[inside, rows[inside] - start] = np.inf
        both = np.concatenate([best, squares], axis=1)
        names = np.concatenate([which, np.broadcast_to(np.arange(start, start + len(block)), squares.shape)], axis=1)
        order = np.argpartition(both, 1, axis=1)[:, :2]
        best, which = (np.take_along_axis(each, order, axis=1) for each in (both, names))
    order = np.argsort(best, axis=1)
    best, which = (np.take_along_axis(each, order, axis=1) for each in (best, which))
    return Nearest(which[:, 0], np.maximum(best[:, 0], 0.0), np.maximum(best[:, 1], 0.0))
