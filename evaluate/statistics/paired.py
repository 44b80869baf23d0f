"""Differences between two models on the same prompts: paired, clustered by prompt, and adjusted for many comparisons.

Most of the spread of a score is between prompts and shared by the models, so that it cancels in the differences. Scores
of different prompts are never compared.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from diptych.evaluate.statistics.intervals import ROUNDING, ClusteredMean, clustered_mean

Floats = npt.NDArray[np.floating[Any]]


class Difference(NamedTuple):
    """The mean of a - b over pairs.

    Attributes:
        value: NaN where there is no pair.
        se: Standard error; NaN with fewer than two clusters.
        ci_low: Lower end of the interval of 95 percent; NaN as ``se``.
        ci_high: Upper end.
        p_value: Of no difference, two-sided: below 0.05 exactly where the interval excludes 0.
        n: Pairs in which both are scored.
        n_clusters: Clusters among them.
        n_unscored: Pairs in which one is not.
        df: Degrees of freedom of the error.
        above: Clusters in which a has more than b, in the mean over its pairs.
        below: Clusters in which it has less.
        effect: The mean of the clusters' differences over their standard deviation, each cluster counting the same
            (d_z, Cohen 1988); NaN with fewer than two clusters, or where they all differ by the same.
    """

    value: float
    se: float
    ci_low: float
    ci_high: float
    p_value: float
    n: int
    n_clusters: int
    n_unscored: int
    df: float = float("nan")
    above: int = 0
    below: int = 0
    effect: float = float("nan")


def paired_difference(
    a: Floats,
    b: Floats,
    clusters: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    weights: Floats | None = None,
    parts: Floats | None = None,
) -> Difference:
    """Return the mean difference a - b with a cluster-robust interval and its p-value, see ``clustered_mean``.

    Where all clusters differ by the same amount there is no spread to estimate an error from; the p-value is then that
    of the sign test.

    Args:
        a: (N,) numbers of one model; NaN is unscored.
        b: (N,) of the other, for the same prompt, sample and seed in each row.
        clusters: (N,) strings or integers: what depends on each other, such as the prompt.
        strata: (N,) categories, in each of which a mean is taken.
        weights: (N,) above 0: how much each pair counts; None counts all alike.
        parts: (N,) above 0: how much the category of each pair counts; None counts all alike.

    Raises:
        ValueError: If ``a`` and ``b`` differ in length.

    >>> found = paired_difference(np.array([3.0, 5.0, 4.0, 6.0]), np.array([2.0, 3.0, 3.0, 4.0]), [0, 1, 2, 3])
    >>> found.value, round(found.se, 6), round(found.p_value, 4)
    (1.5, 0.288675, 0.0138)
    """
    if len(a) != len(b):
        raise ValueError(f"pairs are needed: {len(a)} numbers stand against {len(b)}")
    gaps = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    mean = clustered_mean(gaps, clusters, strata, weights, parts)
    largest = max(np.nanmax(np.abs(side), initial=0.0) for side in (a, b))
    each = _cluster_means(gaps, np.asarray(clusters), weights, ROUNDING * float(largest))
    return Difference(
        mean.value,
        mean.se,
        mean.ci_low,
        mean.ci_high,
        _p_value(mean),
        mean.n,
        mean.n_clusters,
        mean.n_unscored,
        mean.df if np.isfinite(mean.se) else float("nan"),
        int((each > 0.0).sum()),
        int((each < 0.0).sum()),
        _effect(each),
    )


def _cluster_means(
    gaps: Floats, clusters: npt.NDArray[Any], weights: Floats | None, rounding: float
) -> npt.NDArray[np.float64]:
    """Return (G,) the mean difference of each cluster that has one; what is nothing but rounding is 0."""
    known = np.isfinite(gaps)
    counts = np.ones(len(gaps)) if weights is None else np.asarray(weights, np.float64)
    at = np.unique(clusters[known], return_inverse=True)[1]
    sums = np.bincount(at, (counts * gaps)[known])
    means = np.asarray(sums / np.bincount(at, counts[known]), np.float64)
    return np.where(np.abs(means) > rounding, means, 0.0)


def _effect(each: npt.NDArray[np.float64]) -> float:
    spread = float(each.std(ddof=1)) if len(each) > 1 else 0.0
    return float(each.mean()) / spread if spread > ROUNDING * float(np.abs(each).max(initial=0.0)) else float("nan")


def holm(p_values: Floats) -> npt.NDArray[np.float64]:
    """Return p-values adjusted for their number by Holm's step-down method (Holm 1979); NaN stays and does not count.

    Below 0.05 after the adjustment, at most 5 % of such families hold a difference that is none.

    Args:
        p_values: (N,), in [0, 1].

    >>> holm(np.array([0.01, 0.04, 0.03, np.nan])).round(6).tolist()
    [0.03, 0.06, 0.06, nan]
    """
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(np.isfinite(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0) if len(order) else []
    return adjusted


def _p_value(mean: ClusteredMean) -> float:
    if not np.isfinite(mean.se):
        return float("nan")
    if mean.se <= abs(mean.value) * 1e-12:
        return 1.0 if mean.value == 0.0 else 2.0 ** (1 - mean.n_clusters)
    return float(2.0 * stdtr(mean.df, -abs(mean.value) / mean.se))
