"""A kernel between two sets of vectors, summed over all pairs, and the squared maximum mean discrepancy of the sums.

The kernel k(x, y) = (x.y / D + 1)^3 is that of Bińkowski et al. 2018 (arXiv 1801.01401), section 4; the unbiased
estimate that of Gretton et al. 2012, equation (4). Within a set a pair is of two units, see ``kernel_distance``.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.evaluate.statistics.intervals import ROUNDING

MIN_UNITS = 2
BLOCK_ROWS = 2048

Floats = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.floating[Any]]
Kernel = Callable[[Floats, Floats], Floats]  # of vectors (N, D) and (M, D): (N, M)


def cubic(x: Floats, y: Floats) -> Floats:
    """Return (x.y / D + 1)^3, float64 (N, M), of vectors (N, D) and (M, D)."""
    values: Floats = (x / x.shape[1]) @ y.T
    values += 1.0
    cubes = values * values
    cubes *= values
    return cubes


class Units(NamedTuple):
    """The vectors of a set, ordered so that those of a unit are side by side.

    Attributes:
        order: int64 (N,), which vector is at which place.
        starts: int64 (G,), the place at which each unit begins.
        sizes: float64 (G,), vectors of each unit.
    """

    order: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    sizes: Floats

    @property
    def of_vectors(self) -> Floats:
        """float64 (N,), for each vector how many its unit has."""
        found = np.empty(len(self.order))
        found[self.order] = np.repeat(self.sizes, self.sizes.astype(np.int64))
        return found

    def sums(self, values: Floats) -> Floats:
        """Return the sum of (N,) values over each unit."""
        found: Floats = np.add.reduceat(values[self.order], self.starts)
        return found

    def blocks(self) -> Iterator["Units"]:
        """Yield parts that end where a unit does, of about ``BLOCK_ROWS`` vectors, or of one unit that has more."""
        ends = np.append(self.starts[1:], len(self.order))
        first = 0
        while first < len(ends):
            start = self.starts[first]
            last = max(first + 1, int(np.searchsorted(ends, start + BLOCK_ROWS, side="right")))
            part = slice(first, last)
            yield Units(self.order[start : ends[last - 1]], self.starts[part] - start, self.sizes[part])
            first = last


class KernelSums(NamedTuple):
    """What is needed of the kernel between two sets, or between the units within one.

    Attributes:
        rows: float64 (N,), sum over the other set for each vector of the one; within one set without its own unit.
        columns: float64 (M,), the other way round.
        squares: Sum over all pairs of units of the squared sum of the kernel between the two.
        cross: Sum over all pairs of units of that sum times the number of pairs of vectors between the two.
        own: Within one set the sum over pairs of vectors of one unit, each with itself too; 0 between two sets.
        left: Units of the one set.
        right: Of the other.
    """

    rows: Floats
    columns: Floats
    squares: float
    cross: float
    own: float
    left: Units
    right: Units


def kernel_sums(
    x: Vectors,
    y: Vectors | None = None,
    units: npt.ArrayLike | None = None,
    other_units: npt.ArrayLike | None = None,
    *,
    kernel: Kernel = cubic,
) -> KernelSums:
    """Return sums of the kernel over all pairs of x (N, D) and y (M, D), or within x over pairs of units if y is None.

    In float64 and block by block, so that no N x M matrix is held.

    Args:
        x: The one set.
        y: The other.
        units: (N,), see ``SetMetric.statistics``; each vector its own if None.
        other_units: (M,), of the other.
        kernel: Symmetric and positive.
    """
    is_within = y is None
    other = x if y is None else y
    left = _units(len(x), units)
    right = left if is_within else _units(len(other), other_units)
    rows, columns, squares, cross, own = np.zeros(len(x)), np.zeros(len(other)), 0.0, 0.0, 0.0
    for number, part in enumerate(left.blocks()):
        near = x[part.order].astype(np.float64)
        for other_number, other_part in enumerate(right.blocks()):
            is_diagonal = is_within and other_number == number
            if is_within and other_number < number:
                continue
            values = kernel(near, other[other_part.order].astype(np.float64))
            if is_diagonal:
                own += _take_own_unit(values, part)
            rows[part.order] += values.sum(axis=1)
            if not is_diagonal:
                columns[other_part.order] += values.sum(axis=0)
            if len(part.starts) < len(part.order):
                values = np.add.reduceat(values, part.starts, axis=0)
            if len(other_part.starts) < len(other_part.order):
                values = np.add.reduceat(values, other_part.starts, axis=1)
            weight = 2.0 if is_within and not is_diagonal else 1.0
            squares += weight * float(np.vdot(values, values))
            cross += weight * float(part.sizes @ values @ other_part.sizes)
    if is_within:
        rows += columns
        columns = rows
    return KernelSums(rows, columns, squares, cross, own, left, right)


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
    the kernel for a fixed vector, which vanishes where the distributions are the same, V2 what remains. Here over
    units, each with the sum of the kernel over its vectors.

    Raises:
        ValueError: If a set has fewer than two units.
    """
    n, m = len(within_left.rows), len(within_right.rows)
    units = len(within_left.left.starts), len(within_right.left.starts)
    if min(units) < MIN_UNITS:
        raise ValueError(f"kernel distance: needs images of at least {MIN_UNITS} units on each side, not {units}")
    mean_left, own_left, null_left = _within(within_left)
    mean_right, own_right, null_right = _within(within_right)
    to_right, to_left = between.rows / m, between.columns / n
    mean_between = float(to_right.mean())
    return KernelEstimate(
        mean_left + mean_right - 2.0 * mean_between,
        own_left - 2.0 * (to_right - mean_between),
        own_right - 2.0 * (to_left - mean_between),
        null_left + null_right + 4.0 * _rest(between, mean_between),
    )


def biased_distance(within_left: KernelSums, within_right: KernelSums, between: KernelSums) -> float:
    """Return the distance from all pairs, those of a vector with itself too: at least 0, and 0 for one set with itself.

    Source: Gretton et al. 2012, equation (5). Unlike the unbiased estimate it does not take the sets for independent.
    """
    means = [float(sums.rows.sum() + sums.own) / len(sums.rows) ** 2 for sums in (within_left, within_right)]
    value = sum(means) - 2.0 * float(between.rows.sum()) / (len(between.rows) * len(between.columns))
    return value if value > ROUNDING * sum(means) else 0.0


def _units(n: int, units: npt.ArrayLike | None) -> Units:
    if units is not None:
        _, unit, sizes = np.unique(np.asarray(units), return_inverse=True, return_counts=True)
        if len(sizes) < n:
            order = np.argsort(unit, kind="stable")
            return Units(order, np.cumsum(sizes) - sizes, sizes.astype(np.float64))
    return Units(np.arange(n), np.arange(n), np.ones(n))


def _take_own_unit(values: Floats, part: Units) -> float:
    """Return the sum of the kernel between vectors of one unit, and set it to 0 there, in place."""
    if len(part.starts) == len(part.order):
        own = float(np.trace(values))
        np.fill_diagonal(values, 0.0)
        return own
    own = 0.0
    for start, size in zip(part.starts.tolist(), part.sizes.astype(int).tolist(), strict=True):
        block = values[start : start + size, start : start + size]
        own += float(block.sum())
        block[:] = 0.0
    return own


def _within(sums: KernelSums) -> tuple[float, Floats, float]:
    """Return the mean of the kernel over pairs of units, what each vector adds to it, and its variance without V1."""
    n, sizes = len(sums.rows), sums.left.sizes
    partners = n - sums.left.of_vectors
    pairs = float(partners.sum())
    mean = float(sums.rows.sum()) / pairs
    own = (sums.rows - mean * partners) * (2.0 * n / pairs)
    total = float((sizes**2).sum())
    of_units = sums.left.sums(sums.rows) - mean * sizes * (n - sizes)
    squares = sums.squares - 2.0 * mean * sums.cross + mean**2 * (total**2 - float((sizes**4).sum()))
    explained = 2.0 * float((of_units**2 * (total - sizes**2) / (n - sizes) ** 2).sum())
    return mean, own, 2.0 * max(0.0, squares - explained) / pairs**2


def _rest(between: KernelSums, mean: float) -> float:
    """Return the part of the variance of the mean between two sets that no unit explains alone."""
    n, m = len(between.rows), len(between.columns)
    sizes, others = between.left.sizes, between.right.sizes
    total, other_total = float((sizes**2).sum()), float((others**2).sum())
    of_rows = between.left.sums(between.rows) - mean * m * sizes
    of_columns = between.right.sums(between.columns) - mean * n * others
    squares = between.squares - 2.0 * mean * between.cross + mean**2 * total * other_total
    explained = float(of_rows @ of_rows) * other_total / m**2 + float(of_columns @ of_columns) * total / n**2
    return max(0.0, squares - explained) / (float(n) * m) ** 2
