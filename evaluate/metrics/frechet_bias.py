"""By how much a Fréchet distance is too large because the sets are finite, and how well it is known.

With p dimensions of n independent normal vectors the sum of the roots of a sample is too small by an amount that random
matrix theory gives from the roots themselves (Tiomoko and Couillet 2019, arXiv 1903.03447, for two sets of one size):
what is wanted is 2 n (sum s - sum x), x^2 being the eigenvalues of diag(s^2) - s s' / n. It holds where n is not far
above p too. Vectors that are not normal, or that depend on each other, make a covariance as uncertain as fewer normal
ones would. How many is told by the fourth moments of the vectors, those of one unit taken together, weighted as they
count in the second-order bias, see ``uncertainty``: that is ours. Two sets of different size count as two of their
harmonic mean, since to second order the bias is the same function of n and of m.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import linalg

from diptych.evaluate.metrics.frechet_coupling import Coupling
from diptych.evaluate.metrics.frechet_influence import influence_at
from diptych.evaluate.metrics.kept_vectors import KeptVectors, Texts, hashes
from diptych.evaluate.statistics.intervals import even_clusters, joint_df, mean_variance
from diptych.evaluate.statistics.moments import Floats

Index = npt.NDArray[np.int64]

# What error and effective number are estimated from: whole units until so many numbers and so many units are seen.
SAMPLE_NUMBERS = 2**19
SAMPLE_UNITS = 256
NODES = 40  # of the integral below
LEAST_GAP = 1e-13  # of the largest: LAPACK wants different numbers
LOWEST_ROOT = 1e-6  # of the largest: smaller ones weigh nothing


class SideError(NamedTuple):
    """What a side of a distance is uncertain by.

    Attributes:
        variance: Of the distance, from what its images add to it.
        df: Degrees of freedom of the variance.
        number: How many independent normal vectors have a covariance as uncertain.
        number_error: Relative standard error of that.
        mean_bias: By how much the squared distance of the means is too large because of this side.
    """

    variance: float
    df: float
    number: float
    number_error: float
    mean_bias: float


class Correction(NamedTuple):
    """A distance corrected for size: its value, its variance and the degrees of freedom of that."""

    value: float
    variance: float
    df: float


def side_error(pair: Coupling, kept: KeptVectors, *, is_left: bool) -> SideError:
    """Return the uncertainty of a side of a distance.

    Args:
        pair: The two sets.
        kept: The vectors of the side.
        is_left: Which it is.
    """
    moments = pair.left if is_left else pair.right
    rows = sampled(kept.units, moments.dim)
    centred, units = kept.matrix[rows].astype(np.float64) - moments.mean, kept.units[rows]
    coordinates = pair.left_coordinates(centred) if is_left else pair.right_coordinates(centred)
    apart = pair.left.mean - pair.right.mean
    variance, df = mean_variance(influence_at(centred, coordinates, apart if is_left else -apart), units)
    share = even_clusters(units) / kept.even_units  # a variance is one over what the units are worth
    groups = groups_of(units)
    together = sum(float((centred[rows].sum(axis=0) ** 2).sum()) for rows in groups) / float((centred**2).sum())
    factor, error = uncertainty(coordinates, groups, pair.roots)
    return SideError(variance * share, df, kept.n / factor, error, together * moments.trace / kept.n)


def corrected(value: float, pair: Coupling, sides: tuple[SideError, SideError]) -> Correction:
    """Return a distance corrected for the size of both sets, with its error, that of the correction in it."""
    number = 2.0 / sum(1.0 / side.number for side in sides)
    of_roots = 2.0 * (sum_of_roots(pair.roots, number) - float(pair.roots.sum()))
    of_numbers = sum((of_roots * number / side.number / 2.0 * side.number_error) ** 2 for side in sides)
    left, right = sides
    df = joint_df((left.variance, right.variance), (left.df, right.df))
    value -= of_roots + left.mean_bias + right.mean_bias
    return Correction(value, left.variance + right.variance + of_numbers, df)


def sum_of_roots(roots: Floats, number: float) -> float:
    """Return the sum of the roots of two distributions from those of samples.

    Args:
        roots: float64 (R,), ascending.
        number: Of independent normal vectors in either sample.

    >>> [round(sum_of_roots(np.array([1.0, 2.0]), number), 4) for number in (1e6, 20.0)]
    [3.0, 3.0745]
    """
    # The eigenvalues of diag(s^2) - s s'/n are the largest s^2 less those of diag(its gaps) + s s'/n, as LAPACK has it:
    # by how much each is below its s^2, to full precision, though the whole is a small difference of large numbers.
    falling = roots[::-1]
    if len(falling) == 1:
        return float(2.0 * number * falling[0] * (1.0 - (1.0 - 1.0 / number) ** 0.5))
    squares = falling**2
    gaps = np.sqrt(squares[0] - squares)
    for place in range(1, len(gaps)):
        gaps[place] = max(gaps[place], gaps[place - 1] + LEAST_GAP * falling[0])
    length = float(np.linalg.norm(roots))
    total = 0.0
    for place, root in enumerate(falling.tolist()):
        less, _, more, info = linalg.lapack.dlasd4(place, gaps, falling / length, length**2 / number)
        assert info == 0, info
        drop = -float(less[place] * more[place])
        total += drop / (root + max(root**2 - drop, 0.0) ** 0.5)
    return 2.0 * number * total


def uncertainty(coordinates: Floats, groups: Sequence[Index], roots: Floats) -> tuple[float, float]:
    """Return how much more uncertain a covariance is than that of as many normal vectors, and the error of that.

    The second-order bias is sum_ij E[y_i^2 y_j^2] / (s_i s_j (s_i + s_j)) with coordinates y of variances s^2, for
    normal vectors sum_ij s_i s_j / (s_i + s_j); 1 / (s_i + s_j) is the integral of exp(-t (s_i + s_j)) over t, by which
    both are sums of squares. Images of one unit count with all their products.

    Args:
        coordinates: float64 (N, R) of variances ``roots``.
        groups: The rows of each unit.
        roots: float64 (R,), ascending.

    Returns:
        The factor, 1 for independent normal vectors, and its relative standard error.
    """
    low = float(roots[roots > LOWEST_ROOT * roots[-1]][0])
    times = np.linspace(np.log(1e-3 / roots[-1]), np.log(20.0 / low), NODES)
    decays = np.exp(-np.outer(np.exp(times), roots))  # (NODES, R)
    weights = np.exp(times) * (times[1] - times[0])
    own = coordinates**2 @ decays.T  # (N, NODES)
    means = own.mean(axis=0)
    normal = float(means**2 @ weights)
    sizes = np.array([len(rows) for rows in groups], np.float64)
    if len(groups) == len(coordinates):
        pairs = (own**2 @ weights)[np.concatenate(groups)]
    else:
        pairs = np.array([_products(coordinates[rows], decays, weights) for rows in groups])
    rest = (pairs - float(roots.sum()) / 2.0 * sizes**2) / sizes.mean()  # less E[y_i^2]^2, which is not uncertain
    factor = float(rest.mean()) / normal
    with_normal = 2.0 * own @ (weights * means)
    drift = np.array([with_normal[rows].sum() for rows in groups]) / sizes.mean()
    error = float((rest - factor * drift).std(ddof=1)) / len(groups) ** 0.5 / normal
    return factor, error / factor


def _products(coordinates: Floats, decays: Floats, weights: Floats) -> float:
    """Return what the images of one unit (M, R) add, by all their products."""
    products = [(coordinates * decay) @ coordinates.T for decay in decays]
    return float(weights @ [np.vdot(product, product) for product in products])


def sampled(units: Texts, dim: int) -> Index:
    """Return the rows of so many whole units as error and effective number are estimated from, ascending.

    Units are taken in the order of a hash of their names, so that neither the order of images nor cuts matter.
    """
    enough = max(SAMPLE_NUMBERS // dim, 1)
    if len(units) <= enough:
        return np.arange(len(units))
    names, unit, sizes = np.unique(units, return_inverse=True, return_counts=True)
    order = np.argsort(hashes(names), kind="stable")
    count = max(int(np.searchsorted(np.cumsum(sizes[order]), enough)) + 1, SAMPLE_UNITS)
    taken = np.zeros(len(names), bool)
    taken[order[:count]] = True
    return np.flatnonzero(taken[unit])


def groups_of(units: Texts) -> list[Index]:
    """Return the rows of each unit."""
    _, unit = np.unique(units, return_inverse=True)
    order = np.argsort(unit, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(unit[order])) + 1)
