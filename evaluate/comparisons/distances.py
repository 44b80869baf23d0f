"""Differences of two distances to one reference, from what each image contributes to them.

The reference is the same for both, so its noise cancels, and images of one prompt count together on both sides. Which
of two models is nearer can be told although the interval of either distance is wider than the gap.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from diptych.evaluate.comparisons.models import adjusted, value_text
from diptych.evaluate.config import Compare
from diptych.evaluate.metrics.contract import Result
from diptych.evaluate.metrics.frechet import FrechetStatistics
from diptych.evaluate.metrics.frechet_influence import contributions
from diptych.evaluate.metrics.kernel import KernelStatistics, kernel_distance, kernel_sums
from diptych.evaluate.statistics.intervals import interval, joint_df, mean_variance
from diptych.scores import Direction
from diptych.store.store import DifferenceRow

Floats = npt.NDArray[np.floating[Any]]


class Influence(NamedTuple):
    """What each image adds to a distance.

    Attributes:
        images: float64 (N,), of the set that is judged, mean 0.
        units: (N,) text: images of one unit depend on each other.
        reference: float64 (M,), of the reference, mean 0.
    """

    images: Floats
    units: npt.NDArray[np.str_]
    reference: Floats


@dataclass(frozen=True)
class MeasuredDistance:
    """The distance of one group, and the statistics that it was computed from."""

    groups: Mapping[str, Any]
    statistics: Any
    result: Result
    identity_id: str


def of_frechet(statistics: FrechetStatistics, reference: FrechetStatistics) -> Influence:
    """Return what each image adds to a Fréchet distance."""
    assert statistics.moments is not None
    assert reference.moments is not None
    vectors = np.concatenate(statistics.vectors), np.concatenate(reference.vectors)
    found = contributions(statistics.moments, reference.moments, *vectors)
    return Influence(found.left, np.concatenate(statistics.units), found.right)


def of_kernel(statistics: KernelStatistics, reference: KernelStatistics) -> Influence:
    """Return what each image adds to a kernel distance."""
    between = kernel_sums(statistics.matrix, reference.matrix)
    found = kernel_distance(statistics.within, reference.within, between)
    return Influence(found.left, np.concatenate(statistics.units), found.right)


# Set metric -> what each image adds to it. A metric that is not here has no differences. To add one: a line, a test.
INFLUENCES: Mapping[str, Callable[[Any, Any], Influence]] = {
    "frechet_distance": of_frechet,
    "kernel_distance": of_kernel,
}


def difference_variance(a: Influence, b: Influence, reference_units: npt.ArrayLike) -> tuple[float, float, int]:
    """Return variance and degrees of freedom of the difference of two distances, and the units among the images.

    The influence of an image on the difference is that on the one distance less that on the other (delta method);
    over the images it is summed by unit, with the corrections of ``clustered_mean``; NaN with one unit.
    """
    names, unit = np.unique(np.concatenate([a.units, b.units]), return_inverse=True)
    weights = np.concatenate([a.images / len(a.images), -b.images / len(b.images)])
    halves = np.repeat([0.5 / len(a.images), 0.5 / len(b.images)], [len(a.images), len(b.images)])
    totals, shares = np.bincount(unit, weights), np.bincount(unit, halves)
    several = len(names) > 1
    of_images = float((totals**2 / (1.0 - shares)).sum()) if several else float("nan")
    of_reference, reference_df = mean_variance(a.reference - b.reference, reference_units)
    df = joint_df((of_images, of_reference), (float(1.0 / (shares**2).sum()) - 1.0, reference_df))
    return of_images + of_reference, df, len(names)


class DistanceFamily(NamedTuple):
    """Distances of one metric over one dataset that may be compared: run, metric, name as shown, dataset, direction."""

    run_id: str
    metric: str
    name: str
    dataset: str
    better: Direction | None


def distance_differences(
    family: DistanceFamily, measured: Sequence[MeasuredDistance], reference: Any, compare: Compare
) -> list[DifferenceRow]:
    """Return the differences between the groups that differ in the compared column alone, adjusted for their number."""
    influence = INFLUENCES[family.metric]
    if not measured or compare.by not in measured[0].groups:
        return []
    known: dict[int, Influence] = {}
    rows = []
    for left, right in combinations(measured, 2):
        if _rest(left, compare.by) != _rest(right, compare.by):
            continue
        a, b = (left, right) if value_text(left.groups[compare.by]) != compare.baseline else (right, left)
        if compare.baseline is not None and value_text(b.groups[compare.by]) != compare.baseline:
            continue
        if a.result.reason is None and b.result.reason is None:
            for each in (a, b):
                known.setdefault(id(each), influence(each.statistics, reference))
        rows.append(_row(family, (a, b), known, reference, compare.by))
    return adjusted(rows)


def _rest(measured: MeasuredDistance, by: str) -> dict[str, Any]:
    return {name: value for name, value in measured.groups.items() if name != by}


def _row(
    family: DistanceFamily,
    sides: tuple[MeasuredDistance, MeasuredDistance],
    known: Mapping[int, Influence],
    reference: Any,
    by: str,
) -> DifferenceRow:
    a, b = sides
    value, variance, df, count = float("nan"), float("nan"), float("nan"), 0
    reason = a.result.reason or b.result.reason
    if reason is None and a.identity_id != b.identity_id:
        reason = "made_in_two_ways"
    if reason is None:
        value = a.result.value - b.result.value
        units = np.concatenate(reference.units)
        variance, df, count = difference_variance(known[id(a)], known[id(b)], units)
        if not np.isfinite([a.result.ci_low, b.result.ci_low]).all():  # the difference would be as wrong as they
            variance = float("nan")
        reason = None if np.isfinite(variance) else "too_few_prompts"
    ends = interval(value, variance, df)
    p_value = float(2.0 * stdtr(df, -abs(value) / variance**0.5)) if variance > 0.0 else float("nan")
    return DifferenceRow(
        family.run_id,
        family.name,
        family.dataset,
        _rest(a, by),
        value_text(a.groups[by]),
        value_text(b.groups[by]),
        value,
        variance**0.5,
        ends.low,
        ends.high,
        p_value,
        None,
        min(a.result.n, b.result.n),
        count,
        family.better,
        a.identity_id,
        reason,
    )
