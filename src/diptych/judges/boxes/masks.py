"""Masks as run lengths, and boxes around them: COCO's uncompressed RLE, column by column, the first run of zeros."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from diptych.judges.contract import Corners


def run_lengths(mask: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    """Return the run lengths of a mask, bool (height, width).

    >>> run_lengths(np.array([[False, True], [True, True]]))
    (1, 3)
    >>> run_lengths(np.array([[True], [False]]))
    (0, 1, 1)
    """
    flat = mask.ravel(order="F")
    turns = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate(([0], turns, [flat.size])))
    first = (0,) if flat.size and flat[0] else ()
    return (*first, *runs.tolist())


def filled(runs: Sequence[int], height: int, width: int) -> npt.NDArray[np.bool_]:
    """Return the mask of some run lengths, bool (height, width).

    Raises:
        ValueError: If they do not add up to its pixels.

    >>> filled((1, 3), 2, 2).tolist()
    [[False, True], [True, True]]
    """
    lengths = np.asarray(runs, np.int64)
    if int(lengths.sum()) != height * width:
        raise ValueError(f"run lengths of {int(lengths.sum())} pixels do not fill {width} x {height}")
    values = np.arange(len(lengths)) % 2 == 1
    return np.repeat(values, lengths).reshape((height, width), order="F")


def box_around(mask: npt.NDArray[np.bool_]) -> Corners | None:
    """Return the box of the pixels of a mask, its right and lower sides past the last of them; None where it is empty.

    >>> box_around(np.array([[False, True], [False, True]]))
    (1.0, 0.0, 2.0, 2.0)
    """
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def within(corners: Sequence[float], width: int, height: int) -> Corners:
    """Return corners cut off at the edges of a picture.

    >>> within((-3.0, 2.0, 70.0, 8.0), 64, 48)
    (0.0, 2.0, 64.0, 8.0)
    """
    left, top, right, bottom = corners
    left, right = (min(max(x, 0.0), float(width)) for x in (left, right))
    top, bottom = (min(max(y, 0.0), float(height)) for y in (top, bottom))
    return left, top, max(left, right), max(top, bottom)
