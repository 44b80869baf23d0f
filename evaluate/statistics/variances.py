"""Variance on two levels: between prompts, and between images of one prompt. Decides nothing about what is averaged."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]


class TwoLevels(NamedTuple):
    """The variance of numbers that lie in clusters, such as images of prompts.

    Attributes:
        between: Of the clusters' own means; 0 where they differ by less than their numbers make them. NaN where it
            cannot be told from that within, since no cluster has two numbers, or with one cluster.
        within: Of the numbers of a cluster; NaN as ``between``.
        n: Numbers.
        n_clusters: Clusters.
    """

    between: float
    within: float
    n: int
    n_clusters: int

    @property
    def icc(self) -> float:
        """The part of the variance that is between clusters, in [0, 1]; NaN where it is not known or nothing varies."""
        total = self.between + self.within
        return self.between / total if total > 0.0 else float("nan")

    def of_mean(self, clusters: int, each: int) -> float:
        """Return the variance of the mean of so many clusters of so many numbers each."""
        return (self.between + self.within / each) / clusters


def two_levels(values: Floats, clusters: npt.ArrayLike) -> TwoLevels:
    """Return the variances of numbers between and within clusters (one-way analysis of variance, by moments).

    With G clusters of n_g numbers, N in all, within is the mean square within, and between is (mean square between -
    within) / n0, where n0 = (N - sum n_g^2 / N) / (G - 1) is the size of the clusters where they have one (Searle,
    Casella and McCulloch 1992, 3.6); what would be below 0 is 0.

    Args:
        values: (N,); NaN is left out.
        clusters: (N,) strings or integers.

    >>> found = two_levels(np.array([1.0, 3.0, 5.0, 7.0]), ["a", "a", "b", "b"])
    >>> found.between, found.within, round(found.icc, 4)
    (7.0, 2.0, 0.7778)
    """
    known = np.isfinite(values)
    kept = np.asarray(values, np.float64)[known]
    at = np.unique(np.asarray(clusters)[known], return_inverse=True)[1]
    sizes = np.bincount(at).astype(np.float64)
    count, groups = len(kept), len(sizes)
    if groups < 2 or count == groups:
        return TwoLevels(float("nan"), float("nan"), count, groups)
    means = np.bincount(at, kept) / sizes
    within = float(((kept - means[at]) ** 2).sum()) / (count - groups)
    square = float((sizes * (means - kept.mean()) ** 2).sum()) / (groups - 1)
    size = (count - float((sizes**2).sum()) / count) / (groups - 1)
    return TwoLevels(max(0.0, (square - within) / size), within, count, groups)
