"""What each image adds to a Fréchet distance: for its error, for differences of two, and to look at."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import linalg

from diptych.evaluate.statistics.moments import TORCH_DIM, Floats, Moments

# Of the largest eigenvalue: directions below it are left out of the contributions, where they would be noise.
RANK_TOLERANCE = 1e-12
BLOCK_ROWS = 8192

Vectors = npt.NDArray[np.floating[Any]]


class Projection(NamedTuple):
    """The optimal transport T between two distributions as squared lengths: x'Tx = |projection @ x|^2."""

    left: npt.NDArray[np.float32]
    right: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Contributions:
    """What each image adds to a distance: the influence function at the images of both sides.

    FD changes by ``left[i] / n`` when image i of the left set is counted once more, so that a gallery can show what
    makes the distance large; their variance over n is that of FD. c(x) = 2 (x - m)'(m - m_r) + q(x) - E q, with
    q(x) = |x - m|^2 - (x - m)'T(x - m) and T the optimal transport map, on the reference's side its inverse. Source:
    derivative of the formula in ``frechet``; T as in Olkin and Pukelsheim 1982, theorem 4.

    Attributes:
        left: float64 (N,), mean 0.
        right: float64 (M,), mean 0.
    """

    left: Floats
    right: Floats


def contributions(left: Moments, right: Moments, left_vectors: Vectors, right_vectors: Vectors) -> Contributions:
    """Return what each image adds to the distance of two sets, from their moments and their vectors (N, D), (M, D)."""
    projection = transport(left, right)
    apart = left.mean - right.mean
    return Contributions(
        _influence(left_vectors, left.mean, apart, projection.left),
        _influence(right_vectors, right.mean, -apart, projection.right),
    )


def transport(left: Moments, right: Moments) -> Projection:
    """Return the transport between two sets. With K K_r' = W s V': s^(-1/2) V'K_r for the left, s^(-1/2) W'K right."""
    product = left.root @ right.root.T
    is_wide = product.shape[0] <= product.shape[1]
    gram = product @ product.T if is_wide else product.T @ product
    squares, vectors = _eigenvectors(gram)
    kept = squares > max(squares, default=0.0) * RANK_TOLERANCE
    values, near = np.sqrt(squares[kept]), vectors[:, kept]
    far = (product.T if is_wide else product) @ near / values
    w, v = (near, far) if is_wide else (far, near)
    scale = (values**-0.5)[:, np.newaxis]
    to_left, to_right = scale * (v.T @ right.root), scale * (w.T @ left.root)
    return Projection(to_left.astype(np.float32), to_right.astype(np.float32))


def _eigenvectors(symmetric: Floats) -> tuple[Floats, Floats]:
    if len(symmetric) < TORCH_DIM:
        values, vectors = linalg.eigh(symmetric, check_finite=False)
        return values, vectors
    import torch

    found = torch.linalg.eigh(torch.from_numpy(symmetric))
    return found.eigenvalues.numpy(), found.eigenvectors.numpy()


def _influence(vectors: Vectors, mean: Floats, apart: Floats, projection: npt.NDArray[np.float32]) -> Floats:
    values = np.empty(len(vectors))
    for start in range(0, len(vectors), BLOCK_ROWS):
        block = vectors[start : start + BLOCK_ROWS].astype(np.float64) - mean
        seen = block.astype(np.float32) @ projection.T  # exact enough for an error, and twice as fast
        lengths = np.einsum("nd,nd->n", block, block) - np.einsum("nr,nr->n", seen, seen, dtype=np.float64)
        values[start : start + BLOCK_ROWS] = 2.0 * (block @ apart) + lengths
    centred: Floats = values - values.mean()
    return centred
