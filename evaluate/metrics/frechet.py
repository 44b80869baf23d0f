"""Fréchet distance between two sets of vectors: its value, its size bias, its error.

FD = |m - m_r|^2 + tr S + tr S_r - 2 tr (S S_r)^(1/2). Source: Dowson and Landau 1982, equation (4); with features of
Inception it is FID (Heusel et al. 2017, arXiv 1706.08500). All in float64 and by symmetric matrices: the trace is the
sum of the singular values of K K_r', where S = K'K. The usual sqrtm and eigvals of S S_r are slower and, with fewer
images than dimensions, wrong in the sixth digit, because a thousand eigenvalues that should be 0 are 1e-16.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg

from diptych.errors import DataError
from diptych.evaluate.metrics.contract import Result, missing
from diptych.evaluate.metrics.frechet_influence import contributions
from diptych.evaluate.metrics.moments import Floats, Moments, eigenvalues, merged, moments
from diptych.evaluate.statistics.intervals import even_clusters, interval, joint_df, mean_variance
from diptych.scores import Direction

VERSION = 2  # 1 gave an interval to however few units
MIN_IMAGES = 2
# What a sum of roots may lose by rounding before it is computed in a slower way, as a share of itself.
ROOT_TOLERANCE = 1e-9
GRAM_TOLERANCE = 1e-10

# The three ways to put four quarters together to two halves.
SPLITS = (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2)))
QUARTERS = 4
# Below these there is no interval: it would miss the truth too often. In simulation 70 to 90 % hold it with 3 units for
# each effective dimension, 92 to 97 % with 6 or more.
UNITS_PER_DIM = 6
MIN_UNITS = 64

Vectors = npt.NDArray[np.floating[Any]]
Quarters = tuple[Moments | None, ...]


def frechet_distance(left: Moments, right: Moments) -> float:
    """Return the squared Fréchet distance of two normal distributions with these moments: at least 0, but for rounding.

    Raises:
        ValueError: If the vectors differ in length, or a set has fewer than two.

    >>> from diptych.evaluate.metrics.moments import moments
    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> round(frechet_distance(moments(square), moments(3 * square + [1.0, 0.0])), 6)
    7.666667
    """
    if left.dim != right.dim:
        raise ValueError(f"Fréchet distance: vectors of {left.dim} and of {right.dim} dimensions do not compare")
    if min(left.n, right.n) < 2:
        raise ValueError(f"Fréchet distance: needs at least 2 images on each side, not {left.n} and {right.n}")
    apart = left.mean - right.mean
    return float(apart @ apart) + left.trace + right.trace - 2.0 * trace_of_root(left, right)


def trace_of_root(left: Moments, right: Moments) -> float:
    """Return tr (S S_r)^(1/2) of two covariances: the sum of the singular values of K K_r'.

    From the eigenvalues of K S_r K' or K_r S K_r', the smaller one; where those are so near 0 that rounding counts, as
    where both covariances are singular, from the roots themselves.
    """
    if left.is_root and right.is_root:
        return _sum_of_singular_values(left.root @ right.root.T)
    small, large = (left, right) if left.is_root else (right, left)
    if small.triangle is None:
        half = small.root @ large.covariance @ small.root.T
    else:  # the same product by LAPACK's routine for generalised eigenvalues, for a quarter of the work
        half = _congruence(small.triangle, large.covariance)
    found = _sum_of_roots(eigenvalues(half), ROOT_TOLERANCE)
    return _sum_of_singular_values(left.root @ right.root.T) if found is None else found


def size_bias(left: Quarters, right: Quarters, value: float) -> float:
    """Return by how much a distance is too large because the sets are finite; NaN where a half has too few images.

    The expectation of FD over n images is FD + c / n + ..., so the mean distance of halves is above that of the whole
    by about the bias, and that of quarters above that of halves by twice as much; by more where n is not far above the
    dimensions, as c / (n - k) grows. The bias is that of such a curve through the three, of halves averaged over the
    three ways to make them of quarters, which has less noise than one way. Source: Richardson's extrapolation, as Chong
    and Forsyth 2020 (arXiv 1911.07023) extrapolate with more sizes; the pole k is ours.

    Args:
        left: Moments of the four quarters of a set; None for an empty one.
        right: Of the other.
        value: The distance of the whole sets.
    """
    halves = [_mean_distance([(_joined(left, pair), _joined(right, pair)) for pair in split]) for split in SPLITS]
    first = float(np.mean(halves)) - value
    second = _mean_distance(list(zip(left, right, strict=True))) - float(np.mean(halves))
    if not (first > 0.0 and second > 2.0 * first):  # noise, or too few images for quarters: no pole
        return first
    ratio = second / first
    pole = (ratio / 4.0 - 0.5) / (ratio - 0.5)  # as a share of n: 0 where the ratio is 2, at most 1 / 4
    return first * (1.0 - 2.0 * pole)


@dataclass(frozen=True)
class FrechetStatistics:
    """Moments of the four quarters of a set of images, and the vectors, which the error is estimated from.

    Attributes:
        quarters: By a hash of the unit; None for an empty one.
        vectors: The images' vectors in parts, float32 (N, D); none if only moments are known.
        units: Their units in parts, as text.
        whole: Moments of a set of which nothing else is known.
        n_unscored: Images without a vector.
        is_size_known: Whether ``whole`` says of how many images it is.
    """

    quarters: Quarters = (None,) * QUARTERS
    vectors: tuple[npt.NDArray[np.float32], ...] = ()
    units: tuple[npt.NDArray[np.str_], ...] = ()
    whole: Moments | None = None
    n_unscored: int = 0
    is_size_known: bool = True

    @property
    def n(self) -> int:
        """Images with a vector; 0 where nobody knows how many."""
        return 0 if self.moments is None or not self.is_size_known else self.moments.n

    @cached_property
    def moments(self) -> Moments | None:
        """Moments of all quarters together; None without images."""
        return self.whole or _joined(self.quarters, range(QUARTERS))

    @cached_property
    def n_units(self) -> float:
        """How many units of one size these are worth; 0 where only moments are known."""
        return even_clusters(np.concatenate(self.units)) if self.n and self.units else 0.0

    @property
    def is_large(self) -> bool:
        """Whether there are units enough for the correction to be good, so that an interval holds what it says.

        The size bias is (tr S^(1/2))^2 over n, but for a factor. So the dimensions count by that, not by their number.
        """
        if self.moments is None or self.n_units < MIN_UNITS:
            return False
        found = self.moments
        return self.n_units >= UNITS_PER_DIM * found.dim or self.n_units >= UNITS_PER_DIM * found.effective_dim

    def merged(self, other: "FrechetStatistics") -> "FrechetStatistics":
        """Return the statistics of both sets of images together.

        Raises:
            DataError: If one of them is known by its moments alone, or their vectors differ in length.
        """
        if self.whole or other.whole:
            raise DataError("statistics without vectors cannot be put together with others; compute them in one go")
        _check_dims(self.moments, other.moments)
        pairs = zip(self.quarters, other.quarters, strict=True)
        return FrechetStatistics(
            tuple(_joined(pair, (0, 1)) for pair in pairs),
            self.vectors + other.vectors,
            self.units + other.units,
            None,
            self.n_unscored + other.n_unscored,
        )


@dataclass(frozen=True)
class FrechetDistance:
    """The set metric: size bias corrected, standard error from the influence of each image."""

    name: str = "frechet_distance"
    unit: str = ""
    better: Direction = "lower"

    def statistics(self, vectors: Vectors, units: npt.ArrayLike) -> FrechetStatistics:
        """See ``SetMetric.statistics``."""
        known = np.isfinite(vectors).all(axis=1)
        kept = np.asarray(vectors, np.float32)[known]
        names = np.asarray(units)[known].astype(str)
        numbers = np.array([_quarter(name) for name in names], np.int64)
        parts = [kept[numbers == number] for number in range(QUARTERS)]
        quarters = tuple(moments(part) if len(part) else None for part in parts)
        return FrechetStatistics(quarters, (kept,), (names,), None, int((~known).sum()))

    def result(
        self, statistics: FrechetStatistics, reference: FrechetStatistics, identity: Mapping[str, Any]
    ) -> Result:
        """Return the distance with its error, see ``SetMetric.result``.

        The value is corrected for size where the images are known; ``details["uncorrected"]`` is what other programs
        call FID. Where only moments are known there is neither correction nor error. The interval is that of a sum of
        many contributions, Student's around the corrected value, whose lower end may be below 0 where two sets hardly
        differ; there is none where a side has too few units for its effective dimensions. The estimated variance of the
        contributions is too large by twice the second-order variance of FD, since they use estimated moments; that is
        what the correction adds to the noise.
        """
        identity = {"metric": self.name, "version": VERSION, "size_bias": "quarters", **identity}
        left, right = statistics.moments, reference.moments
        if left is None or right is None or min(left.n, right.n) < MIN_IMAGES:
            note = f"needs at least {MIN_IMAGES} images on each side, not {statistics.n} and {reference.n}"
            return missing("too_few_images", statistics.n, identity, note)
        _check_dims(left, right)
        raw = frechet_distance(left, right)
        bias = size_bias(statistics.quarters, reference.quarters, raw)
        details = {
            "uncorrected": raw,
            "n_reference": float(reference.n),
            "n_unscored": float(statistics.n_unscored),
        }
        if np.isnan(bias):
            identity["size_bias"] = "uncorrected"
            nothing = float("nan")
            return Result(
                raw, nothing, nothing, nothing, statistics.n, identity, None, _why_raw(statistics, reference), details
            )
        variance, df = _variance(statistics, reference)
        value = raw - bias
        few = [side for side in (statistics, reference) if not side.is_large]
        ends = interval(value, float("nan") if few else variance, df)
        note = f"without the correction for size: {raw:.6g}" + "".join(map(_why_no_interval, few[:1]))
        return Result(value, variance**0.5, *ends, statistics.n, identity, None, note, details)


FRECHET_DISTANCE = FrechetDistance()


def _variance(statistics: FrechetStatistics, reference: FrechetStatistics) -> tuple[float, float]:
    """Return the variance of the distance and its degrees of freedom, from what each image contributes."""
    assert statistics.moments is not None
    assert reference.moments is not None
    sides = [(np.concatenate(side.vectors), np.concatenate(side.units)) for side in (statistics, reference)]
    parts = contributions(statistics.moments, reference.moments, sides[0][0], sides[1][0])
    (left, left_df), (right, right_df) = (
        mean_variance(values, units) for values, (_, units) in zip((parts.left, parts.right), sides, strict=True)
    )
    return left + right, joint_df((left, right), (left_df, right_df))


def _why_no_interval(side: FrechetStatistics) -> str:
    assert side.moments is not None
    wanted = max(MIN_UNITS, round(UNITS_PER_DIM * side.moments.effective_dim))
    return (
        f"; no interval: {int(side.n_units):,} prompts, or images that stand alone, are too few for the correction to "
        f"be good, about {wanted:,} are needed in this space"
    )


def _mean_distance(parts: Sequence[tuple[Moments | None, Moments | None]]) -> float:
    """Return the mean distance of the parts of two sets; NaN where one has too few images.

    With weights that make its bias exactly as many times that of the whole as there are parts, though they differ in
    size.
    """
    known = [(a, b) for a, b in parts if a is not None and b is not None and min(a.n, b.n) >= MIN_IMAGES]
    if len(known) < len(parts):
        return float("nan")
    sizes = np.array([[a.n, b.n] for a, b in known], float)
    weights = (sizes / sizes.sum(axis=0)).mean(axis=1)
    return float(weights @ [frechet_distance(a, b) for a, b in known])


def _why_raw(*sides: FrechetStatistics) -> str:
    if any(side.whole for side in sides):
        return "only mean and covariance are known of a set: neither corrected for size nor with an error"
    return "too few images to correct for size"


def _check_dims(left: Moments | None, right: Moments | None) -> None:
    if left is not None and right is not None and left.dim != right.dim:
        raise DataError(f"vectors of {left.dim} and of {right.dim} dimensions do not compare: use one encoder for both")


def _quarter(unit: str) -> int:
    return hashlib.blake2b(unit.encode("utf-8", "surrogatepass"), digest_size=1).digest()[0] % QUARTERS


def _congruence(triangle: Floats, symmetric: Floats) -> Floats:
    """Return U S U' of an upper triangular U, of which only the lower triangle is right."""
    product, info = linalg.lapack.dsygst(symmetric.T, np.asfortranarray(triangle), itype=2, lower=0)
    assert info == 0, info
    lower: Floats = product.T
    return lower


def _sum_of_singular_values(matrix: Floats) -> float:
    """Return it from the eigenvalues of the Gram matrix, or where squaring would lose digits from the matrix itself."""
    gram = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    found = _sum_of_roots(eigenvalues(gram), GRAM_TOLERANCE)
    return float(linalg.svdvals(matrix, check_finite=False).sum()) if found is None else found


def _sum_of_roots(squares: Floats, tolerance: float) -> float | None:
    """Return the sum of the roots of ascending eigenvalues; None if their rounding may change it by more than that."""
    if not len(squares):  # of a covariance that is 0
        return 0.0
    noise = 4.0 * float(np.finfo(np.float64).eps) * float(squares[-1])  # of each eigenvalue
    roots = np.sqrt(np.maximum(squares, noise))
    if not (noise > 0.0 and float((noise / (2.0 * roots)).sum()) < tolerance * float(roots.sum())):
        return None
    return float(np.sqrt(np.maximum(squares, 0.0)).sum())


def _joined(quarters: Quarters, numbers: Sequence[int]) -> Moments | None:
    parts = [part for part in (quarters[number] for number in numbers) if part is not None]
    return merged(parts) if parts else None
