"""What each image adds to a Fréchet distance: for its error, for differences of two, and to look at."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.evaluate.metrics.frechet_coupling import Coupling
from diptych.evaluate.statistics.moments import Floats

BLOCK_ROWS = 4096

Vectors = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Contributions:
    """What each image adds to a distance: the influence function at the images of both sides.

    FD changes by ``left[i] / n`` when image i of the left set is counted once more, so that a gallery can show what
    makes the distance large; their variance over n is that of FD. c(x) = 2 (x - m)'(m - m_r) + q(x) - E q, with
    q(x) = |x - m|^2 - (x - m)'T(x - m) and T the optimal transport map, on the reference's side its inverse. Source:
    derivative of the formula in ``frechet``.

    Attributes:
        left: float64 (N,), mean 0.
        right: float64 (M,), mean 0.
    """

    left: Floats
    right: Floats


def contributions(pair: Coupling, left_vectors: Vectors, right_vectors: Vectors) -> Contributions:
    """Return what each image adds to the distance of two sets, from their coupling and their vectors (N, D), (M, D)."""
    apart = pair.left.mean - pair.right.mean
    return Contributions(
        _influence(left_vectors, pair.left.mean, apart, pair.left_coordinates),
        _influence(right_vectors, pair.right.mean, -apart, pair.right_coordinates),
    )


def image_contributions(pair: Coupling, vectors: Vectors) -> Floats:
    """Return what each image of the left set adds, see ``Contributions``, float64 (N,), where the right has moments."""
    apart = pair.left.mean - pair.right.mean
    return _influence(vectors, pair.left.mean, apart, pair.left_coordinates)


def influence_at(centred: Floats, coordinates: Floats, apart: Floats) -> Floats:
    """Return what images add, but for a constant, from their vectors less the mean (N, D) and their coordinates."""
    lengths = np.einsum("nd,nd->n", centred, centred) - np.einsum("nr,nr->n", coordinates, coordinates)
    found: Floats = 2.0 * (centred @ apart) + lengths
    return found


def _influence(vectors: Vectors, mean: Floats, apart: Floats, coordinates: Callable[[Floats], Floats]) -> Floats:
    values = np.empty(len(vectors))
    for start in range(0, len(vectors), BLOCK_ROWS):
        centred = vectors[start : start + BLOCK_ROWS].astype(np.float64) - mean
        values[start : start + BLOCK_ROWS] = influence_at(centred, coordinates(centred), apart)
    found: Floats = values - values.mean()
    return found
