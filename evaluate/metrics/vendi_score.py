"""The Vendi score of some vectors: how many different ones they are worth.

It is the exponential of the Rényi entropy of order q of the eigenvalues of K / n, K being the matrix of cosines. Equal
vectors are worth 1, n at right angles n. A lower order lets rare ones count more, the infinite order counts the most
frequent alone. Source: Friedman and Dieng 2023 (arXiv 2210.02410), equation (2); orders: Pasarkar and Dieng 2024 (arXiv
2310.12952), equation (3). X X' and X' X have the same eigenvalues above 0, so with more vectors than dimensions the
smaller matrix does (the dual form).
"""

import math

import numpy as np
import numpy.typing as npt

from diptych.evaluate.statistics.moments import Floats, eigenvalues

# Order -> how it ends a name.
ORDERS: dict[float, str] = {1.0: "", 0.5: "_half", 2.0: "_two", math.inf: "_infinity"}
BLOCK_ROWS = 2048
RANK_TOLERANCE = 1e-12  # of the largest: below this an eigenvalue is rounding, of which the order 1/2 makes much

Vectors = npt.NDArray[np.float32]


def spectrum(vectors: Vectors) -> Floats:
    """Return the eigenvalues of K / n that are not rounding, float64 (R,): at least 0, of the sum 1.

    Args:
        vectors: float32 (N, D), N at least 1, none of them 0.
    """
    n, dim = vectors.shape
    if n <= dim:
        rows = _directions(vectors)
        return _kept(eigenvalues(rows @ rows.T / n))
    total = np.zeros((dim, dim))
    for start in range(0, n, BLOCK_ROWS):
        rows = _directions(vectors[start : start + BLOCK_ROWS])
        total += rows.T @ rows
    return _kept(eigenvalues(total / n))


def vendi_score(found: Floats, order: float = 1.0) -> float:
    """Return the Vendi score of eigenvalues (R,) above 0 whose sum is 1: in [1, R].

    >>> [round(vendi_score(np.array([0.5, 0.25, 0.25]), order), 4) for order in (0.5, 1.0, 2.0, math.inf)]
    [2.9142, 2.8284, 2.6667, 2.0]
    """
    if order == 1.0:
        entropy = -float((found * np.log(found)).sum())
    elif math.isinf(order):
        entropy = -math.log(float(found.max()))
    else:
        entropy = math.log(float((found**order).sum())) / (1.0 - order)
    return math.exp(entropy)


def has_direction(vectors: Vectors) -> npt.NDArray[np.bool_]:
    """Return bool (N,): whether a vector has a cosine with others, that is, is not 0."""
    return np.asarray(vectors.any(axis=1))


def _directions(vectors: Vectors) -> Floats:
    rows = vectors.astype(np.float64)
    directions: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return directions


def _kept(found: Floats) -> Floats:
    kept = found[found > RANK_TOLERANCE * found[-1]]
    scaled: Floats = kept / kept.sum()
    return scaled
