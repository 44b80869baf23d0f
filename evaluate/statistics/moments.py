"""Mean and covariance of a set of vectors in float64, kept so that sets can be put together without loss.

With no more vectors than dimensions their covariance is singular, and its n x d square root is both smaller and more
exact than the d x d matrix: the root is kept as long as it is the smaller one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg

Floats = npt.NDArray[np.float64]
BLOCK_ROWS = 2048
TORCH_DIM = 512  # from here on eigenvalues come from torch; by size alone, so that a rerun gives the same digits


@dataclass(frozen=True)
class Moments:
    """Number, mean and spread of a set of vectors of length D.

    Attributes:
        n: Vectors, at least 1.
        mean: float64 (D,).
        spread: The sum S of (x - mean)(x - mean)' as float64 (D, D), or where ``is_root`` a float64 (n - 1, D) matrix
            A with A'A = S.
        is_root: Which of both; a root where n - 1 < D.
    """

    n: int
    mean: Floats
    spread: Floats
    is_root: bool

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return len(self.mean)

    @property
    def trace(self) -> float:
        """Trace of the covariance (divisor n - 1); NaN for one vector."""
        total = np.vdot(self.spread, self.spread) if self.is_root else np.trace(self.spread)
        return float(total) / (self.n - 1) if self.n > 1 else float("nan")

    @property
    def covariance(self) -> Floats:
        """float64 (D, D), divisor n - 1."""
        covariance: Floats = self._scatter / (self.n - 1)
        return covariance

    @cached_property
    def root(self) -> Floats:
        """float64 (R, D), a matrix K with K'K = covariance and R as small as it can be."""
        if self.is_root:
            root: Floats = self.spread / np.sqrt(self.n - 1)
            return root
        return square_root(self.covariance) if self.triangle is None else self.triangle

    @cached_property
    def triangle(self) -> Floats | None:
        """Cholesky's factor, upper triangular float64 (D, D); None where the covariance is singular or kept as root."""
        return None if self.is_root else cholesky(self.covariance)

    @property
    def _scatter(self) -> Floats:
        return self.spread.T @ self.spread if self.is_root else self.spread


def moments(vectors: npt.NDArray[np.floating[Any]]) -> Moments:
    """Return the moments of vectors (N, D), N at least 1, of any float type, in float64.

    Raises:
        ValueError: If there is no vector, or a number that is not finite.

    >>> found = moments(np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]]))
    >>> found.mean.tolist(), found.covariance.round(6).tolist()
    ([1.0, 1.0], [[1.333333, 0.0], [0.0, 1.333333]])
    """
    if vectors.ndim != 2 or 0 in vectors.shape:
        raise ValueError(f"moments: vectors of shape (N, D) are needed, N and D at least 1; not {vectors.shape}")
    if not np.isfinite(vectors).all():
        raise ValueError("moments: a vector holds a number that is not finite")
    n, dim = vectors.shape
    if n - 1 < dim:
        exact = vectors.astype(np.float64)
        mean = exact.mean(axis=0)
        return Moments(n, mean, _contrasts(exact - mean), True)
    # About a point near the mean, so that nothing cancels. NumPy multiplies a block with itself by a symmetric rank-k
    # update; vectors that have no more than float32 say in float32, at half the cost, the sum over blocks in float64.
    precision = np.float32 if vectors.dtype.itemsize <= np.dtype(np.float32).itemsize else np.float64
    shift = vectors[:BLOCK_ROWS].mean(axis=0, dtype=np.float64).astype(precision)
    total, spread = np.zeros(dim), np.zeros((dim, dim))
    for start in range(0, n, BLOCK_ROWS):
        block = vectors[start : start + BLOCK_ROWS].astype(precision, copy=False)
        total += block.sum(axis=0, dtype=np.float64)
        block = block - shift
        spread += block.T @ block
    mean = total / n
    offset = mean - shift
    return Moments(n, mean, spread - n * np.outer(offset, offset), False)


def merged(parts: Iterable[Moments]) -> Moments:
    """Return the moments of all sets together; order and grouping change nothing but rounding.

    Source: Chan, Golub and LeVeque 1979, equations (2.1).

    Raises:
        ValueError: If there is no part, or the parts differ in the length of their vectors.

    >>> both = merged([moments(np.array([[1.0], [3.0]])), moments(np.array([[5.0]]))])
    >>> both.n, both.mean.tolist(), both.covariance.round(9).tolist()
    (3, [3.0], [[4.0]])
    """
    parts = list(parts)
    if len({part.dim for part in parts}) != 1:
        raise ValueError(f"moments: vectors of one length are needed, not {sorted({part.dim for part in parts})}")
    return reduce(_merge, parts)


def cholesky(covariance: Floats) -> Floats | None:
    """Return the upper triangular U with U'U = covariance, or None where it is singular but for rounding."""
    try:
        factor: Floats = linalg.cholesky(covariance, lower=False, check_finite=False)
    except linalg.LinAlgError:
        return None
    return factor if float(np.diagonal(factor).min()) ** 2 > _threshold(covariance) else None


def square_root(covariance: Floats) -> Floats:
    """Return K, float64 (R, D), with K'K = covariance and R its rank, from its eigenvalues.

    Args:
        covariance: float64 (D, D), symmetric, not negative.

    >>> np.abs(square_root(np.diag([4.0, 0.0]))).round(6).tolist()
    [[2.0, 0.0]]
    """
    values, vectors = linalg.eigh(covariance, check_finite=False)
    kept = values > _threshold(covariance)
    root: Floats = np.sqrt(values[kept])[:, np.newaxis] * vectors[:, kept].T
    return root


def eigenvalues(symmetric: Floats) -> Floats:
    """Return the eigenvalues of a symmetric matrix, of which only the lower triangle is read."""
    if len(symmetric) < TORCH_DIM:
        small: Floats = linalg.eigvalsh(symmetric, check_finite=False)
        return small
    import torch  # its LAPACK takes half the time

    large: Floats = torch.linalg.eigvalsh(torch.from_numpy(np.ascontiguousarray(symmetric))).numpy()
    return large


def _threshold(covariance: Floats) -> float:
    return float(np.diagonal(covariance).max()) * len(covariance) * float(np.finfo(np.float64).eps)


def _merge(left: Moments, right: Moments) -> Moments:
    n = left.n + right.n
    apart = right.mean - left.mean
    mean = left.mean + apart * (right.n / n)
    weight = left.n * right.n / n
    if n - 1 < left.dim:  # then both are roots
        bridge = np.sqrt(weight) * apart[np.newaxis]
        return Moments(n, mean, np.concatenate([left.spread, right.spread, bridge]), True)
    return Moments(n, mean, left._scatter + right._scatter + weight * np.outer(apart, apart), False)


def _contrasts(centred: Floats) -> Floats:
    """Return (n - 1, D) with the same inner products over dimensions as n centred rows: a reflection, one row dropped.

    The reflection takes the direction (1, ..., 1), in which centred rows have nothing, to the first axis.
    """
    n = len(centred)
    axis = np.full(n, 1.0 / np.sqrt(n))
    axis[0] += 1.0
    reflected: Floats = centred - np.outer(axis, (axis @ centred) * (2.0 / (axis @ axis)))
    return reflected[1:]
