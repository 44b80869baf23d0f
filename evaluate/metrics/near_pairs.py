"""Pairs of vectors that are near each other: found in float32, at half the cost, and measured in float64.

A product of two vectors in float32 is off by at most gamma |x| |y| with gamma = D u / (1 - D u) and u = 2^-24, in
whatever order it is summed (Higham 2002, Accuracy and Stability of Numerical Algorithms, equation (3.5)). So a squared
distance is known to within a share of the squared lengths, and only pairs that may be as near as is asked are measured:
what is found is what float64 alone would find. Where too many are, as among copies, a block is computed in float64 as a
whole. No N x M matrix is held.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

BLOCK_ROWS = 512
TIE = 1e-12  # squared distances that differ by less, as a share of the squared lengths, are equal
SLACK = 1e-9  # as such a share: pairs beyond a bound by less are found too, so that who asks decides ties
DENSE = 1.0 / 16.0  # of a block: from here on measuring pairs one by one costs more than all of them in float64
MEASURED_AT_ONCE = 256  # pairs, of which a copy stays in the cache
UNIT = 2.0**-24  # of float32
ROUNDED = 16  # times UNIT: more than what vectors, lengths and sums lose when they are rounded to float32
TINY = 1e-30  # what numbers below the smallest of float32 may add, where the largest is 1
LARGEST = 3e38  # of float32

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]


class NearPairs(NamedTuple):
    """Some pairs of vectors of two sets, rows ascending, and columns within a row.

    Attributes:
        row: int64 (P,), of the one set.
        column: int64 (P,), of the other.
        squares: float64 (P,), squared distances.
        error: float64 (P,), by how much each may be off; 0 where it is of float64.
    """

    row: Index
    column: Index
    squares: Floats
    error: Floats


class Rough(NamedTuple):
    """Two sets for products in float32: less a point, and scaled so that no number is above 1.

    Attributes:
        left: float32 (N, D).
        right: float32 (M, D).
        left_lengths: float64 (N,), squared.
        right_lengths: float64 (M,), squared.
        scale: A power of two, what squared distances are multiplied by.
        share: By how much a squared distance may be off, as a share of the two squared lengths.
    """

    left: Vectors
    right: Vectors
    left_lengths: Floats
    right_lengths: Floats
    scale: float
    share: float


def near_pairs(
    x: Vectors, y: Vectors, x_bounds: Floats, y_bounds: Floats, *, is_within: bool = False
) -> Iterator[NearPairs]:
    """Yield all pairs whose squared distance is at most the bound of either vector, and some that are just beyond.

    Args:
        x: float32 (N, D), N at least 1.
        y: float32 (M, D), M at least 1.
        x_bounds: float64 (N,), squared; infinite where all pairs are wanted, -infinite where none. Who asks may lower
            them between two blocks.
        y_bounds: float64 (M,).
        is_within: Whether both are one set, of which each pair is wanted once, the row below the column.
    """
    rough = rough_of(x, y, y.mean(axis=0, dtype=np.float64))
    lengths = squared_lengths(x), squared_lengths(y)
    slack = SLACK * float(lengths[0].max() + lengths[1].max())
    left, right = (
        ((1.0 - rough.share) * each).astype(np.float32) for each in (rough.left_lengths, rough.right_lengths)
    )
    for rows in blocks(len(x)):
        for columns in blocks(len(y), rows.start if is_within else 0):
            low = rough.left[rows] @ rough.right[columns].T
            low *= np.float32(-2.0)
            low += left[rows][:, np.newaxis]
            low += right[columns]
            most = [
                np.minimum((each + slack) * rough.scale * (1.0 + 4.0 * UNIT) + TINY, LARGEST).astype(np.float32)
                for each in (x_bounds[rows], y_bounds[columns])
            ]
            found = low <= np.maximum(most[0][:, np.newaxis], most[1])
            if is_within and rows == columns:
                found = np.triu(found, 1)
            places = np.flatnonzero(found)
            row, column = np.divmod(places, found.shape[1])
            if len(places) > DENSE * found.size:
                squares = squared_distances(x[rows], y[columns], lengths[0][rows], lengths[1][columns]).ravel()[places]
                error = np.zeros(len(places))
            else:
                error = rough.share * (rough.left_lengths[rows][row] + rough.right_lengths[columns][column])
                squares = (low.ravel()[places] + error) / rough.scale
                error = (error + TINY) / rough.scale + slack
            if len(places):
                yield NearPairs(row + rows.start, column + columns.start, squares, error)


def settled(pairs: NearPairs, x: Vectors, y: Vectors, bounds: Floats) -> Floats:
    """Return squared distances (P,) that are on the same side of bounds as those of float64 are.

    Args:
        pairs: Of which those are measured that may be on either side of a bound.
        x: float32 (N, D).
        y: float32 (M, D).
        bounds: float64 (P, B).
    """
    squares, rough = pairs.squares.copy(), np.flatnonzero(pairs.error > 0.0)
    if len(rough):
        apart = np.abs(squares[rough, np.newaxis] - bounds[rough])
        is_open = rough[(apart < pairs.error[rough, np.newaxis]).any(axis=1)]
        squares[is_open] = measured(x, y, pairs.row[is_open], pairs.column[is_open])
    return squares


def measured(x: Vectors, y: Vectors, row: Index, column: Index) -> Floats:
    """Return the squared distances of pairs (P,) of vectors (N, D) and (M, D), float64 (P,)."""
    squares = np.empty(len(row))
    for start in range(0, len(row), MEASURED_AT_ONCE):
        part = slice(start, start + MEASURED_AT_ONCE)
        apart = x[row[part]].astype(np.float64)
        apart -= y[column[part]]
        np.einsum("nd,nd->n", apart, apart, out=squares[part])
    return squares


def products_of(x: Vectors, y: Vectors, row: Index, column: Index) -> Floats:
    """Return the products of pairs (P,) of vectors (N, D) and (M, D), float64 (P,)."""
    products = np.empty(len(row))
    for start in range(0, len(row), MEASURED_AT_ONCE):
        part = slice(start, start + MEASURED_AT_ONCE)
        both = x[row[part]].astype(np.float64), y[column[part]].astype(np.float64)
        np.einsum("nd,nd->n", *both, out=products[part])
    return products


def rough_of(x: Vectors, y: Vectors, about: Floats) -> Rough:
    """Return two sets for products in float32, less a point (D,) near which both are: the nearer, the sharper."""
    far = max(float(edge) for each in (x, y) for edge in (each.max(), -each.min())) + float(np.abs(about).max())
    factor = 2.0 ** -np.ceil(np.log2(far)) if far > 0.0 else 1.0
    left = _moved(x, about, factor)
    right = left if y is x else _moved(y, about, factor)
    rounded = x.shape[1] * UNIT
    share = rounded / (1.0 - rounded) + ROUNDED * UNIT
    return Rough(left, right, squared_lengths(left), squared_lengths(right), float(factor**2), share)


def squared_lengths(vectors: Vectors) -> Floats:
    """Return float64 (N,) of vectors (N, D)."""
    found: Floats = np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64)
    return found


def squared_distances(
    x: npt.NDArray[np.floating[Any]], y: npt.NDArray[np.floating[Any]], x_lengths: Floats, y_lengths: Floats
) -> Floats:
    """Return squared distances, float64 (N, M), in float64; those of equal vectors are 0 but for rounding."""
    squares: Floats = x.astype(np.float64, copy=False) @ y.astype(np.float64, copy=False).T
    squares *= -2.0
    squares += x_lengths[:, np.newaxis]
    squares += y_lengths
    return squares


def blocks(count: int, start: int = 0) -> Iterator[slice]:
    """Yield slices of at most ``BLOCK_ROWS`` from a start to a count."""
    for first in range(start, count, BLOCK_ROWS):
        yield slice(first, min(first + BLOCK_ROWS, count))


def _moved(vectors: Vectors, about: Floats, factor: float) -> Vectors:
    moved, exact = np.empty(vectors.shape, np.float32), np.empty((MEASURED_AT_ONCE, vectors.shape[1]))
    for start in range(0, len(vectors), MEASURED_AT_ONCE):
        rows = vectors[start : start + MEASURED_AT_ONCE]
        part = np.subtract(rows, about, out=exact[: len(rows)])
        part *= factor
        moved[start : start + MEASURED_AT_ONCE] = part
    return moved
