"""Differences of two models by a set metric, from what each image adds to it.

The reference is the same for both, so its noise cancels, and images of one prompt count together on both sides. Which
of two models is nearer can be told although the interval of either distance is wider than the gap. What one of the two
alone was asked for takes no part.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from scipy.special import stdtr

from diptych.evaluate.collected import Findings
from diptych.evaluate.comparisons.choices import Compare
from diptych.evaluate.comparisons.common_images import CommonGroups
from diptych.evaluate.comparisons.compared_images import value_text
from diptych.evaluate.metrics.contract import Influence, ReportedValue, SetMetric
from diptych.evaluate.metrics.distances import MeasuredGroup
from diptych.evaluate.statistics.intervals import interval, joint_df, mean_variance
from diptych.store.rows import EQUAL_N
from diptych.store.store import DifferenceRow

Pair = tuple[MeasuredGroup, MeasuredGroup]


class DistanceFamily(NamedTuple):
    """The groups of one dataset by one set metric, which are compared.

    Attributes:
        metric: The metric.
        names: What each of its values is called.
        dataset: Label.
        reference: Statistics of the reference, the same for all groups.
        groups: The groups.
        common: Two groups -> the same over the images that both have.
        draw: (group, n) -> the metric of so many of its images.
    """

    metric: SetMetric[Any]
    names: Mapping[str, str]
    dataset: str
    reference: Any
    groups: Sequence[MeasuredGroup]
    common: Callable[[MeasuredGroup, MeasuredGroup], CommonGroups]
    draw: Callable[[MeasuredGroup, int], MeasuredGroup]


class DistanceDifference(NamedTuple):
    """A difference a - b: its value, variance and degrees of freedom, NaN where not known, and why they are not."""

    value: float
    variance: float
    df: float
    reason: str | None


def difference_variance(a: Influence, b: Influence) -> tuple[float, float]:
    """Return variance and degrees of freedom of the difference of two numbers against one reference.

    The influence of a part on the difference is that on the one number less that on the other (delta method); over the
    images it is summed by unit, with the corrections of ``clustered_mean``; NaN with one unit.
    """
    names, unit = np.unique(np.concatenate([a.units, b.units]), return_inverse=True)
    weights = np.concatenate([a.images / len(a.images), -b.images / len(b.images)])
    halves = np.repeat([0.5 / len(a.images), 0.5 / len(b.images)], [len(a.images), len(b.images)])
    totals, shares = np.bincount(unit, weights), np.bincount(unit, halves)
    of_images = float((totals**2 / (1.0 - shares)).sum()) if len(names) > 1 else float("nan")
    df = float(1.0 / (shares**2).sum()) - 1.0
    if not len(a.reference):
        return of_images, df
    of_reference, reference_df = mean_variance(a.reference - b.reference, a.reference_units)
    return of_images + of_reference, joint_df((of_images, of_reference), (df, reference_df))


def distance_differences(family: DistanceFamily, compare: Compare, found: Findings) -> Iterator[DifferenceRow]:
    """Yield the differences between the groups that differ in the compared column alone; ``p_adjusted`` is still open.

    Two groups are compared over the images that both have, see ``common_images``, and the difference says how many of
    each were left out for that. By a value that depends on the number of images two groups are compared at the number
    of the smaller, so many of the larger being drawn; the difference has ``equal_n`` among its groups then. A value
    that one of the two has, and that is not there for both over these images, has a row with the reason.
    """
    if not family.groups or compare.by not in family.groups[0].group.values:
        return
    wanted = [_turned(pair, compare) for pair in combinations(family.groups, 2) if _is_wanted(pair, compare)]
    pairs = [family.common(*pair) for pair in wanted]
    maker = DistanceDifferenceMaker(family, compare.by, found)
    for value in family.metric.values:
        for whole, common in zip(wanted, pairs, strict=True):
            if any(value.name in each.results for each in (*whole, *common.groups)):
                yield maker.row(value, whole, common)


def _is_wanted(pair: Pair, compare: Compare) -> bool:
    rests = [{name: value for name, value in each.group.values.items() if name != compare.by} for each in pair]
    labels = [value_text(each.group.values[compare.by]) for each in pair]
    return rests[0] == rests[1] and (compare.baseline is None or compare.baseline in labels)


def _turned(pair: Pair, compare: Compare) -> Pair:
    """Return the pair with the baseline last."""
    a, b = pair
    return (b, a) if value_text(a.group.values[compare.by]) == compare.baseline else (a, b)


@dataclass(frozen=True)
class DistanceDifferenceMaker:
    """Makes the rows of one family; what a group takes part in several times is computed once."""

    family: DistanceFamily
    by: str
    found: Findings
    _influences: dict[int, Mapping[str, Influence]] = field(default_factory=dict)
    _drawn: dict[tuple[int, int], MeasuredGroup] = field(default_factory=dict)

    def row(self, value: ReportedValue, whole: Pair, common: CommonGroups) -> DifferenceRow:
        """Return the difference a - b over what two whole groups have in common; ``p_adjusted`` is still open."""
        pair = common.groups
        groups = {**pair[0].group.values, **common.note}
        groups.pop(self.by)
        nothing, lacking = float("nan"), _lacking(value, whole, pair)
        a, b = pair if lacking else self._at_equal_n(value, pair)
        if (a, b) != pair:
            groups |= {EQUAL_N: min(each.statistics.n for each in pair)}
        found = DistanceDifference(nothing, nothing, nothing, lacking) if lacking else self._difference(value, (a, b))
        gap, variance, df, reason = found
        ends = interval(gap, variance, df)
        results = [each.results[value.name] for each in (a, b, *whole) if value.name in each.results]
        return DifferenceRow(
            self.found.run_id,
            self.family.names[value.name],
            self.family.dataset,
            groups,
            value_text(a.group.values[self.by]),
            value_text(b.group.values[self.by]),
            gap,
            variance**0.5,
            _within(ends.low, value),
            _within(ends.high, value),
            float(2.0 * stdtr(df, -abs(gap) / variance**0.5)) if variance > 0.0 else float("nan"),
            None,
            min(each.statistics.n for each in (a, b)),
            len({*a.statistics.units.tolist(), *b.statistics.units.tolist()}),
            value.better,
            self.found.identify(results[0].identity),
            reason,
            "; ".join(dict.fromkeys(each.caution for each in results[:2] if each.caution)) or None,
            df if variance > 0.0 else None,
        )

    def _at_equal_n(self, value: ReportedValue, pair: Pair) -> Pair:
        """Return the pair, of the larger only as many images as the smaller has where the value depends on that."""
        fewest = min(each.statistics.n for each in pair)
        if value.size_bias != "uncorrected" or any(each.results[value.name].reason is not None for each in pair):
            return pair
        a, b = (each if each.statistics.n == fewest else self._draw(each, fewest) for each in pair)
        return a, b

    def _draw(self, each: MeasuredGroup, n: int) -> MeasuredGroup:
        if (id(each), n) not in self._drawn:
            self._drawn[id(each), n] = self.family.draw(each, n)
        return self._drawn[id(each), n]

    def _difference(self, value: ReportedValue, pair: Pair) -> DistanceDifference:
        a, b = (each.results[value.name] for each in pair)
        nothing = float("nan")
        reason = a.reason or b.reason or (None if a.identity == b.identity else "made_in_two_ways")
        if not all(len(each.group.rows) for each in pair):
            reason = "no_common_images"
        if reason is not None:
            return DistanceDifference(nothing, nothing, nothing, reason)
        gap = a.value - b.value
        if self.family.metric.influences is None:
            return DistanceDifference(gap, nothing, nothing, "error_unknown")
        if not np.isfinite([a.ci_low, b.ci_low]).all():  # the difference would be as wrong as they
            return DistanceDifference(gap, nothing, nothing, "no_interval")
        variance, df = difference_variance(*(self._influence(each)[value.name] for each in pair))
        if variance == 0.0:
            return DistanceDifference(gap, nothing, nothing, "no_spread")
        return DistanceDifference(gap, variance, df, None if np.isfinite(variance) else "too_few_prompts")

    def _influence(self, each: MeasuredGroup) -> Mapping[str, Influence]:
        if id(each) not in self._influences:
            influences = self.family.metric.influences
            assert influences is not None
            self._influences[id(each)] = influences(each.statistics, self.family.reference)
        return self._influences[id(each)]


def _lacking(value: ReportedValue, whole: Pair, common: Pair) -> str | None:
    """Return why two groups have no such value over the images that both have; None where they have."""
    if all(value.name in each.results for each in common):
        return None
    if not all(len(each.group.rows) for each in common):
        return "no_common_images"
    lost = (each for each in common if value.name not in each.results)
    reasons = (result.reason for each in lost for result in each.results.values() if result.reason is not None)
    has_each = all(value.name in each.results for each in whole)
    return next(reasons, "too_few_common_images" if has_each else "not_of_both")


def _within(end: float, value: ReportedValue) -> float:
    """Return the end of an interval, not beyond what the value can differ by."""
    if value.low is None or value.high is None:
        return end
    widest = value.high - value.low
    return float(np.clip(end, -widest, widest))
