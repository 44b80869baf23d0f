"""The Fréchet distance of two sets of vectors from their moments.

FD = |m - m_r|^2 + tr S + tr S_r - 2 tr (S S_r)^(1/2). Source: Dowson and Landau 1982, equation (4); with features of
Inception it is FID (Heusel et al. 2017, arXiv 1706.08500). How the trace is computed stands in ``frechet_coupling``.
"""

from diptych.evaluate.metrics.frechet_coupling import Coupling
from diptych.evaluate.statistics.intervals import ROUNDING
from diptych.evaluate.statistics.moments import Moments

MIN_IMAGES = 2


def frechet_distance(left: Moments, right: Moments) -> float:
    """Return the squared Fréchet distance of two normal distributions with these moments: at least 0.

    Raises:
        ValueError: If the vectors differ in length, or a set has fewer than two.

    >>> import numpy as np
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
    return coupled_distance(Coupling(left, right))


def coupled_distance(pair: Coupling) -> float:
    """Return the distance of two sets of which the coupling is known; 0 where nothing but rounding is left."""
    apart, spread = pair.left.mean - pair.right.mean, pair.left.trace + pair.right.trace
    value = float(apart @ apart) + spread - 2.0 * pair.trace_of_root
    return value if value > ROUNDING * spread else 0.0
