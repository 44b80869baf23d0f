"""The set metric Fréchet distance: the distance less its size bias, with an error from what each image adds to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.errors import DataError
from diptych.evaluate.metrics.contract import Influence, ReportedValue, Result, SetMetric
from diptych.evaluate.metrics.frechet import MIN_IMAGES, frechet_distance
from diptych.evaluate.metrics.frechet_bias import QUARTERS, Quarters, joined, quarters_of, size_bias
from diptych.evaluate.metrics.frechet_influence import contributions
from diptych.evaluate.metrics.kept_vectors import KeptVectors, Texts, Vectors, check_dims, keep, too_few_images
from diptych.evaluate.statistics.intervals import interval, joint_df, mean_variance
from diptych.evaluate.statistics.moments import Moments

NAME = "frechet_distance"
VERSION = 2  # 1 gave an interval to however few units
# Below these there is no interval: it would miss the truth too often. In simulation 70 to 90 % hold it with 3 units for
# each effective dimension, 92 to 97 % with 6 or more.
UNITS_PER_DIM = 6
MIN_UNITS = 64


@dataclass(frozen=True)
class FrechetStatistics:
    """Moments of the four quarters of a set of images, and the vectors, which the error is estimated from.

    Attributes:
        quarters: By a hash of the unit; None for an empty one.
        kept: The vectors with their units; none if only moments are known.
        whole: Moments of a set of which nothing else is known.
        is_size_known: Whether ``whole`` says of how many images it is.
    """

    quarters: Quarters = (None,) * QUARTERS
    kept: KeptVectors = field(default_factory=KeptVectors)
    whole: Moments | None = None
    is_size_known: bool = True

    @property
    def n(self) -> int:
        """Images with a vector; 0 where nobody knows how many."""
        return 0 if self.moments is None or not self.is_size_known else self.moments.n

    @property
    def units(self) -> Texts:
        """See ``Statistics.units``; none if only moments are known."""
        return self.kept.units

    @cached_property
    def moments(self) -> Moments | None:
        """Moments of all quarters together; None without images."""
        return self.whole or joined(self.quarters, range(QUARTERS))

    @property
    def is_large(self) -> bool:
        """Whether there are units enough for the correction to be good, so that an interval holds what it says.

        The size bias is (tr S^(1/2))^2 over n, but for a factor. So the dimensions count by that, not by their number.
        """
        units = self.kept.even_units
        if self.moments is None or units < MIN_UNITS:
            return False
        return units >= UNITS_PER_DIM * self.moments.dim or units >= UNITS_PER_DIM * self.moments.effective_dim

    def merged(self, other: "FrechetStatistics") -> "FrechetStatistics":
        """Return the statistics of both sets of images together.

        Raises:
            DataError: If one of them is known by its moments alone, or their vectors differ in length.
        """
        if self.whole or other.whole:
            raise DataError("statistics without vectors cannot be put together with others; compute them in one go")
        if self.moments is not None and other.moments is not None:
            check_dims(self.moments.dim, other.moments.dim)
        pairs = zip(self.quarters, other.quarters, strict=True)
        return FrechetStatistics(tuple(joined(pair, (0, 1)) for pair in pairs), self.kept.merged(other.kept))


def statistics_of(vectors: Vectors, units: npt.ArrayLike) -> FrechetStatistics:
    """See ``SetMetric.statistics``."""
    kept = keep(vectors, units)
    return FrechetStatistics(quarters_of(kept.matrix, kept.units), kept)


def from_moments(moments: Moments, is_size_known: bool) -> FrechetStatistics:
    """See ``SetMetric.from_moments``."""
    return FrechetStatistics(whole=moments, is_size_known=is_size_known)


def results_of(
    statistics: FrechetStatistics, reference: FrechetStatistics, identity: Mapping[str, Any]
) -> dict[str, Result]:
    """Return the distance with its error, see ``SetMetric.results``.

    The value is corrected for size where the images are known; ``details["uncorrected"]`` is what other programs call
    FID. Where only moments are known there is neither correction nor error. The interval is that of a sum of many
    contributions, Student's around the corrected value, whose lower end may be below 0 where two sets hardly differ;
    there is none where a side has too few units for its effective dimensions. The estimated variance of the
    contributions is too large by twice the second-order variance of FD, since they use estimated moments; that is what
    the correction adds to the noise.
    """
    identity = {"metric": NAME, "version": VERSION, "size_bias": "quarters", **identity}
    left, right = statistics.moments, reference.moments
    if left is None or right is None or min(left.n, right.n) < MIN_IMAGES:
        return {NAME: too_few_images(statistics.n, reference.n, MIN_IMAGES, identity)}
    check_dims(left.dim, right.dim)
    raw = frechet_distance(left, right)
    bias = size_bias(statistics.quarters, reference.quarters, raw)
    details = {"uncorrected": raw}
    if np.isnan(bias):
        identity["size_bias"] = "uncorrected"
        nothing, note = float("nan"), _why_raw(statistics, reference)
        return {NAME: Result(raw, nothing, nothing, nothing, statistics.n, identity, None, note, details)}
    variance, df = _variance(statistics, reference)
    value = raw - bias
    few = [side for side in (statistics, reference) if not side.is_large]
    ends = interval(value, float("nan") if few else variance, df)
    note = f"without the correction for size: {raw:.6g}" + "".join(map(_why_no_interval, few[:1]))
    return {NAME: Result(value, variance**0.5, *ends, statistics.n, identity, None, note, details)}


def influences_of(statistics: FrechetStatistics, reference: FrechetStatistics) -> dict[str, Influence]:
    """Return what each image adds to the distance, see ``SetMetric.influences``."""
    assert statistics.moments is not None
    assert reference.moments is not None
    found = contributions(statistics.moments, reference.moments, statistics.kept.matrix, reference.kept.matrix)
    return {NAME: Influence(found.left, statistics.units, found.right, reference.units)}


FRECHET_DISTANCE = SetMetric(
    name=NAME,
    values=(ReportedValue(NAME, better="lower"),),
    statistics=statistics_of,
    results=results_of,
    influences=influences_of,
    from_moments=from_moments,
    size_bias="corrected",
)


def _variance(statistics: FrechetStatistics, reference: FrechetStatistics) -> tuple[float, float]:
    """Return the variance of the distance and its degrees of freedom, from what each image contributes."""
    found = influences_of(statistics, reference)[NAME]
    left, left_df = mean_variance(found.images, found.units)
    right, right_df = mean_variance(found.reference, found.reference_units)
    return left + right, joint_df((left, right), (left_df, right_df))


def _why_no_interval(side: FrechetStatistics) -> str:
    assert side.moments is not None
    wanted = max(MIN_UNITS, round(UNITS_PER_DIM * side.moments.effective_dim))
    return (
        f"; no interval: {int(side.kept.even_units):,} prompts, or images that stand alone, are too few for the "
        f"correction to be good, about {wanted:,} are needed in this space"
    )


def _why_raw(*sides: FrechetStatistics) -> str:
    if any(side.whole for side in sides):
        return "only mean and covariance are known of a set: neither corrected for size nor with an error"
    return "too few images to correct for size"
