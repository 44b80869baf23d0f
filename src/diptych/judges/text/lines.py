"""Lines of text: where they lie, and the order in which they are read.

They are read row by row down the picture, in a row from left to right. Two lines stand in one row where the middle of
each lies within the height of the other, whatever their size. Columns are not told apart: a line of the right one
follows the line of the left one beside it.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from diptych.judges.contract import Corners, TextLine


def in_reading_order(lines: Iterable[TextLine]) -> list[TextLine]:
    """Return lines as they are read.

    >>> first, second = TextLine("a", 1.0, (0, 2, 4, 9)), TextLine("b", 1.0, (5, 0, 9, 8))
    >>> [line.text for line in in_reading_order([second, TextLine("c", 1.0, (0, 9, 4, 16)), first])]
    ['a', 'b', 'c']
    """
    left = sorted(lines, key=lambda line: (_middle(line.corners), line.corners))
    read: list[TextLine] = []
    while left:
        row = [line for line in left if _in_one_row(line, left[0])]
        left = [line for line in left if not _in_one_row(line, left[0])]
        read += sorted(row, key=lambda line: line.corners)
    return read


def upright(points: npt.ArrayLike, size: tuple[int, int]) -> Corners:
    """Return the upright box around some points, within a picture.

    Args:
        points: x and y in pixels, numbers (N, 2).
        size: Width and height of the picture.

    >>> upright([(2, -1), (9, 1), (8, 5), (1, 3)], (8, 8))
    (1.0, 0.0, 8.0, 5.0)
    """
    places = np.clip(np.asarray(points, np.float64), 0.0, np.asarray(size, np.float64))
    (left, top), (right, bottom) = places.min(axis=0).tolist(), places.max(axis=0).tolist()
    return left, top, right, bottom


def _in_one_row(line: TextLine, first: TextLine) -> bool:
    if line is first:
        return True
    one, other = line.corners, first.corners
    return one[1] < _middle(other) < one[3] and other[1] < _middle(one) < other[3]


def _middle(corners: Corners) -> float:
    return (corners[1] + corners[3]) / 2.0
