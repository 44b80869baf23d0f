"""Kernel distance (KID), over all images. A set metric: the unbiased squared maximum mean discrepancy of two sets.

Bińkowski et al. 2018 (arXiv 1801.01401) and all programs since average over random subsets of 1,000 images and print
the spread of those; the same work once over all pairs gives the mean over all subsets, without a seed, and with it a
standard error. Values are as they are, not times 1,000; slightly below 0 is legal where two sets hardly differ.

Within a set a pair is of two units: images of one prompt are alike, and their pairs, as an image's with itself, would
make two sets of the same distribution differ. Where each image is its own unit these are all pairs, as elsewhere. Of
two sets that depend on each other there is the biased estimate over all pairs, under a name of its own: the unbiased
one takes an image and its other version for strangers, and so is too low. It falls as n grows.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from diptych.evaluate.metrics.contract import Influence, ReportedValue, Result, SetMetric, bare, missing
from diptych.evaluate.metrics.kept_vectors import KeptVectors, Texts, refused
from diptych.evaluate.metrics.kernel import (
    MIN_UNITS,
    Floats,
    KernelEstimate,
    KernelSums,
    biased_distance,
    cubic,
    kernel_distance,
    kernel_sums,
)
from diptych.evaluate.statistics.intervals import joint_df, mean_variance, squared_interval

NAME, BIASED = "kernel_distance", "biased_kernel_distance"
VERSION = 3  # 1 took pairs of one unit too, 2 gave an interval to two units
KERNEL = "(x.y / D + 1)^3"
MIN_IMAGES = 2
INTERVAL_UNITS = 5  # with 2 simulated intervals hold the truth in 65 % of cases
NO_INTERVAL = "no interval: {} prompts, or images that stand alone, and {} in the reference are too few"


class KernelStatistics(KeptVectors):
    """The vectors of a set of images; sums of the kernel within the set are computed once."""

    def kernel(self, x: Floats, y: Floats) -> Floats:
        """Return the kernel of vectors (N, D) and (M, D), float64 (N, M)."""
        return cubic(x, y)

    @cached_property
    def within(self) -> KernelSums:
        """Sums over all pairs of different units within the set."""
        return kernel_sums(self.matrix, units=self.units, kernel=self.kernel)


def results_of(
    statistics: KernelStatistics, reference: KernelStatistics, identity: Mapping[str, Any]
) -> dict[str, Result]:
    """Return the distance with its error, see ``SetMetric.results``."""
    return {NAME: _computed(unbiased, statistics, reference, {**identity, "pairs": "of different units"})}


def of_dependent(
    statistics: KernelStatistics, reference: KernelStatistics, identity: Mapping[str, Any]
) -> dict[str, Result]:
    """Return the biased distance, see ``SetMetric.of_dependent``."""
    return {BIASED: _computed(biased, statistics, reference, {**identity, "pairs": "all, biased"})}


def influences_of(statistics: KernelStatistics, reference: KernelStatistics) -> dict[str, Influence]:
    """Return what each image adds to the distance, see ``SetMetric.influences``."""
    found = estimate(statistics, reference)
    return {NAME: Influence(found.left, statistics.units, found.right, reference.units)}


KERNEL_DISTANCE = SetMetric(
    name=NAME,
    values=(
        ReportedValue(NAME, better="lower", true_low=0.0),
        ReportedValue(BIASED, better="lower", low=0.0, size_bias="uncorrected"),
    ),
    statistics=KernelStatistics.of,
    results=results_of,
    of_dependent=of_dependent,
    influences=influences_of,
)


def _computed(
    compute: Callable[[KernelStatistics, KernelStatistics, Mapping[str, Any]], Result],
    statistics: KernelStatistics,
    reference: KernelStatistics,
    identity: Mapping[str, Any],
) -> Result:
    return computed(compute, statistics, reference, {"metric": NAME, "version": VERSION, "kernel": KERNEL, **identity})


def computed(
    compute: Callable[[KernelStatistics, KernelStatistics, Mapping[str, Any]], Result],
    statistics: KernelStatistics,
    reference: KernelStatistics,
    identity: Mapping[str, Any],
) -> Result:
    """Return an estimate of two sets, or why there are too few images for one."""
    too_few = refused(statistics, reference, MIN_IMAGES, identity)
    return compute(statistics, reference, identity) if too_few is None else too_few


def unbiased(statistics: KernelStatistics, reference: KernelStatistics, identity: Mapping[str, Any]) -> Result:
    """Return the unbiased estimate with its error."""
    counts = len(statistics.within.left.starts), len(reference.within.left.starts)
    if min(counts) < MIN_UNITS:
        sizes = f"{counts[0]} and {counts[1]}"
        note = f"needs images of at least {MIN_UNITS} prompts on each side, or other units, not {sizes}"
        return missing("too_few_prompts", statistics.n, identity, note)
    found = estimate(statistics, reference)
    alike = next((side for side in (statistics, reference) if not side.has_spread), None)
    if alike is not None:
        note = f"no interval: all {alike.n:,} images of a set are alike"
        return bare(found.value, statistics.n, identity, note)
    if min(statistics.even_units, reference.even_units) < INTERVAL_UNITS:
        return bare(found.value, statistics.n, identity, NO_INTERVAL.format(*counts))
    variance, df = _variance(found, statistics.units, reference.units)
    ends = squared_interval(found.value, variance, found.null_variance, df)
    return Result(found.value, variance**0.5, *ends, statistics.n, identity)


def biased(statistics: KernelStatistics, reference: KernelStatistics, identity: Mapping[str, Any]) -> Result:
    """Return the biased estimate, over all pairs."""
    value = biased_distance(statistics.within, reference.within, statistics.beside(reference, _between))
    return bare(value, statistics.n, identity, "")


def _between(statistics: KernelStatistics, reference: KernelStatistics) -> KernelSums:
    return kernel_sums(statistics.matrix, reference.matrix, statistics.units, reference.units, kernel=statistics.kernel)


def estimate(statistics: KernelStatistics, reference: KernelStatistics) -> KernelEstimate:
    """Return the unbiased estimate and what its error is made of."""
    return kernel_distance(statistics.within, reference.within, statistics.beside(reference, _between))


def _variance(found: KernelEstimate, left_units: Texts, right_units: Texts) -> tuple[float, float]:
    """Return the variance of the distance and its degrees of freedom.

    The variance of the contributions holds that without a difference twice; it is left there, on the safe side.
    """
    left, left_df = mean_variance(found.left, left_units)
    right, right_df = mean_variance(found.right, right_units)
    return max(left + right, found.null_variance), joint_df((left, right), (left_df, right_df))
