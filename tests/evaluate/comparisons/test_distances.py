"""Differences of two distances to one reference: their error, and when there is none."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from diptych.evaluate.collected import Findings
from diptych.evaluate.comparisons.choices import Compare
from diptych.evaluate.comparisons.common_images import CommonGroups
from diptych.evaluate.comparisons.distances import DistanceFamily, difference_variance, distance_differences
from diptych.evaluate.comparisons.families import adjusted
from diptych.evaluate.inputs.scored_rows import RowGroup
from diptych.evaluate.metrics.contract import Influence, ReportedValue, SetMetric, set_metric
from diptych.evaluate.metrics.distances import MeasuredGroup
from diptych.evaluate.metrics.frechet_distance import FRECHET_DISTANCE
from diptych.evaluate.metrics.kernel_distance import KERNEL_DISTANCE
from diptych.store.rows import EQUAL_N
from diptych.store.store import DifferenceRow

# The value of each metric that has an error.
VALUES = {"frechet_distance": "corrected_frechet_distance", "kernel_distance": "kernel_distance"}


def influence(metric: SetMetric[Any], statistics: Any, reference: Any) -> Influence:
    """Return what each image adds to the value of a metric that has an error."""
    assert metric.influences is not None
    return metric.influences(statistics, reference)[VALUES[metric.name]]


def differences(
    metric: SetMetric[Any], reference: Any, sides: Mapping[str, Any], **compare: Any
) -> list[DifferenceRow]:
    """Return the differences of models, whose statistics are given by label."""
    groups = [
        MeasuredGroup(
            RowGroup({"model": label}, np.arange(side.n)), side, metric.results(side, reference, {"encoder": "e"})
        )
        for label, side in sides.items()
    ]
    names = {value.name: value.name for value in metric.values}

    def draw(each: MeasuredGroup, n: int) -> MeasuredGroup:
        """Return the first images of a group, of a metric that keeps its vectors."""
        kept = each.statistics.kept
        part = metric.statistics(kept.matrix[:n], kept.units[:n])
        return MeasuredGroup(each.group, part, metric.results(part, reference, {"encoder": "e"}))

    def common(a: MeasuredGroup, b: MeasuredGroup) -> CommonGroups:
        """Return two groups that have all in common."""
        return CommonGroups((a, b), {})

    family = DistanceFamily(metric, names, "d", reference, groups, common, draw)
    return adjusted(list(distance_differences(family, Compare(**compare), Findings("r"))))


def sides_of(metric: SetMetric[Any], sizes: Mapping[str, int]) -> tuple[Any, dict[str, Any]]:
    """Return statistics of a reference, and of models with so many images of a prompt each."""
    dice = np.random.default_rng(0)
    reference = metric.statistics(dice.normal(0, 1, (200, 3)), [f"r{row}" for row in range(200)])
    sides = {
        label: metric.statistics(dice.normal(0.3, 1, (n, 3)), [f"p{row}" for row in range(n)])
        for label, n in sizes.items()
    }
    return reference, sides


def test_a_difference_has_no_interval_where_one_of_the_distances_has_none() -> None:
    """A model without variety seems nearer with few prompts: that must not be called a result."""
    metric, scales = FRECHET_DISTANCE, np.arange(1, 129) ** -0.5
    dice = np.random.default_rng(2)
    units = [f"p{row}" for row in range(64)]
    reference = metric.statistics(dice.standard_normal((600, 128)) * scales, [f"r{row}" for row in range(600)])
    sides = {
        label: metric.statistics(spread * dice.standard_normal((64, 128)) * scales, units)
        for label, spread in (("narrow", 0.55), ("full", 1.0))
    }
    (row,) = differences(metric, reference, sides)
    assert (row.metric, row.n_clusters, row.reason) == ("frechet_distance", 64, "no_interval")
    assert np.isfinite(row.value)
    assert np.isnan([row.se, row.ci_low, row.ci_high, row.p_value]).all()


@pytest.mark.parametrize("name", VALUES)
def test_the_error_of_a_difference_is_its_spread_in_simulation(name: str) -> None:
    generator = np.random.default_rng(4)
    metric, values, variances = set_metric(name), [], []
    for _ in range(120):
        reference = metric.statistics(generator.normal(0, 1, (150, 3)), [f"r{i}" for i in range(150)])
        prompts = generator.normal(0, 1, (66, 1, 3))  # what both models draw for a prompt has much in common
        sides = []
        for shift in (0.3, 0.6):
            vectors = (prompts + generator.normal(shift, 0.5, (66, 2, 3))).reshape(-1, 3)
            sides.append(metric.statistics(vectors, [f"p{i // 2}" for i in range(132)]))
        results = [metric.results(side, reference, {})[VALUES[name]] for side in sides]
        values.append(results[0].value - results[1].value)
        variances.append(difference_variance(*(influence(metric, side, reference) for side in sides))[0])
    assert np.mean(variances) == pytest.approx(np.var(values, ddof=1), rel=0.45)


@pytest.mark.parametrize("name", VALUES)
def test_a_set_does_not_differ_from_itself(name: str) -> None:
    vectors = np.random.default_rng(0).normal(0, 1, (40, 3))
    metric = set_metric(name)
    side = metric.statistics(vectors, [f"p{i // 2}" for i in range(40)])
    reference = metric.statistics(vectors[::-1] + 0.5, [f"r{i}" for i in range(40)])
    own = influence(metric, side, reference)
    assert difference_variance(own, own)[0] == pytest.approx(0.0, abs=1e-20)


def test_a_metric_whose_error_nobody_knows_has_differences_without_an_interval() -> None:
    metric = replace(KERNEL_DISTANCE, influences=None)
    reference, sides = sides_of(metric, {"a": 60, "b": 60})
    (row,) = differences(metric, reference, sides)
    values = [metric.results(side, reference, {})["kernel_distance"].value for side in sides.values()]
    assert row.value == pytest.approx(values[0] - values[1])
    assert (row.reason, row.n, row.n_clusters) == ("error_unknown", 60, 60)
    assert np.isnan([row.se, row.ci_low, row.ci_high, row.p_value]).all()


def test_numbers_that_depend_on_n_are_compared_at_equal_n_and_say_so() -> None:
    """Two models of one distribution: by the published distance the one with fewer images looks worse."""
    metric = FRECHET_DISTANCE
    dice = np.random.default_rng(0)
    reference = metric.statistics(dice.normal(0, 1, (400, 16)), [f"r{row}" for row in range(400)])
    sides = {
        label: metric.statistics(dice.normal(0, 1, (n, 16)), [f"p{row}" for row in range(n)])
        for label, n in (("few", 100), ("many", 300))
    }
    whole = {label: metric.results(side, reference, {})["frechet_distance"].value for label, side in sides.items()}
    published, corrected = differences(metric, reference, sides)
    assert whole["few"] > 1.5 * whole["many"]
    assert abs(published.value) < 0.3 * (whole["few"] - whole["many"])
    assert (published.n, published.groups, published.reason) == (100, {EQUAL_N: 100}, "no_interval")
    assert (corrected.n, corrected.groups, corrected.reason) == (100, {}, None)
    assert corrected.ci_low <= 0.0 <= corrected.ci_high
    (published, *_) = differences(metric, reference, {"a": sides["few"], "b": sides["few"]})
    assert published.groups == {}, "of equal sets nothing is drawn"


def test_a_value_that_one_of_the_two_lacks_is_a_difference_with_the_reason() -> None:
    """One model has enough prompts for a corrected distance, another too few, a third no two pictures."""
    dice = np.random.default_rng(0)
    metric = FRECHET_DISTANCE
    reference = metric.statistics(dice.normal(0, 1, (300, 16)), [f"r{row}" for row in range(300)])
    sides = {
        label: metric.statistics(dice.normal(0, 1, (n, 16)), [f"p{row}" for row in range(n)])
        for label, n in (("many", 300), ("few", 40), ("one", 1))
    }
    found = {(row.metric, row.a, row.b): row for row in differences(metric, reference, sides)}
    corrected = {pair: row for (name, *pair_), row in found.items() if name.startswith("corr") for pair in [(*pair_,)]}
    assert {pair: row.reason for pair, row in corrected.items()} == {
        ("many", "few"): "not_of_both",
        ("many", "one"): "too_few_images",
    }, "of two that both lack it there is none"
    assert all(np.isnan([row.value, row.se, row.ci_low, row.p_value]).all() for row in corrected.values())
    assert (corrected["many", "few"].n, found["frechet_distance", "many", "few"].reason) == (40, "no_interval")


def test_a_difference_without_any_spread_has_no_interval() -> None:
    nothing = np.zeros(3)

    def still(statistics: Any, reference: Any) -> dict[str, Influence]:
        return {"kernel_distance": Influence(nothing, np.array(list("abc")), nothing, np.array(list("xyz")))}

    metric = replace(KERNEL_DISTANCE, influences=still)
    reference, sides = sides_of(metric, {"a": 60, "b": 60})
    (row,) = differences(metric, reference, sides)
    assert (row.reason, np.isnan(row.ci_low), np.isfinite(row.value)) == ("no_spread", True, True)


def test_ends_are_not_beyond_what_a_value_can_differ_by() -> None:
    value = ReportedValue("kernel_distance", "lower", low=0.0, high=1e-6)
    metric = replace(KERNEL_DISTANCE, values=(value,))
    reference, sides = sides_of(metric, {"a": 60, "b": 60})
    (row,) = differences(metric, reference, sides)
    assert (row.ci_low, row.ci_high) == (-1e-6, 1e-6)


def test_each_model_is_compared_with_the_baseline_and_adjusted_for_their_number() -> None:
    reference, sides = sides_of(KERNEL_DISTANCE, {"a": 60, "b": 60, "c": 60})
    rows = differences(KERNEL_DISTANCE, reference, sides, baseline="b")
    assert [(row.a, row.b) for row in rows] == [("a", "b"), ("c", "b")]
    p_values = sorted(row.p_value for row in rows)
    assert sorted(row.p_adjusted for row in rows)[0] == pytest.approx(min(1.0, 2 * p_values[0]))
    assert [(row.a, row.b) for row in differences(KERNEL_DISTANCE, reference, sides)] == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    ]
