"""The Fréchet distance of two sets of vectors from their moments.

FD = |m - m_r|^2 + tr S + tr S_r - 2 tr (S S_r)^(1/2). Source: Dowson and Landau 1982, equation (4); with features of
Inception it is FID (Heusel et al. 2017, arXiv 1706.08500). All in float64 and by symmetric matrices: the trace is the
sum of the singular values of K K_r', where S = K'K. The usual sqrtm and eigvals of S S_r are slower and, with fewer
images than dimensions, wrong in the sixth digit, because a thousand eigenvalues that should be 0 are 1e-16.
"""

import numpy as np
from scipy import linalg

from diptych.evaluate.statistics.moments import Floats, Moments, eigenvalues

MIN_IMAGES = 2
# What a sum of roots may lose by rounding before it is computed in a slower way, as a share of itself.
ROOT_TOLERANCE = 1e-9
GRAM_TOLERANCE = 1e-10


def frechet_distance(left: Moments, right: Moments) -> float:
    """Return the squared Fréchet distance of two normal distributions with these moments: at least 0, but for rounding.

    Raises:
        ValueError: If the vectors differ in length, or a set has fewer than two.

    >>> from diptych.evaluate.statistics.moments import moments
    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> round(frechet_distance(moments(square), moments(3 * square + [1.0, 0.0])), 6)
    7.666667
    """
    if left.dim != right.dim:
        raise ValueError(f"Fréchet distance: vectors of {left.dim} and of {right.dim} dimensions do not compare")
    if min(left.n, right.n) < MIN_IMAGES:
        raise ValueError(
            f"Fréchet distance: needs at least {MIN_IMAGES} images on each side, not {left.n} and {right.n}"
        )
    apart = left.mean - right.mean
    return float(apart @ apart) + left.trace + right.trace - 2.0 * trace_of_root(left, right)


def trace_of_root(left: Moments, right: Moments) -> float:
    """Return tr (S S_r)^(1/2) of two covariances: the sum of the singular values of K K_r'.

    From the eigenvalues of K S_r K' or K_r S K_r', the smaller one; where those are so near 0 that rounding counts, as
    where both covariances are singular, from the roots themselves.
    """
    if left.is_root and right.is_root:
        return _sum_of_singular_values(left.root @ right.root.T)
    small, large = (left, right) if left.is_root else (right, left)
    if small.triangle is None:
        half = small.root @ large.covariance @ small.root.T
    else:  # the same product by LAPACK's routine for generalised eigenvalues, for a quarter of the work
        half = _congruence(small.triangle, large.covariance)
    found = _sum_of_roots(eigenvalues(half), ROOT_TOLERANCE)
    return _sum_of_singular_values(left.root @ right.root.T) if found is None else found


def _congruence(triangle: Floats, symmetric: Floats) -> Floats:
    """Return U S U' of an upper triangular U, of which only the lower triangle is right."""
    product, info = linalg.lapack.dsygst(symmetric.T, np.asfortranarray(triangle), itype=2, lower=0)
    assert info == 0, info
    lower: Floats = product.T
    return lower


def _sum_of_singular_values(matrix: Floats) -> float:
    """Return it from the eigenvalues of the Gram matrix, or where squaring would lose digits from the matrix itself."""
    gram = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    found = _sum_of_roots(eigenvalues(gram), GRAM_TOLERANCE)
    return float(linalg.svdvals(matrix, check_finite=False).sum()) if found is None else found


def _sum_of_roots(squares: Floats, tolerance: float) -> float | None:
    """Return the sum of the roots of ascending eigenvalues; None if their rounding may change it by more than that."""
    if not len(squares):  # of a covariance that is 0
        return 0.0
    noise = 4.0 * float(np.finfo(np.float64).eps) * float(squares[-1])  # of each eigenvalue
    roots = np.sqrt(np.maximum(squares, noise))
    if not (noise > 0.0 and float((noise / (2.0 * roots)).sum()) < tolerance * float(roots.sum())):
        return None
    return float(np.sqrt(np.maximum(squares, 0.0)).sum())
