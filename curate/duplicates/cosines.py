"""Cosines of stored vectors, the same whatever is computed beside them: near a limit they are decided in float64."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

ROUNDING = 1e-12  # of a float64 cosine: that of a vector with itself is 1 but for this
UNIT = 2.0**-24  # of float32
ROUNDED = 8  # times UNIT: more than what two vectors of length 1 lose when they are rounded to float32
AGAIN = 1 << 13  # pairs at a time

Vectors = npt.NDArray[np.floating]
Numbers = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]


class Directions(NamedTuple):
    """Vectors, and the same at length 1.

    Attributes:
        stored: (N, D), each with a direction; of any float type.
        units: float32 (N, D).
    """

    stored: Vectors
    units: npt.NDArray[np.float32]

    @classmethod
    def of(cls, vectors: Vectors) -> "Directions":
        """Return those of vectors, (N, D)."""
        units = np.empty(vectors.shape, np.float32)
        for start in range(0, len(vectors), AGAIN):
            units[start : start + AGAIN] = unit_vectors(vectors[start : start + AGAIN])
        return cls(vectors, units)

    def take(self, rows: Numbers) -> "Directions":
        """Return some of them, integers (M,)."""
        return Directions(self.stored[rows], self.units[rows])


def unit_vectors(vectors: Vectors) -> npt.NDArray[np.float64]:
    """Return vectors, (..., D), at length 1: float64; one without a direction stays 0.

    >>> unit_vectors(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    wide = vectors.astype(np.float64)
    length = np.linalg.norm(wide, axis=-1, keepdims=True)
    found: npt.NDArray[np.float64] = wide / np.where(length == 0, 1.0, length)
    return found


def exact_cosines(one: Vectors, others: Vectors) -> npt.NDArray[np.float64]:
    """Return the cosines of a vector, (D,), or of as many as there are others, (N, D), to others: float64 (N,).

    Not by a matrix product: each pair rounds alike whatever its neighbours.

    >>> exact_cosines(np.array([1.0, 0.0]), np.array([[3.0, 4.0], [0.0, 2.0]])).tolist()
    [0.6, 0.0]
    """
    units = unit_vectors(others)
    found: npt.NDArray[np.float64] = np.einsum("nd,nd->n", units, np.broadcast_to(unit_vectors(one), units.shape))
    return found


def float32_error(dim: int) -> float:
    """Return by how much a product of two vectors of length 1 is off in float32 at most, in whatever order it adds.

    Source: Higham 2002, Accuracy and Stability of Numerical Algorithms, equation (3.5).

    >>> float32_error(768) < 5e-5
    True
    """
    rounded = dim * UNIT
    return rounded / (1.0 - rounded) + ROUNDED * UNIT


def reach(cosines: npt.NDArray[np.float64], least: float) -> Mask:
    """Return which cosines in float64 are at least so large, but for their rounding.

    >>> reach(np.array([1 - 1e-16, 0.999]), 1.0)
    array([ True, False])
    """
    return cosines >= least - ROUNDING


def which_reach(left: Directions, right: Directions, least: float) -> Mask:
    """Return which pairs, of N and M, have a cosine of at least ``least``, in (0, 1]: bool (N, M).

    By a matrix product in float32, and again in float64 where that is too near to tell.
    """
    cosines = left.units @ right.units.T
    found: Mask = cosines >= least
    first, second = np.nonzero(np.abs(cosines - np.float32(least)) <= float32_error(left.units.shape[1]))
    for start in range(0, len(first), AGAIN):
        rows, columns = first[start : start + AGAIN], second[start : start + AGAIN]
        found[rows, columns] = reach(exact_cosines(left.stored[rows], right.stored[columns]), least)
    return found
