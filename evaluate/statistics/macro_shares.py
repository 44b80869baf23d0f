"""Shares of images that are right, with intervals that stay within [0, 1] and know that prompts are clusters.

Student's interval around a share has no width where all images are right and leaves [0, 1] near its ends; Wilson's with
an effective number of images does neither.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from diptych.evaluate.statistics.intervals import LEVEL, ClusteredMean, clustered_mean, even_clusters
from diptych.intervals import NORMAL_95, wilson_ends

Floats = npt.NDArray[np.floating[Any]]

ONE_PROMPT = 1.5  # prompts of equal size that are worth less than this are one, with a few strays


def clustered_share(values: Floats, clusters: npt.ArrayLike) -> ClusteredMean:
    """Return the share of ones among (N,) zeros and ones (NaN is unscored) with Wilson's interval at the effective n.

    See ``effective_number``. Where each image is of another prompt, that is Wilson's interval itself.

    >>> found = clustered_share(np.array([1.0, 1.0, 1.0, 1.0]), [0, 1, 2, 3])
    >>> found.value, round(found.ci_low, 4), found.ci_high
    (1.0, 0.5101, 1.0)
    """
    found = clustered_mean(values, clusters)
    if not found.n:
        return found
    worth = even_clusters(np.asarray(clusters)[np.isfinite(values)])
    low, high = wilson_ends(found.value, effective_number(found, worth))
    return found._replace(ci_low=low, ci_high=high)


def effective_number(found: ClusteredMean, worth: float) -> float:
    """Return how many independent images a clustered mean of zeros and ones is worth, at most its n.

    share x (1 - share) / variance, times (z / t)^2 because few clusters tell the variance badly. Source: Korn and
    Graubard 1998 (Survey Methodology 24, 193), who put it into Clopper and Pearson's interval; Dean and Pagano 2015
    recommend Wilson's. Without variance among clusters, as where all images are right, nothing says how much images of
    one cluster repeat each other; the worst is that they are copies, and then their number is that of the clusters.
    With one cluster, or hardly more, the interval is about that cluster alone: n.

    Args:
        found: The mean.
        worth: Of its clusters, see ``even_clusters``.

    >>> effective_number(clustered_mean(np.ones(100), np.arange(100) // 20), 5.0)
    5.0
    """
    if worth < ONE_PROMPT or found.n_clusters == found.n:
        return float(found.n)
    if not found.se > 0.0:
        return worth
    independent = found.value * (1.0 - found.value) / found.se**2
    t = float(stdtrit(found.df, (1.0 + LEVEL) / 2.0))
    return min(independent * (NORMAL_95 / t) ** 2, float(found.n))


def mean_of_shares(values: Floats, clusters: npt.ArrayLike, strata: npt.ArrayLike) -> ClusteredMean:
    """Return the mean over strata of the share of ones, as GenEval averages categories, with an interval.

    The interval puts the strata's own intervals together by their distances from the shares (MOVER, Zou and Donner
    2008, equation 6), so that it keeps their asymmetry and stays within [0, 1]. A stratum without a scored image is
    left out, as its share is not known.

    Args:
        values: (N,) zeros and ones; NaN is unscored.
        clusters: (N,) strings or integers; a cluster lies in one stratum.
        strata: (N,) strings or integers.

    >>> found = mean_of_shares(np.array([1.0, 1.0, 0.0, 1.0]), [0, 1, 2, 3], ["a", "a", "b", "b"])
    >>> found.value, round(found.ci_low, 4), round(found.ci_high, 4)
    (0.75, 0.3637, 0.9527)
    """
    strata, clusters = np.asarray(strata), np.asarray(clusters)
    found = clustered_mean(values, clusters, strata)
    shares = [clustered_share(values[strata == kind], clusters[strata == kind]) for kind in np.unique(strata)]
    known = np.array([(share.value, share.ci_low, share.ci_high) for share in shares if share.n]).reshape(-1, 3)
    if not len(known):
        return found
    middle, low, high = known.T
    below, above = (float(np.sqrt((gap**2).sum())) / len(known) for gap in (middle - low, high - middle))
    return found._replace(ci_low=found.value - below, ci_high=found.value + above)
