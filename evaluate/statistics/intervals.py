"""Means of per-image numbers with intervals that know that images of one prompt depend on each other.

An interval over images as if each were a prompt of its own is too narrow by the square root of the design effect:
twenty images of one prompt are not twenty times the knowledge.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from diptych.intervals import NORMAL_95, wilson_ends

Floats = npt.NDArray[np.floating[Any]]

LEVEL = 0.95
ROUNDING = 1e-12  # what is a smaller part of the numbers that it is made of is nothing but rounding


class Interval(NamedTuple):
    """The ends of an interval of 95 percent."""

    low: float
    high: float


class ClusteredMean(NamedTuple):
    """A mean with its error.

    Attributes:
        value: NaN where nothing is scored.
        se: Standard error; NaN with fewer than two clusters.
        ci_low: Lower end of the interval of 95 percent; NaN as ``se``.
        ci_high: Upper end.
        n: Numbers that the mean is of.
        n_clusters: Clusters among them.
        df: Degrees of freedom of the interval.
        n_unscored: Rows without a number.
    """

    value: float
    se: float
    ci_low: float
    ci_high: float
    n: int
    n_clusters: int
    df: float
    n_unscored: int


class _Clusters(NamedTuple):
    """The sum of deviations of each cluster, scaled so that their sum is the error of the mean."""

    value: float
    variance: float
    df: float
    n_clusters: int


def clustered_mean(
    values: Floats,
    clusters: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    weights: Floats | None = None,
    parts: Floats | None = None,
) -> ClusteredMean:
    """Return the mean over images, or over strata of the mean over images, with a cluster-robust interval.

    The variance is the sum of squared cluster totals of deviations, each over 1 - h with h the cluster's share of the
    numbers (CR2, Bell and McCaffrey 2002); the interval is Student's with G* - 1 degrees of freedom, where G* =
    n^2 / sum n_g^2 is the number of clusters of one size that these are worth (Carter, Schnepel and Steigerwald 2017).
    With G clusters of one size that is the usual G / (G - 1) and G - 1. Undefined input gives NaN: no number at all, or
    fewer than two clusters in a stratum for the error.

    Args:
        values: (N,); NaN is unscored and left out.
        clusters: (N,) strings or integers: what depends on each other, such as the prompt.
        strata: (N,) strings or integers: categories that weigh the same whatever their number of images, as GenEval
            averages. An image of several categories stands there once for each; its cluster then lies in several.
        weights: (N,) above 0: how much each number counts, as a question does; None counts all alike. What is said
            above of numbers of a cluster then holds for the sum of their weights.
        parts: (N,) above 0, the same within a stratum: how much the stratum of each number counts; None counts all
            alike. The degrees of freedom are then those of the sum of the strata's variances.

    >>> clustered_mean(np.array([1.0, 1.0, 2.0, 2.0, 6.0, np.nan]), ["a", "a", "b", "b", "c", "c"]).value
    2.4
    >>> clustered_mean(np.array([1.0, 4.0]), ["a", "b"], weights=np.array([2.0, 1.0])).value
    2.0
    >>> found = clustered_mean(np.array([1.0, 2.0, 3.0, 4.0]), [0, 1, 2, 3])
    >>> round(found.se, 6), round(found.ci_low, 4), round(found.ci_high, 4)
    (0.645497, 0.4457, 4.5543)
    """
    scored = np.isfinite(values)
    kept = np.asarray(values, np.float64)[scored]
    unscored = int((~scored).sum())
    if not len(kept):
        nothing = float("nan")
        return ClusteredMean(nothing, nothing, nothing, nothing, 0, 0, 0.0, unscored)
    counts = np.ones(len(kept)) if weights is None else np.asarray(weights, np.float64)[scored]
    kinds = None if strata is None else np.asarray(strata)[scored]
    found = _clusters(kept, np.asarray(clusters)[scored], kinds, counts, None if parts is None else parts[scored])
    ends = interval(found.value, found.variance, found.df)
    return ClusteredMean(
        found.value, float(np.sqrt(found.variance)), *ends, len(kept), found.n_clusters, found.df, unscored
    )


def interval(value: float, variance: float, df: float) -> Interval:
    """Return Student's interval around a value: NaN where variance or degrees of freedom are not known.

    Nor is there one where the variance is 0 or nothing but rounding: that nothing varies among a few does not tell that
    others are the same.

    >>> [round(end, 4) for end in interval(0.0, 1.0, np.inf)]
    [-1.96, 1.96]
    """
    if not (variance > (ROUNDING * value) ** 2 and df > 0.0):
        return Interval(float("nan"), float("nan"))
    half = _quantile(df) * float(np.sqrt(variance))
    return Interval(value - half, value + half)


def squared_interval(value: float, variance: float, null_variance: float, df: float) -> Interval:
    """Return the interval of an unbiased estimate of a squared distance, whose variance grows with the distance.

    Such an estimate has variance a t + b at a true distance t, so that one that is too low takes its own error for too
    small, and a symmetric interval misses on one side. The ends are the t that a test with the variance at t does not
    reject, as Wilson's are for a share. NaN where a variance or the degrees of freedom are not known, or nothing
    varies.

    Args:
        value: The estimate; may be below 0.
        variance: Its variance as estimated, a t + b at the estimate.
        null_variance: b, what is left of it where the distance is 0.
        df: Degrees of freedom.

    >>> [round(end, 4) for end in squared_interval(1.0, 0.04, 0.01, np.inf)]
    [0.6614, 1.4538]
    """
    if not (variance > 0.0 and variance >= null_variance >= 0.0 and df > 0.0):
        return Interval(float("nan"), float("nan"))
    quantile = _quantile(df)
    slope = (variance - null_variance) / max(value, quantile * float(np.sqrt(variance)))
    shift = quantile**2 * slope / 2.0
    half = float(np.sqrt(quantile**2 * (slope * max(value, 0.0) + null_variance) + shift**2))
    return Interval(value + shift - half, value + shift + half)


def share_interval(value: float, variance: float, df: float, numbers: tuple[float, float]) -> Interval:
    """Return the interval of a share whose variance is known: Wilson's at as many independent images as have it.

    So it stays within [0, 1], and has a width also where all or none are counted. NaN where variance or degrees of
    freedom are not known.

    Args:
        value: In [0, 1].
        variance: Of the share.
        df: Degrees of freedom of the variance.
        numbers: How many independent images the share is worth where nothing varies, so that nothing else tells; and
            how many it is of, which are the most that it can be worth.

    >>> [round(end, 3) for end in share_interval(0.5, 0.0025, np.inf, (64.0, 1000.0))]
    [0.404, 0.596]
    """
    if not (variance >= 0.0 and df > 0.0):
        return Interval(float("nan"), float("nan"))
    worth, most = numbers
    spread, quantile = value * (1.0 - value), _quantile(df)
    independent = spread / variance * (NORMAL_95 / quantile) ** 2 if variance > 0.0 and spread > 0.0 else worth
    low, high = wilson_ends(value, min(independent, most))
    half = quantile * variance**0.5 if spread == 0.0 else 0.0  # all or none, but not of some part of the images
    return Interval(max(0.0, min(low, value - half)), min(1.0, max(high, value + half)))


def mean_variance(values: Floats, clusters: npt.ArrayLike) -> tuple[float, float]:
    """Return the variance of the mean of (N,) numbers and its degrees of freedom; NaN with fewer than two clusters.

    >>> mean_variance(np.array([1.0, 3.0]), ["a", "b"])
    (1.0, 1.0)
    """
    found = _clusters(np.asarray(values, np.float64), np.asarray(clusters), None, np.ones(len(values)))
    return found.variance, found.df


def even_clusters(clusters: npt.ArrayLike, weights: Floats | None = None) -> float:
    """Return how many clusters of one size these are worth, n^2 / sum n_g^2: their number where they are of one size.

    It is how many independent images the mean is worth if images of one cluster are copies. The size of a cluster is
    the sum of its weights, where there are any.

    >>> even_clusters(["a", "a", "b", "b"]), round(even_clusters(["a"] * 17 + ["b"]), 3)
    (2.0, 1.117)
    """
    sizes = np.bincount(np.unique(np.asarray(clusters), return_inverse=True)[1], weights).astype(np.float64)
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def joint_df(variances: Sequence[float] | Floats, dfs: Sequence[float] | Floats) -> float:
    """Return the degrees of freedom of a sum of independent variances (Welch 1947, Satterthwaite 1946).

    >>> joint_df((1.0, 1.0), (10.0, 10.0))
    20.0
    """
    total = float(sum(variances))
    parts = [float(variance) ** 2 / float(df) for variance, df in zip(variances, dfs, strict=True) if df > 0]
    return total**2 / sum(parts) if sum(parts) > 0.0 else float("inf")


def _quantile(df: float) -> float:
    return float(stdtrit(min(df, 1e9), (1.0 + LEVEL) / 2.0))


def stratum_parts(strata: npt.NDArray[Any], parts: Floats | None) -> npt.NDArray[np.float64]:
    """Return (K,) how much each stratum counts, in the order of their names; their sum is 1.

    >>> stratum_parts(np.array(["b", "a", "b"]), np.array([1.0, 3.0, 1.0])).tolist()
    [0.75, 0.25]
    """
    first = np.unique(strata, return_index=True)[1]
    each = np.ones(len(first)) if parts is None else np.asarray(parts, np.float64)[first]
    return np.asarray(each / each.sum(), np.float64)


def _clusters(
    values: Floats,
    clusters: npt.NDArray[Any],
    strata: npt.NDArray[Any] | None,
    weights: Floats,
    parts: Floats | None = None,
) -> _Clusters:
    names, cluster = np.unique(clusters, return_inverse=True)
    kinds = np.zeros(len(values), np.int64) if strata is None else np.unique(strata, return_inverse=True)[1]
    sizes = np.bincount(kinds, weights)
    counted = stratum_parts(kinds, parts)
    count = len(sizes)
    means = np.bincount(kinds, weights * values) / sizes
    value = float(means.mean() if parts is None else counted @ means)
    scaled = weights * (values - means[kinds]) / sizes[kinds] * counted[kinds]
    kind_of = np.zeros(len(names), np.int64)
    kind_of[cluster] = kinds
    rounding = ROUNDING * float(np.abs(values).max())
    value = value if abs(value) > rounding else 0.0
    if len(np.unique(np.stack([cluster, kinds]), axis=1).T) > len(names):
        found = _overlapping(value, counted, scaled, cluster, kinds, weights)
        return found._replace(variance=_spread(found.variance, rounding))
    totals = np.bincount(cluster, scaled, minlength=len(names))
    owned = np.bincount(cluster, weights, minlength=len(names))
    shares = owned / sizes[kind_of]
    with np.errstate(divide="ignore", invalid="ignore"):
        each = totals**2 / (1.0 - shares)
    variance = float(each.sum())
    dfs = np.asarray(sizes**2 / np.bincount(kind_of, owned**2, minlength=count) - 1.0, np.float64)
    own = np.asarray(np.bincount(kind_of, each, minlength=count), np.float64)
    df = float(dfs.sum()) if parts is None else joint_df(own, dfs)
    return _Clusters(value, _spread(variance, rounding), df, len(names))


def _spread(variance: float, rounding: float) -> float:
    """Return a variance: 0 where it is nothing but rounding of the numbers, NaN where it is not known."""
    if not np.isfinite(variance):
        return float("nan")
    return variance if variance > rounding**2 else 0.0


def _overlapping(
    value: float,
    counted: Floats,
    scaled: Floats,
    cluster: npt.NDArray[np.int64],
    kinds: npt.NDArray[np.int64],
    weights: Floats,
) -> _Clusters:
    """Return the same where clusters lie in several strata: what a cluster adds is the sum over those.

    In each stratum it is scaled as CR2 does, so that where no cluster lies in two it is the same variance. The degrees
    of freedom are those of the strata together, but not more than the clusters are worth by what they weigh.
    """
    cells = (kinds.max() + 1) * cluster + kinds
    owned = np.bincount(cells, weights, minlength=(cluster.max() + 1) * (kinds.max() + 1))
    owned = owned.reshape(cluster.max() + 1, -1)
    deviations = np.bincount(cells, scaled, minlength=owned.size).reshape(owned.shape)
    shares = owned / owned.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        added = np.where(owned > 0, deviations / np.sqrt(1.0 - shares), 0.0)
        variance = float((added.sum(axis=1) ** 2).sum())
    parts = shares @ counted
    df = min(float((1.0 / (shares**2).sum(axis=0) - 1.0).sum()), float(1.0 / (parts**2).sum()) - 1.0)
    return _Clusters(value, variance, df, len(owned))
