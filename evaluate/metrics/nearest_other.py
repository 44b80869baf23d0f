"""The nearest vector of a set to each of some others, by distance and by cosine.

What may be the nearest is found in float32 and measured in float64, see ``near_pairs``.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.evaluate.metrics.near_pairs import (
    DENSE,
    LARGEST,
    TIE,
    TINY,
    Floats,
    Index,
    Rough,
    Vectors,
    blocks,
    measured,
    products_of,
    rough_of,
    squared_lengths,
)

COSINE_ROUNDED = 1e-6  # more than what scales and a product of them lose when they are rounded to float32

Flags = npt.NDArray[np.bool_]


class NearestOther(NamedTuple):
    """The nearest vector of a set to each of some others.

    Attributes:
        which: int64 (N,), the first of equals.
        squares: float64 (N,), its squared distance, 0 where only rounding is left.
        cosines: float64 (N,), the largest |cos| to any of the set, in [0, 1]; 0 where a vector of zeros has none.
    """

    which: Index
    squares: Floats
    cosines: Floats


def nearest(vectors: Vectors, others: Vectors, own: Index | None = None) -> NearestOther:
    """Return the nearest of others (M, D) to vectors (N, D), by distance and by cosine.

    Args:
        vectors: float32.
        others: float32.
        own: int64 (N,), which of the others each vector is itself, and that is left out; None leaves none out.
    """
    lengths, other_lengths = squared_lengths(vectors), squared_lengths(others)
    scales, other_scales = _inverse_roots(lengths), _inverse_roots(other_lengths)
    which, best, cosines = np.zeros(len(vectors), np.int64), np.full(len(vectors), np.inf), np.zeros(len(vectors))
    own = np.full(len(vectors), -1) if own is None else own
    for rows, columns, found in _candidates(rough_of(vectors, others, np.zeros(vectors.shape[1])), own):
        row, column = np.divmod(np.flatnonzero(found), found.shape[1])
        row, column = row + rows.start, column + columns.start
        if len(row) > DENSE * found.size:
            all_products = vectors[rows].astype(np.float64) @ others[columns].astype(np.float64).T
            products = all_products[found]
            squares = lengths[row] + other_lengths[column] - 2.0 * products
        else:
            squares, products = measured(vectors, others, row, column), products_of(vectors, others, row, column)
        squares[squares < TIE * (lengths[row] + other_lengths[column])] = 0.0
        starts = np.flatnonzero(np.diff(row, prepend=-1))
        asked = row[starts]
        least = np.minimum.reduceat(squares, starts)
        places = np.flatnonzero(squares == np.repeat(least, np.diff(starts, append=len(row))))
        first = column[places[np.flatnonzero(np.diff(row[places], prepend=-1))]]
        which[asked] = np.where(least < best[asked], first, which[asked])
        best[asked] = np.minimum(best[asked], least)
        found_cosines = np.abs(products) * scales[row] * other_scales[column]
        cosines[asked] = np.maximum(cosines[asked], np.maximum.reduceat(found_cosines, starts))
    return NearestOther(which, best, np.minimum(cosines, 1.0))


def _candidates(rough: Rough, own: Index) -> Iterator[tuple[slice, slice, Flags]]:
    """Yield blocks with which pairs of them may be nearer than all before, by distance or by cosine, columns ascending.

    Args:
        rough: Vectors and others, less nothing.
        own: int64 (N,), see ``nearest``; -1 where none is.
    """
    lengths, share = rough.left_lengths, rough.share
    scales = np.minimum(_inverse_roots(rough.right_lengths), LARGEST).astype(np.float32)
    most = np.full(len(lengths), np.inf)  # squared distance less the own squared length, at the most
    cosine = np.where(lengths > 0.0, 0.0, np.inf)  # times the own length, at the least; none is wanted of zeros
    unsure = (share + COSINE_ROUNDED) * np.sqrt(lengths)
    for columns in blocks(len(rough.right)):
        other_lengths = rough.right_lengths[columns]
        twice = (2.0 * share * other_lengths).astype(np.float32)
        for rows in blocks(len(lengths)):
            products = rough.left[rows] @ rough.right[columns].T
            squares = np.float32(-2.0) * products
            squares += ((1.0 + share) * other_lengths).astype(np.float32)
            inside = np.flatnonzero((own[rows] >= columns.start) & (own[rows] < columns.stop))
            itself = inside, own[rows][inside] - columns.start
            squares[itself], products[itself] = np.inf, 0.0
            rounding = 2.0 * share * lengths[rows] + TINY
            most[rows] = np.minimum(most[rows], squares.min(axis=1) + rounding)
            squares -= twice
            found = squares <= most[rows].astype(np.float32)[:, np.newaxis]
            np.abs(products, out=products)
            products *= scales[columns]
            cosine[rows] = np.maximum(cosine[rows], products.max(axis=1) - unsure[rows])
            found |= products >= (cosine[rows] - unsure[rows]).astype(np.float32)[:, np.newaxis]
            found[itself] = False
            if found.any():
                yield rows, columns, found


def _inverse_roots(lengths: Floats) -> Floats:
    """Return 1 / sqrt of squared lengths (N,), 0 where that is 0."""
    found: Floats = np.divide(1.0, np.sqrt(lengths), out=np.zeros(len(lengths)), where=lengths > 0.0)
    return found
