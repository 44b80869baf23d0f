import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from diptych.reports.charts import BAR_HEIGHT, MAX_BINS, Scale, estimate, histogram, nice_step, scale_of
from diptych.reports.links import Range

numbers = st.lists(st.floats(-1e6, 1e6, width=32) | st.just(math.nan), min_size=1, max_size=80)
wild = st.lists(st.floats() | st.sampled_from([1.7e308, -1.7e308, 1.0, 1 + 2e-16]), min_size=1, max_size=40)
lines = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=2)


def holds(wanted: Range, value: float) -> bool:
    """Read a range as the gallery does."""
    low = -math.inf if wanted.low is None else wanted.low
    high = math.inf if wanted.high is None else wanted.high
    return value >= low and (value <= high if wanted.is_closed or high == math.inf else value < high)


@given(numbers, numbers, st.lists(st.floats(-1e5, 1e5), max_size=2))
@example([math.nan], [0.0], [5e-324])
def test_every_value_lies_in_exactly_the_bin_that_counts_it(
    left: list[float], right: list[float], thresholds: list[float]
) -> None:
    groups = {"left": np.asarray(left, np.float32), "right": np.asarray(right, np.float32)}
    chart = histogram(groups, thresholds)
    for series in chart.series:
        known = [float(value) for value in groups[series.label] if not math.isnan(value)]
        assert series.n == len(known)
        assert series.missing == len(groups[series.label]) - len(known)
        counted = [sum(holds(bin_.range, value) for value in known) for bin_ in chart.bins]
        assert counted == [bar.n for bar in series.bars]
        assert sum(counted) == len(known)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@given(values=wild, thresholds=lines)
def test_infinite_and_huge_values_lie_in_the_outermost_bins(kind: Any, values: list[float], thresholds: Any) -> None:
    with np.errstate(over="ignore"):
        found = np.asarray(values).astype(kind)
    chart = histogram({"all": found}, thresholds)
    assert len(chart.bins) <= 4 * MAX_BINS
    assert math.isfinite(chart.low)
    assert math.isfinite(chart.high)
    counted = [sum(holds(bin_.range, float(value)) for value in found) for bin_ in chart.bins]
    assert counted == [bar.n for bar in chart.series[0].bars]
    assert sum(counted) == np.sum(~np.isnan(found)) == chart.series[0].n
    assert all(0 <= bar.x <= bar.x + bar.width <= 100.01 for bar in chart.series[0].bars)


def test_infinite_values_are_counted_with_what_is_beside_them() -> None:
    chart = histogram({"all": np.array([1.0, 2.0, math.inf, -math.inf, math.nan])}, [1.5])
    assert chart.series[0].missing == 1
    assert (chart.bins[0].range.low, chart.bins[-1].range.high) == (None, None)
    assert (chart.series[0].bars[0].n, chart.series[0].bars[-1].n) == (2, 2)


@given(numbers)
def test_bars_stay_within_the_chart(values: list[float]) -> None:
    chart = histogram({"all": np.asarray(values, np.float32)})
    for bar in chart.series[0].bars:
        assert 0 <= bar.x <= bar.x + bar.width <= 100.01
        assert 0 <= bar.y <= bar.y + bar.height <= BAR_HEIGHT + 0.01
        assert (bar.height > 0) == (bar.n > 0)


def test_number_of_bins_is_about_what_is_asked_for() -> None:
    values = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    assert MAX_BINS / 2 <= len(histogram({"all": values}).bins) <= 2 * MAX_BINS


def test_threshold_is_the_edge_of_a_bin() -> None:
    for kind in (np.float32, np.float64):  # as values of that precision are compared with it
        chart = histogram({"all": np.linspace(0, 1, 101, dtype=kind)}, [0.283])
        assert any(bin_.range.low == float(kind(0.283)) for bin_ in chart.bins)
        assert chart.marks[0].text == "0.283"


def test_long_thin_tail_shares_the_last_bin() -> None:
    values = np.concatenate([np.linspace(0, 100, 970), np.linspace(5000, 20000, 30)]).astype(np.float32)
    chart = histogram({"all": values})
    assert chart.high < 400
    assert chart.bins[-1].range.high is None
    assert chart.series[0].bars[-1].n >= 30


def test_second_peak_is_no_tail() -> None:
    values = np.concatenate([np.linspace(0, 0.01, 900), np.linspace(0.9, 1, 100)]).astype(np.float32)
    assert histogram({"all": values}).high >= 0.9


def test_few_values_get_a_bar_each() -> None:
    chart = histogram({"all": np.asarray([0, 1, 1, 1], np.float32)})
    assert [(bin_.text, bar.n) for bin_, bar in zip(chart.bins, chart.series[0].bars, strict=True)] == [
        ("0", 1),
        ("1", 3),
    ]
    assert [tick.text for tick in chart.ticks] == ["0", "1"]


def test_stacked_bars_lie_on_one_another() -> None:
    values = np.asarray([1.0, 2.0, 3.0], np.float32)
    chart = histogram({"kept": values, "lost": values}, [2.0], stacked=True)
    for below, above in zip(*(series.bars for series in chart.series), strict=True):
        if below.n and above.n:
            assert above.y + above.height == pytest.approx(below.y, abs=0.02)


def test_nothing_to_count_gives_an_empty_chart() -> None:
    chart = histogram({"all": np.full(3, np.nan, np.float32)})
    assert (chart.series[0].n, chart.series[0].missing) == (0, 3)


@given(st.floats(1e-9, 1e9), st.integers(2, 30))
def test_step_is_one_two_or_five_times_a_power_of_ten(width: float, count: int) -> None:
    step = nice_step(width, count)
    digits = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(digits - nice) for nice in (1, 2, 5, 10)) < 1e-6
    assert width / count / 2 <= step <= width / count * 2


def test_scale_holds_what_it_is_made_of_and_zero_where_asked() -> None:
    scale = scale_of([3.0, None, 5.0], keep=[0.0])
    assert scale.low < 0 < 5 < scale.high
    assert scale_of([]) == Scale(0.0, 1.0)
    one = scale_of([7.0])
    assert one.low < 7 < one.high


def test_estimate_without_interval_has_a_dot_only() -> None:
    assert estimate(Scale(0, 10), 5, None, None) == (50.0, None, None)
