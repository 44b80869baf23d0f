"""How far two say the same of the same things, beyond what chance alone would give: Cohen's kappa, with an interval."""

import numpy as np
import numpy.typing as npt

from diptych.evaluate.statistics.intervals import ClusteredMean, interval, mean_variance

Words = npt.NDArray[np.object_]


def is_said(a: Words, b: Words) -> npt.NDArray[np.bool_]:
    """Return bool (N,): of what both say something; None is nothing."""
    return np.array([left is not None and right is not None for left, right in zip(a, b, strict=True)], bool)


def clustered_kappa(a: Words, b: Words, clusters: npt.ArrayLike) -> ClusteredMean:
    """Return Cohen's kappa of two columns of words with a cluster-robust interval of 95 percent.

    kappa = (o - e) / (1 - e), where o is the share of things of which both say the same, and e what it would be if each
    said as often what it says, but of any thing (Cohen 1960, Educational and Psychological Measurement 20, 37). NaN
    where one of them says one word of everything: then chance alone explains it, and whatever the other says, kappa is
    0, or 0 / 0 if that is the same word. The error follows from what each thing adds (delta method; of N things that do
    not depend on each other it is that of Fleiss, Cohen and Everitt 1969 times the root of N / (N - 1)); with o = 1
    there is no spread, and no interval.

    Args:
        a: (N,) words of one; None is nothing said.
        b: (N,) of the other, of the same thing in each row.
        clusters: (N,) strings or integers: what depends on each other, such as the images of a prompt.

    >>> a, b = np.array([*"yyyynnnnyn"], object), np.array([*"yyynnnnnny"], object)
    >>> found = clustered_kappa(a, b, np.arange(10))
    >>> round(found.value, 3), round(found.se, 3), found.n
    (0.4, 0.299, 10)
    """
    said = is_said(a, b)
    words, code = np.unique(np.concatenate([a[said], b[said]]).astype(str), return_inverse=True)
    first, second = np.split(code, 2)
    n, unscored, nothing = len(first), int((~said).sum()), float("nan")
    if not n:
        return ClusteredMean(nothing, nothing, nothing, nothing, 0, 0, 0.0, unscored)
    units = np.asarray(clusters)[said]
    same = (first == second).astype(np.float64)
    shares, others = (np.bincount(each, minlength=len(words)) / n for each in (first, second))
    by_chance = float(shares @ others)
    count = len(np.unique(units))
    if max(shares.max(), others.max()) == 1.0:
        return ClusteredMean(nothing, nothing, nothing, nothing, n, count, 0.0, unscored)
    value = (float(same.mean()) - by_chance) / (1.0 - by_chance)
    adds = (same - same.mean()) / (1.0 - by_chance)
    adds -= (1.0 - value) / (1.0 - by_chance) * (others[first] + shares[second] - 2.0 * by_chance)
    variance, df = mean_variance(adds, units)
    low, high = (float(np.clip(end, -1.0, 1.0)) for end in interval(value, variance, df))
    return ClusteredMean(value, float(np.sqrt(variance)), low, high, n, count, df, unscored)
