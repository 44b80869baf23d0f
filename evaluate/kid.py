"""Kernel distance (KID): the unbiased squared maximum mean discrepancy of two sets of vectors, over all of them.

Kernel k(x, y) = (x.y / D + 1)^3. Source: Bińkowski et al. 2018 (arXiv 1801.01401), section 4 and equation (4) of
Gretton et al. 2012. They and all programs since average over random subsets of 1,000 images and print the spread of
those; the same work once over all pairs gives the mean over all subsets, without a seed, and with it a standard error.
Values are as they are, not times 1,000; slightly below 0 is legal where two sets hardly differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.errors import DataError
from diptych.evaluate.intervals import joint_df, mean_variance, squared_interval
from diptych.evaluate.results import Result, missing

VERSION = 1
MIN_IMAGES = 2
BLOCK_ROWS = 2048

Floats = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.floating[Any]]


class KernelSums(NamedTuple):
    """What is needed of the kernel between two sets.

    Attributes:
        rows: float64 (N,), sum over the other set for each vector of the one; without itself within one set.
        columns: float64 (M,), the other way round.
        squares: Sum of all squared values.
    """

    rows: Floats
    columns: Floats
    squares: float


def kernel_sums(x: Vectors, y: Vectors | None = None) -> KernelSums:
    """Return sums of the kernel over all pairs of x (N, D) and y (M, D), or over all pairs within x if y is None.

    In float64 and block by block, so that no N x M matrix is held.
    """
    is_within = y is None
    other = x if y is None else y
    rows, columns, squares = np.zeros(len(x)), np.zeros(len(other)), 0.0
    for start in range(0, len(x), BLOCK_ROWS):
        left = x[start : start + BLOCK_ROWS].astype(np.float64) / x.shape[1]
        for begin in range(start if is_within else 0, len(other), BLOCK_ROWS):
            values = (left @ other[begin : begin + BLOCK_ROWS].astype(np.float64).T + 1.0) ** 3
            if is_within and begin == start:
                np.fill_diagonal(values, 0.0)
            rows[start : start + BLOCK_ROWS] += values.sum(axis=1)
            weight = 2.0 if is_within and begin > start else 1.0
            squares += weight * float(np.vdot(values, values))
            if not is_within or begin > start:
                columns[begin : begin + BLOCK_ROWS] += values.sum(axis=0)
    if is_within:
        rows += columns
        columns = rows
    return KernelSums(rows, columns, squares)


class KernelEstimate(NamedTuple):
    """The distance and what its error is made of.

    Attributes:
        value: The unbiased estimate.
        left: float64 (N,), what each vector of the one set adds (influence function), mean 0.
        right: float64 (M,), of the other.
        null_variance: What the variance of the estimate would be if the two distributions were the same.
    """

    value: float
    left: Floats
    right: Floats
    null_variance: float


def kernel_distance(within_left: KernelSums, within_right: KernelSums, between: KernelSums) -> KernelEstimate:
    """Return the distance from the sums of the kernel within both sets and between them.

    The variance of a U-statistic over n is 4 V1 / n + 2 V2 / n^2 (Hoeffding 1948, theorem 5.2), V1 that of the mean of
    the kernel for a fixed vector, which vanishes where the distributions are the same, V2 what remains.

    Raises:
        ValueError: If a set has fewer than two vectors.
    """
    n, m = len(within_left.rows), len(within_right.rows)
    if min(n, m) < MIN_IMAGES:
        raise ValueError(f"kernel distance: needs at least {MIN_IMAGES} images on each side, not {n} and {m}")
    mean_left, rest_left = _within(within_left)
    mean_right, rest_right = _within(within_right)
    to_right, to_left = between.rows / m, between.columns / n
    mean_between = float(to_right.mean())
    rest_between = max(0.0, between.squares / (n * m) - mean_between**2 - float(to_right.var()) - float(to_left.var()))
    return KernelEstimate(
        mean_left + mean_right - 2.0 * mean_between,
        2.0 * (within_left.rows / (n - 1) - mean_left - (to_right - mean_between)),
        2.0 * (within_right.rows / (m - 1) - mean_right - (to_left - mean_between)),
        2.0 * rest_left / (n * (n - 1)) + 2.0 * rest_right / (m * (m - 1)) + 4.0 * rest_between / (n * m),
    )


@dataclass(frozen=True)
class KernelStatistics:
    """The vectors of a set of images; sums within the set are computed once.

    Attributes:
        vectors: In parts, float32 (N, D).
        units: In parts, as text.
        n_unscored: Images without a vector.
    """

    vectors: tuple[npt.NDArray[np.float32], ...]
    units: tuple[npt.NDArray[np.str_], ...]
    n_unscored: int = 0

    @property
    def n(self) -> int:
        """Images with a vector."""
        return sum(map(len, self.vectors))

    @cached_property
    def matrix(self) -> npt.NDArray[np.float32]:
        """All vectors, float32 (N, D)."""
        return np.concatenate(self.vectors)

    @cached_property
    def within(self) -> KernelSums:
        """Sums over all pairs within the set."""
        return kernel_sums(self.matrix)

    def merged(self, other: "KernelStatistics") -> "KernelStatistics":
        """Return the statistics of both sets of images together."""
        unscored = self.n_unscored + other.n_unscored
        return KernelStatistics(self.vectors + other.vectors, self.units + other.units, unscored)


@dataclass(frozen=True)
class KernelDistance:
    """The set metric."""

    name: str = "kernel_distance"
    unit: str = ""
    higher_is_better: bool = False

    def statistics(self, vectors: Vectors, units: npt.ArrayLike) -> KernelStatistics:
        """See ``SetMetric.statistics``."""
        known = np.isfinite(vectors).all(axis=1)
        kept = np.asarray(vectors, np.float32)[known]
        return KernelStatistics((kept,), (np.asarray(units)[known].astype(str),), int((~known).sum()))

    def result(self, statistics: KernelStatistics, reference: KernelStatistics, identity: Mapping[str, Any]) -> Result:
        """Return the distance with its error, see ``SetMetric.result``."""
        identity = {"metric": self.name, "version": VERSION, "kernel": "(x.y / D + 1)^3", "pairs": "all", **identity}
        if min(statistics.n, reference.n) < MIN_IMAGES:
            note = f"needs at least {MIN_IMAGES} images on each side, not {statistics.n} and {reference.n}"
            return missing("too_few_images", statistics.n, identity, note)
        left, right = statistics.matrix, reference.matrix
        if left.shape[1] != right.shape[1]:
            sizes = f"{left.shape[1]} and of {right.shape[1]}"
            raise DataError(f"vectors of {sizes} dimensions do not compare: use one encoder for both")
        found = kernel_distance(statistics.within, reference.within, kernel_sums(left, right))
        variance, null_variance, df = _variance(
            found, np.concatenate(statistics.units), np.concatenate(reference.units)
        )
        details = {"n_reference": float(reference.n), "n_unscored": float(statistics.n_unscored)}
        ends = squared_interval(found.value, variance, null_variance, df)
        return Result(found.value, variance**0.5, *ends, statistics.n, identity, None, "", details)


KERNEL_DISTANCE = KernelDistance()


def _within(sums: KernelSums) -> tuple[float, float]:
    """Return mean of the kernel over pairs, and the part of its variance that no single vector explains."""
    n = len(sums.rows)
    means = sums.rows / (n - 1)
    mean = float(means.mean())
    return mean, max(0.0, sums.squares / (n * (n - 1)) - mean**2 - 2.0 * float(means.var()))


def _variance(
    found: KernelEstimate, left_units: npt.NDArray[np.str_], right_units: npt.NDArray[np.str_]
) -> tuple[float, float, float]:
    """Return the variance of the distance, what it would be without a difference, and degrees of freedom.

    The variance of the contributions holds the latter twice; it is left there, on the safe side.
    """
    left, left_count = mean_variance(found.left, left_units)
    right, right_count = mean_variance(found.right, right_units)
    alone = float(found.left.var(ddof=1) / len(left_units) + found.right.var(ddof=1) / len(right_units))
    design_effect = (left + right) / alone if alone > 0.0 else 1.0
    null_variance = found.null_variance * design_effect
    df = joint_df((left, right), (left_count - 1.0, right_count - 1.0))
    return max(left + right, null_variance), null_variance, df
