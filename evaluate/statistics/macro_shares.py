"""Shares of images that are right, with intervals that stay within [0, 1] and know that prompts are clusters.

Student's interval around a share has no width where all images are right and leaves [0, 1] near its ends; Wilson's with
an effective number of images does neither.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from diptych.evaluate.statistics.intervals import LEVEL, ClusteredMean, clustered_mean, even_clusters, stratum_parts
from diptych.intervals import NORMAL_95, wilson_ends

Floats = npt.NDArray[np.floating[Any]]

NO_SPREAD = 1e-9  # a standard error that is nothing but rounding
ONE_PROMPT = 1.5  # prompts of equal size that are worth less than this are one, with a few strays
FEW_TOGETHER = 10  # clusters in common of two strata; fewer do not tell that one share is high where the other is low


def clustered_share(
    values: Floats, clusters: npt.ArrayLike, repeats: npt.ArrayLike | None = None, weights: Floats | None = None
) -> ClusteredMean:
    """Return the share of ones among (N,) zeros and ones (NaN is unscored) with Wilson's interval at the effective n.

    See ``effective_number``. Where each image is of another prompt, that is Wilson's interval itself. With weights it
    is the share by these.

    >>> found = clustered_share(np.array([1.0, 1.0, 1.0, 1.0]), [0, 1, 2, 3])
    >>> found.value, round(found.ci_low, 4), found.ci_high
    (1.0, 0.5101, 1.0)
    """
    found = clustered_mean(values, clusters, weights=weights)
    if not found.n:
        return found
    low, high = wilson_ends(found.value, effective_number(values, clusters, repeats, weights))
    return found._replace(ci_low=low, ci_high=high)


def effective_number(
    values: Floats, clusters: npt.ArrayLike, repeats: npt.ArrayLike | None = None, weights: Floats | None = None
) -> float:
    """Return how many independent images the share of ones among clustered zeros and ones is worth; 0 without any.

    share x (1 - share) / variance, times (z / t)^2 because few clusters tell the variance badly. Source: Korn and
    Graubard 1998 (Survey Methodology 24, 193), who put it into Clopper and Pearson's interval; Dean and Pagano 2015
    recommend Wilson's. It is not cut at the number of images, as theirs is: with three to five clusters of independent
    images intervals would then hold the truth in 98 to 99 % instead of 95. Without variance among clusters, as where
    all images are right, nothing says how much images of one cluster repeat each other; the worst is that they are
    copies, and then their number is that of the clusters. With one cluster, or hardly more, the interval is about that
    cluster alone, and the same is done with what repeats itself within it; if that is nothing, it is n.

    Args:
        values: (N,) zeros and ones; NaN is unscored.
        clusters: (N,) strings or integers.
        repeats: (N,) strings or integers: what repeats each other within a cluster, as images of one seed under
            several settings do; None takes each image for itself.
        weights: (N,) above 0: how much each counts; None counts all alike.

    >>> effective_number(np.ones(100), np.arange(100) // 20), effective_number(np.ones(100), np.arange(100))
    (5.0, 100.0)
    >>> effective_number(np.ones(30), np.zeros(30), np.arange(30) % 3), effective_number(np.ones(30), np.zeros(30))
    (3.0, 30.0)
    """
    found = clustered_mean(values, clusters, weights=weights)
    if not found.n:
        return 0.0
    if found.n_clusters == found.n:
        return float(found.n)
    scored = np.isfinite(values)
    counted = None if weights is None else weights[scored]
    worth = even_clusters(np.asarray(clusters)[scored], counted)
    if worth < ONE_PROMPT and repeats is not None:
        found = clustered_mean(values, repeats, weights=weights)
        worth = even_clusters(np.asarray(repeats)[scored], counted)
    elif worth < ONE_PROMPT:
        return float(found.n)
    if found.n_clusters == found.n:
        return float(found.n)
    return _worth(found, worth)


def _worth(found: ClusteredMean, copies: float) -> float:
    """Return how many independent images a share is worth by the variance among clusters; without one, as copies."""
    if copies < ONE_PROMPT or not found.se > NO_SPREAD:
        return copies
    independent = found.value * (1.0 - found.value) / found.se**2
    t = float(stdtrit(found.df, (1.0 + LEVEL) / 2.0))
    return float(independent * (NORMAL_95 / t) ** 2)


def mean_of_shares(
    values: Floats,
    clusters: npt.ArrayLike,
    strata: npt.ArrayLike,
    repeats: npt.ArrayLike | None = None,
    parts: Floats | None = None,
) -> ClusteredMean:
    """Return the mean over strata of the share of ones, as GenEval averages categories, with an interval.

    The interval puts the strata's own intervals together by their distances from the shares (MOVER, Zou and Donner
    2008, equation 6), so that it keeps their asymmetry and stays within [0, 1]. Shares of strata that have clusters in
    common go together as these say (Zou 2007, Psychological Methods 12, 399), wholly where that is not known. That they
    go against each other is believed of ten clusters in common and more: the estimate from two is 1 or -1 whatever is
    so, and would leave an interval without a width. In simulation intervals then hold the truth in 97 to 100 % with
    fewer, where they held it in 84 to 97. A stratum without a scored image is left out, as its share is not known.

    Args:
        values: (N,) zeros and ones; NaN is unscored.
        clusters: (N,) strings or integers.
        strata: (N,) strings or integers; an image of several stands there once for each.
        repeats: See ``effective_number``.
        parts: (N,) above 0, the same within a stratum: how much the stratum of each image counts among those that have
            a scored image; None counts all alike.

    >>> found = mean_of_shares(np.array([1.0, 1.0, 0.0, 1.0]), [0, 1, 2, 3], ["a", "a", "b", "b"])
    >>> found.value, round(found.ci_low, 4), round(found.ci_high, 4)
    (0.75, 0.3637, 0.9527)
    """
    strata, clusters = np.asarray(strata), np.asarray(clusters)
    found = clustered_mean(values, clusters, strata, parts=parts)
    repeating = None if repeats is None else np.asarray(repeats)
    each = (strata == kind for kind in np.unique(strata))
    shares = [
        clustered_share(values[own], clusters[own], None if repeating is None else repeating[own]) for own in each
    ]
    known = np.array([(share.value, share.ci_low, share.ci_high) for share in shares if share.n]).reshape(-1, 3)
    if not len(known):
        return found
    middle, low, high = known.T
    scored = np.isfinite(values)
    counted = stratum_parts(strata[scored], None if parts is None else parts[scored])
    together = _correlations(np.asarray(values, np.float64), clusters, strata)
    below, above = (_joint_gap(counted * gap, together) for gap in (middle - low, high - middle))
    return found._replace(ci_low=found.value - below, ci_high=found.value + above)


def _joint_gap(gaps: Floats, together: npt.NDArray[np.float64] | None) -> float:
    """Return the distance of the sum's end from the sum; independent shares where ``together`` is None."""
    squares = float((gaps**2).sum()) if together is None else float(gaps @ together @ gaps)
    return float(np.sqrt(max(squares, 0.0)))


def _correlations(
    values: npt.NDArray[np.float64], clusters: npt.NDArray[Any], strata: npt.NDArray[Any]
) -> npt.NDArray[np.float64] | None:
    """Return (K, K): how the shares of the strata that have scored images go together; None if no cluster is in two."""
    scored = np.isfinite(values)
    cluster, kind = (np.unique(each[scored], return_inverse=True)[1] for each in (clusters, strata))
    shape = (int(cluster.max()) + 1, int(kind.max()) + 1)
    counts, sums = np.zeros(shape), np.zeros(shape)
    np.add.at(counts, (cluster, kind), 1.0)
    np.add.at(sums, (cluster, kind), values[scored])
    common = (counts > 0).T.astype(np.float64) @ (counts > 0)
    if not (common - np.diag(np.diag(common))).any():
        return None
    sizes = counts.sum(axis=0)
    deviations = (sums - counts * (sums.sum(axis=0) / sizes)) / sizes
    covariance = deviations.T @ deviations
    spread = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = covariance / np.outer(spread, spread)
    found = np.where(np.isfinite(found), found, (common > 0).astype(np.float64))
    found = np.where(common < FEW_TOGETHER, found.clip(min=0.0), found)
    np.fill_diagonal(found, 1.0)
    return found
