"""The set metric Fréchet distance: as it is published, and beside it, where that can be had, corrected for size.

Two numbers with two names. The published one is what other programs print: it is too large by an amount that grows as
the sets get smaller, so it has no interval, and two of them compare at equal n alone. The corrected one estimates the
distance of the two distributions and has an error; it exists where the correction is known to be good, that is where
both sides are known by their vectors, do not depend on each other, and have enough units for their effective
dimensions. What both are called where they are FID stands in ``frechet_names``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy.typing as npt

from diptych.errors import DataError
from diptych.evaluate.metrics.contract import Influence, ReportedValue, Result, SetMetric, bare, missing
from diptych.evaluate.metrics.frechet import MIN_IMAGES, frechet_distance
from diptych.evaluate.metrics.frechet_bias import QUARTERS, Quarters, joined, quarters_of, size_bias
from diptych.evaluate.metrics.frechet_influence import contributions
from diptych.evaluate.metrics.frechet_names import CORRECTED, PUBLISHED, frechet_names
from diptych.evaluate.metrics.kept_vectors import KeptVectors, Texts, Vectors, check_dims, keep, too_few_images
from diptych.evaluate.statistics.intervals import interval, joint_df, mean_variance
from diptych.evaluate.statistics.moments import Moments

NAME = "frechet_distance"
VERSION = 3  # 1 gave an interval to however few units, 2 one name to both values
# Below these the correction is not good: its interval would miss the truth too often. In simulation 70 to 90 % hold it
# with 3 units for each effective dimension, 92 to 97 % with 6 or more.
UNITS_PER_DIM = 6
MIN_UNITS = 64

NOT_CORRECTED = "no interval: not corrected for size, compare at equal n"


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

    @cached_property
    def lacking(self) -> str:
        """Why a distance of these images cannot be corrected, in words; empty where it can.

        The size bias is (tr S^(1/2))^2 over n, but for a factor. So the dimensions count by that, not by their number.
        """
        if self.whole is not None:
            return "only mean and covariance are known of a set"
        assert self.moments is not None
        units, dim = self.kept.even_units, self.moments.dim
        if units >= max(MIN_UNITS, UNITS_PER_DIM * dim):
            return ""
        wanted = max(MIN_UNITS, UNITS_PER_DIM * self.moments.effective_dim)
        if units >= wanted:
            return ""
        told = f"{int(units):,} prompts, or images that stand alone, are too few"
        return f"{told}, about {round(wanted):,} are needed in this space"

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
    """Return the distance as it is published, and corrected where that can be had, see ``SetMetric.results``.

    The interval of the corrected one is that of a sum of many contributions, Student's, whose lower end may be below 0
    where two sets hardly differ. The estimated variance of the contributions is too large by twice the second-order
    variance of FD, since they use estimated moments; that is what the correction adds to the noise.
    """
    found = of_dependent(statistics, reference, identity)
    raw = found[PUBLISHED]
    if raw.reason is not None:
        return found
    sides, identity = (statistics, reference), {**_identity(identity), "size_bias": "quarters"}
    alike = next((side for side in sides if side.whole is None and not side.kept.has_spread), None)
    if alike is not None:
        said = f"all {alike.n:,} images of a set are alike"
        note = f"{NOT_CORRECTED}; {said}"
        return {
            PUBLISHED: bare(raw.value, raw.n, raw.identity, note),
            CORRECTED: missing("no_spread", raw.n, identity, said),
        }
    reasons = [side.lacking for side in sorted(sides, key=lambda side: side.whole is None)]  # the stronger one first
    lacking = next((reason for reason in reasons if reason), None)
    if lacking is not None:
        return {PUBLISHED: bare(raw.value, raw.n, raw.identity, f"{NOT_CORRECTED}; cannot be corrected: {lacking}")}
    value = raw.value - size_bias(statistics.quarters, reference.quarters, raw.value)
    variance, df = _variance(statistics, reference)
    note = f"corrected for size, without that {raw.value:.6g}"
    ends = interval(value, variance, df)
    return {**found, CORRECTED: Result(value, variance**0.5, *ends, raw.n, identity, None, note)}


def of_dependent(
    statistics: FrechetStatistics, reference: FrechetStatistics, identity: Mapping[str, Any]
) -> dict[str, Result]:
    """Return the distance as it is published, see ``SetMetric.of_dependent``: it takes no side for independent."""
    identity = {**_identity(identity), "size_bias": "uncorrected"}
    left, right = statistics.moments, reference.moments
    if left is None or right is None or min(left.n, right.n) < MIN_IMAGES:
        return {PUBLISHED: too_few_images(statistics.n, reference.n, MIN_IMAGES, identity)}
    check_dims(left.dim, right.dim)
    return {PUBLISHED: bare(frechet_distance(left, right), statistics.n, identity, NOT_CORRECTED)}


def influences_of(statistics: FrechetStatistics, reference: FrechetStatistics) -> dict[str, Influence]:
    """Return what each image adds to the corrected distance, see ``SetMetric.influences``."""
    assert statistics.moments is not None
    assert reference.moments is not None
    found = contributions(statistics.moments, reference.moments, statistics.kept.matrix, reference.kept.matrix)
    return {CORRECTED: Influence(found.left, statistics.units, found.right, reference.units)}


FRECHET_DISTANCE = SetMetric(
    name=NAME,
    values=(
        ReportedValue(PUBLISHED, better="lower", size_bias="uncorrected"),
        ReportedValue(CORRECTED, better="lower", size_bias="corrected"),
    ),
    statistics=statistics_of,
    results=results_of,
    of_dependent=of_dependent,
    influences=influences_of,
    from_moments=from_moments,
    names=frechet_names,
)


def _identity(identity: Mapping[str, Any]) -> dict[str, Any]:
    return {"metric": NAME, "version": VERSION, **identity}


def _variance(statistics: FrechetStatistics, reference: FrechetStatistics) -> tuple[float, float]:
    """Return the variance of the distance and its degrees of freedom, from what each image contributes."""
    found = influences_of(statistics, reference)[CORRECTED]
    left, left_df = mean_variance(found.images, found.units)
    right, right_df = mean_variance(found.reference, found.reference_units)
    return left + right, joint_df((left, right), (left_df, right_df))
