"""Fréchet distance (FID), and corrected for size. A set metric: as published, and, where that can be had, the other.

Two numbers with two names. The published one is what other programs print: it is too large by an amount that grows as
the sets get smaller, so it has no interval, and two of them compare at equal n alone. The corrected one estimates the
distance of the two distributions and has an error; it exists where the correction is known to be good, that is where
both sides are known by their vectors, do not depend on each other, and have enough units for their effective
dimensions. What both are called where they are FID stands in ``frechet_names``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy.typing as npt

from diptych.errors import DataError
from diptych.evaluate.metrics.contract import ImageNumbers, Influence, ReportedValue, Result, SetMetric, bare, missing
from diptych.evaluate.metrics.effective_dim import effective_dim
from diptych.evaluate.metrics.frechet import MIN_IMAGES, coupled_distance
from diptych.evaluate.metrics.frechet_bias import SideError, corrected, side_error
from diptych.evaluate.metrics.frechet_coupling import Coupling
from diptych.evaluate.metrics.frechet_influence import contributions, image_contributions
from diptych.evaluate.metrics.frechet_names import CORRECTED, PUBLISHED, frechet_names
from diptych.evaluate.metrics.kept_vectors import KeptVectors, Texts, Vectors, check_dims, too_few_images
from diptych.evaluate.statistics.intervals import interval
from diptych.evaluate.statistics.moments import Moments, merged, moments

NAME, ADDED = "frechet_distance", "frechet_contribution"
VERSION = 3  # 1 gave an interval to however few units, 2 one name to both values and estimated bias from quarters
# Below these the correction is not good. In simulated worlds of 23 to 84 effective dimensions, with 3 units for each,
# what is left of the bias is up to 1.2 standard deviations of the distance, and 90 to 99 % of intervals hold the truth;
# with 6 it is up to 0.5, and 94 to 99 % do.
UNITS_PER_DIM = 6
MIN_UNITS = 64
# Of a side with fewer units than dimensions: with 7 of 61 effective dimensions among 512 and a larger reference 1.7
# standard deviations of bias are left, and 72 % of intervals hold the truth; with 9, or from 512 on, 94 % do.
UNSEEN_UNITS_PER_DIM = 9
# Of the normal vectors that those are worth: far vectors can make 200 worth 2, for which no correction is known.
NUMBER_PER_DIM = 3

NOT_CORRECTED = "no interval: not corrected for size, compare at equal n"


@dataclass(frozen=True)
class FrechetStatistics:
    """Moments of a set of images, and the vectors, which error and correction are estimated from.

    Attributes:
        moments: None without images.
        kept: The vectors with their units; none if only moments are known.
        is_size_known: Whether ``moments`` say of how many images they are.
    """

    moments: Moments | None
    kept: KeptVectors = field(default_factory=KeptVectors)
    is_size_known: bool = True

    @property
    def n(self) -> int:
        """Images with a vector; 0 where nobody knows how many."""
        return 0 if self.moments is None or not self.is_size_known else self.moments.n

    @property
    def units(self) -> Texts:
        """See ``Statistics.units``; none if only moments are known."""
        return self.kept.units

    @property
    def is_bare(self) -> bool:
        """Whether only mean and covariance are known."""
        return self.moments is not None and not self.kept.n

    def merged(self, other: "FrechetStatistics") -> "FrechetStatistics":
        """Return the statistics of both sets of images together.

        Raises:
            DataError: If one of them is known by its moments alone, or their vectors differ in length.
        """
        if self.is_bare or other.is_bare:
            raise DataError("statistics without vectors cannot be put together with others; compute them in one go")
        parts = [part for part in (self.moments, other.moments) if part is not None]
        if len(parts) == 2:
            check_dims(parts[0].dim, parts[1].dim)
        return FrechetStatistics(merged(parts) if parts else None, self.kept.merged(other.kept))


def statistics_of(vectors: Vectors, units: npt.ArrayLike) -> FrechetStatistics:
    """See ``SetMetric.statistics``."""
    kept = KeptVectors.of(vectors, units)
    return FrechetStatistics(moments(kept.matrix) if kept.n else None, kept)


def from_moments(moments: Moments, is_size_known: bool) -> FrechetStatistics:
    """See ``SetMetric.from_moments``."""
    return FrechetStatistics(moments, is_size_known=is_size_known)


def results_of(
    statistics: FrechetStatistics, reference: FrechetStatistics, identity: Mapping[str, Any]
) -> dict[str, Result]:
    """Return the distance as it is published, and corrected where that can be had, see ``SetMetric.results``.

    The interval of the corrected one is that of a sum of many contributions, Student's, whose lower end may be below 0
    where two sets hardly differ. The estimated variance of the contributions is too large by twice the second-order
    variance of FD, since they use estimated moments; that is what the correction adds to the noise.
    """
    pair = _pair(statistics, reference)
    found = _published(statistics, reference, identity, pair)
    raw, sides = found[PUBLISHED], (statistics, reference)
    if pair is None:
        return found
    identity = {**_identity(identity), "size_bias": "effective number"}
    alike = next((side for side in sides if not side.is_bare and not side.kept.has_spread), None)
    if alike is not None:
        said = f"all {alike.n:,} images of a set are alike"
        noted = replace(raw, note=f"{NOT_CORRECTED}; {said}")
        return {PUBLISHED: noted, CORRECTED: missing("no_spread", raw.n, identity, said)}
    lacking, own = _lacking(sides, pair), None
    if not lacking:
        errors = side_error(pair, statistics.kept, is_left=True), side_error(pair, reference.kept, is_left=False)
        own = corrected(raw.value, pair, errors)
        lacking = _doubt(errors, pair)
    if own is None or lacking:
        return {PUBLISHED: replace(raw, note=f"{NOT_CORRECTED}; cannot be corrected: {lacking}")}
    note = f"corrected for size, without that {raw.value:.6g}"
    ends = interval(own.value, own.variance, own.df)
    return {**found, CORRECTED: Result(own.value, own.variance**0.5, *ends, raw.n, identity, None, note)}


def of_dependent(
    statistics: FrechetStatistics, reference: FrechetStatistics, identity: Mapping[str, Any]
) -> dict[str, Result]:
    """Return the distance as it is published, see ``SetMetric.of_dependent``: it takes no side for independent."""
    return _published(statistics, reference, identity, _pair(statistics, reference))


def influences_of(statistics: FrechetStatistics, reference: FrechetStatistics) -> dict[str, Influence]:
    """Return what each image adds to the corrected distance, see ``SetMetric.influences``."""
    pair = _pair(statistics, reference)
    if pair is None or statistics.is_bare or reference.is_bare:
        return {}
    found = contributions(pair, statistics.kept.matrix, reference.kept.matrix)
    return {CORRECTED: Influence(found.left, statistics.units, found.right, reference.units)}


def image_numbers(statistics: FrechetStatistics, reference: FrechetStatistics) -> tuple[ImageNumbers, ...]:
    """Return what each image adds to the published distance of its group, see ``SetMetric.of_images``."""
    pair = _pair(statistics, reference)
    if pair is None or statistics.is_bare or not statistics.kept.has_spread:
        return ()
    found = image_contributions(pair, statistics.kept.matrix)
    what = "What an image adds to the Fréchet distance of its group: above 0 it is raised by it"
    return (ImageNumbers(ADDED, what, found, "no_spread"),)


FRECHET_DISTANCE = SetMetric(
    name=NAME,
    values=(
        ReportedValue(PUBLISHED, better="lower", size_bias="uncorrected"),
        ReportedValue(CORRECTED, better="lower", size_bias="corrected", true_low=0.0),
    ),
    statistics=statistics_of,
    results=results_of,
    of_dependent=of_dependent,
    influences=influences_of,
    of_images=image_numbers,
    from_moments=from_moments,
    names=frechet_names,
)


def _identity(identity: Mapping[str, Any]) -> dict[str, Any]:
    return {"metric": NAME, "version": VERSION, **identity}


def _pair(statistics: FrechetStatistics, reference: FrechetStatistics) -> Coupling | None:
    """Return how two sets go together; None where one has too few images."""
    left, right = statistics.moments, reference.moments
    if left is None or right is None or min(left.n, right.n) < MIN_IMAGES:
        return None
    check_dims(left.dim, right.dim)
    return Coupling(left, right)


def _published(
    statistics: FrechetStatistics, reference: FrechetStatistics, identity: Mapping[str, Any], pair: Coupling | None
) -> dict[str, Result]:
    identity = {**_identity(identity), "size_bias": "uncorrected"}
    if pair is None:
        return {PUBLISHED: too_few_images(statistics.n, reference.n, MIN_IMAGES, identity)}
    return {PUBLISHED: bare(coupled_distance(pair), statistics.n, identity, NOT_CORRECTED)}


def _lacking(sides: tuple[FrechetStatistics, FrechetStatistics], pair: Coupling) -> str:
    """Return why a distance cannot be corrected, in words; empty where it can.

    To second order the size bias is between a quarter and a half of (sum s^(1/2))^2 over n. So the dimensions count by
    that, not by their number.
    """
    if any(side.is_bare for side in sides):
        return "only mean and covariance are known of a set"
    units, dim = min(side.kept.even_units for side in sides), pair.left.dim
    if units >= max(MIN_UNITS, UNITS_PER_DIM * dim):
        return ""
    wanted = max(MIN_UNITS, UNITS_PER_DIM * pair.effective_dim)
    if units >= wanted:  # as far as these units see
        wanted = max(wanted, *(UNSEEN_UNITS_PER_DIM * effective_dim(side.kept) for side in sides))
    if units >= wanted:
        return ""
    told = f"{int(units):,} prompts, or images that stand alone, are too few"
    return f"{told}, about {round(wanted):,} are needed in this space"


def _doubt(sides: tuple[SideError, SideError], pair: Coupling) -> str:
    """Return why a corrected distance is not to be believed, in words; empty where it is."""
    fewest = min((side.number for side in sides if side.number > 0.0), default=float("inf"))  # below: as of two points
    if fewest < NUMBER_PER_DIM * pair.effective_dim:
        return f"some images are so far from the others that a set is worth {fewest:.0f} normal vectors alone"
    return ""
