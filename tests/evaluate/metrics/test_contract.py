"""What every set metric keeps to, whichever it is, and the example of the docs."""

import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diptych.evaluate.metrics.contract import SET_METRICS, SetMetric, set_metric

DOCS = Path(__file__).resolve().parents[3] / "docs/architecture.md"
PROMPTS, SAMPLES = 90, 2
METRICS = [*SET_METRICS, "the example of the docs"]


def example() -> SetMetric[Any]:
    """Return the metric that the docs show."""
    section = DOCS.read_text(encoding="utf-8").partition("### A set metric")[2]
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found
    namespace: dict[str, Any] = {}
    exec(compile(found[1], str(DOCS), "exec"), namespace)
    metric: SetMetric[Any] = namespace["MEAN_GAP"]
    return metric


@pytest.fixture(params=METRICS)
def metric(request: pytest.FixtureRequest) -> SetMetric[Any]:
    return set_metric(request.param) if request.param in SET_METRICS else example()


def vectors() -> np.ndarray:
    dice = np.random.default_rng(0)
    return (dice.normal(0.4, 1, (PROMPTS, 1, 4)) + dice.normal(0, 0.5, (PROMPTS, SAMPLES, 4))).reshape(-1, 4)


def units() -> np.ndarray:
    return np.array([f"p{row // SAMPLES}" for row in range(PROMPTS * SAMPLES)])


def reference_of(metric: SetMetric[Any]) -> Any:
    drawn = np.random.default_rng(1).normal(0, 1, (150, 4))
    return metric.statistics(drawn, np.array([f"r{row}" for row in range(150)])) if metric.needs_reference else None


def numbers(metric: SetMetric[Any], statistics: Any) -> list[float]:
    """Return value, error and interval of every value."""
    results = metric.results(statistics, reference_of(metric), {}).values()
    return [number for each in results for number in (each.value, each.se, each.ci_low, each.ci_high)]


def test_its_name_is_its_key_and_no_two_metrics_report_a_value_of_one_name() -> None:
    metrics = [set_metric(name) for name in SET_METRICS]
    assert [each.name for each in metrics] == list(SET_METRICS)
    names = [value.name for each in metrics for value in each.values]
    assert len(set(names)) == len(names)


def test_its_file_has_its_name() -> None:
    assert {name: target.split(":")[0].rpartition(".")[2] for name, target in SET_METRICS.items()} == {
        name: name for name in SET_METRICS
    }


def test_it_reports_what_it_says_with_n_and_identity(metric: SetMetric[Any]) -> None:
    statistics = metric.statistics(vectors(), units())
    results = metric.results(statistics, reference_of(metric), {"encoder": "e", "reference": "f"})
    names = [value.name for value in metric.values]
    assert list(results) == [name for name in names if name in results], "in the order of its values"
    assert names[0] in results, "the first one always exists"
    for value in (value for value in metric.values if value.name in results):
        result = results[value.name]
        assert (result.n, result.reason) == (PROMPTS * SAMPLES, None)
        assert result.identity["metric"] == metric.name
        assert isinstance(result.identity["version"], int)
        assert (result.identity["encoder"], result.identity["reference"]) == ("e", "f")
        assert np.isfinite(result.value)
        assert np.isfinite(result.ci_low) or "no interval" in result.note
        assert np.isfinite(result.se) == np.isfinite(result.ci_low), "no error where there is no interval"
        for end in (result.value, result.ci_low, result.ci_high):
            assert not end < (-np.inf if value.low is None else value.low)
            assert not end > (np.inf if value.high is None else value.high)


def test_neither_order_nor_cuts_change_a_number(metric: SetMetric[Any]) -> None:
    x, names = vectors(), units()
    whole = numbers(metric, metric.statistics(x, names))
    order = np.random.default_rng(2).permutation(len(x))
    parts = [metric.statistics(x[rows], names[rows]) for rows in np.array_split(order, 4)]
    for a, b, c, d in itertools.islice(itertools.permutations(parts), 0, 24, 7):
        again = numbers(metric, a.merged(b).merged(c.merged(d)))
        assert again == pytest.approx(whole, rel=1e-5, nan_ok=True)


def test_images_without_a_vector_change_nothing(metric: SetMetric[Any]) -> None:
    x, names = vectors(), units()
    gaps = np.insert(x, [3, 50], np.nan, axis=0)
    statistics = metric.statistics(gaps, np.insert(names.astype(object), [3, 50], "lost"))
    assert statistics.n == len(x)
    assert statistics.units.tolist() == names.tolist()
    np.testing.assert_array_equal(numbers(metric, statistics), numbers(metric, metric.statistics(x, names)))


def test_without_images_there_is_a_reason_and_no_number(metric: SetMetric[Any]) -> None:
    for nothing in (np.zeros((0, 4)), np.full((3, 4), np.nan)):
        statistics = metric.statistics(nothing, np.array(["p"] * len(nothing)))
        for result in metric.results(statistics, reference_of(metric), {}).values():
            assert (result.reason, result.n) == ("too_few_images", 0)
            assert np.isnan([result.value, result.se, result.ci_low, result.ci_high]).all()


def test_what_each_part_adds_is_about_the_mean(metric: SetMetric[Any]) -> None:
    statistics, reference = metric.statistics(vectors(), units()), reference_of(metric)
    found = {} if metric.influences is None else metric.influences(statistics, reference)
    assert set(found) <= {value.name for value in metric.values}
    for influence in found.values():
        assert len(influence.images) == len(influence.units)
        assert len(influence.reference) == len(influence.reference_units)
        assert len(influence.reference) > 0 or not metric.needs_reference
        for parts in (influence.images, influence.reference)[: 1 + metric.needs_reference]:
            assert parts.mean() == pytest.approx(0.0, abs=1e-9 * float(np.abs(parts).max()))
