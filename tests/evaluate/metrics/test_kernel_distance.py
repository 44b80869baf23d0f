"""The set metric kernel distance: its error over prompts, and what it refuses to say."""

import numpy as np
import pytest
from drawn_vectors import fired

from diptych.errors import ConfigError, DataError
from diptych.evaluate.metrics import kernel
from diptych.evaluate.metrics.contract import ReportedValue, Result, set_metric
from diptych.evaluate.metrics.kernel import kernel_sums
from diptych.evaluate.metrics.kernel_distance import KERNEL_DISTANCE, KernelStatistics

statistics_of = KERNEL_DISTANCE.statistics


def result(statistics: KernelStatistics, reference: KernelStatistics) -> Result:
    (found,) = KERNEL_DISTANCE.results(statistics, reference, {}).values()
    return found


def judged(x: np.ndarray, y: np.ndarray, units: list[str] | None = None) -> Result:
    statistics = statistics_of(x, units or [f"x{row}" for row in range(len(x))])
    return result(statistics, statistics_of(y, [f"y{row}" for row in range(len(y))]))


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = fired(50, 6, 1), fired(41, 6, 2)
    whole = judged(x, y)
    squares = kernel_sums(x).squares
    monkeypatch.setattr(kernel, "BLOCK_ROWS", 7)
    blocked = judged(x, y)
    assert kernel_sums(x).squares == pytest.approx(squares, rel=1e-12)
    for name in ("value", "se", "ci_low", "ci_high"):
        assert getattr(blocked, name) == pytest.approx(getattr(whole, name), rel=1e-9), name


def test_neither_order_nor_cuts_change_a_result() -> None:
    x, y = fired(60, 6, 1), fired(41, 6, 2)
    units = np.array([f"x{row}" for row in range(60)])
    reference = statistics_of(y, np.arange(41))
    whole = result(statistics_of(x, units), reference)
    order = np.random.default_rng(0).permutation(60)
    parts = [statistics_of(x[part], units[part]) for part in np.split(order, [2, 30])]
    again = result(parts[2].merged(parts[0]).merged(parts[1]), reference)
    for name in ("value", "se", "ci_low", "ci_high"):
        assert getattr(again, name) == pytest.approx(getattr(whole, name), rel=1e-9), name


def test_the_standard_error_is_the_spread_of_repeated_sampling() -> None:
    values, errors = [], []
    for seed in range(300):
        found = judged(fired(60, 8, 2 * seed), fired(80, 8, 2 * seed + 1, shift=0.5))
        values.append(found.value)
        errors.append(found.se)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.12)


def test_without_a_difference_the_value_may_be_negative_and_the_interval_holds_zero() -> None:
    values = [judged(fired(60, 8, 2 * seed), fired(60, 8, 2 * seed + 1)) for seed in range(60)]
    assert min(found.value for found in values) < 0.0
    assert np.mean([found.ci_low <= 0.0 <= found.ci_high for found in values]) > 0.85


def test_images_of_one_prompt_widen_the_interval() -> None:
    dice = np.random.default_rng(0)
    x = np.repeat(fired(30, 8, 1, shift=0.5), 6, axis=0) + 0.1 * dice.standard_normal((180, 8))
    y = fired(200, 8, 2)
    alone = judged(x, y)
    clustered = judged(x, y, [str(row // 6) for row in range(180)])
    assert clustered.se > 1.5 * alone.se
    assert clustered.ci_high - clustered.ci_low > 1.5 * (alone.ci_high - alone.ci_low)


def test_an_image_that_stands_several_times_under_its_prompt_counts_once() -> None:
    x, y = fired(30, 8, 1), fired(200, 8, 2)
    once, often = judged(x, y), judged(np.tile(x, (6, 1)), y, [f"x{row % 30}" for row in range(180)])
    for name in ("value", "se", "ci_low", "ci_high"):
        assert getattr(often, name) == pytest.approx(getattr(once, name), rel=1e-9), name


def test_pairs_of_one_prompt_are_left_out() -> None:
    """In one dimension: a has 0 and 1, b has 1; k(0, .) = 1 and k(1, 1) = 8, so (1 + 8) / 2 within, against 1 and 1."""
    found = judged(np.array([[0.0], [1.0], [1.0]]), np.zeros((2, 1)), ["a", "a", "b"])
    assert found.value == pytest.approx(4.5 + 1.0 - 2.0, abs=1e-12)


def test_several_images_of_a_prompt_do_not_move_it_away_from_zero() -> None:
    values, covers, errors = [], [], []
    for seed in range(150):
        dice = np.random.default_rng(seed)
        prompts = np.repeat(dice.standard_normal((36, 16)), 8, axis=0)
        x = 0.6**0.5 * prompts + 0.4**0.5 * dice.standard_normal((288, 16))
        found = judged(x, dice.standard_normal((300, 16)), [str(row // 8) for row in range(288)])
        values.append(found.value)
        errors.append(found.se)
        covers.append(found.ci_low <= 0.0 <= found.ci_high)
    assert abs(np.mean(values)) < 3.0 * np.std(values) / 150**0.5
    assert np.mean(errors) > 0.9 * np.std(values)
    assert np.mean(covers) > 0.9


def test_a_result_says_what_it_is_of() -> None:
    x = np.concatenate([fired(20, 4, 1), np.full((2, 4), np.nan, np.float32)])
    found = judged(x, fired(30, 4, 2))
    assert found.n == 20
    assert found.identity["kernel"] == "(x.y / D + 1)^3"
    assert found.ci_low < found.value < found.ci_high


def test_too_few_images_are_a_reason_and_no_number() -> None:
    found = judged(fired(1, 4, 1), fired(30, 4, 2))
    assert (found.reason, found.n) == ("too_few_images", 1)
    assert np.isnan(found.value)


def test_images_of_one_prompt_alone_are_a_reason_and_no_number() -> None:
    found = judged(fired(8, 4, 1), fired(30, 4, 2), ["one"] * 8)
    assert (found.reason, found.n) == ("too_few_prompts", 8)
    assert np.isnan([found.value, found.se]).all()


def test_with_fewer_than_five_prompts_there_is_no_interval() -> None:
    few = judged(fired(12, 4, 1), fired(30, 4, 2), ["a", "b", "c", "d"] * 3)
    assert np.isfinite(few.value)
    assert np.isnan([few.ci_low, few.ci_high]).all()
    assert "no interval: 4 prompts" in few.note
    enough = judged(fired(15, 4, 1), fired(30, 4, 2), ["a", "b", "c", "d", "e"] * 3)
    assert enough.ci_low < enough.value < enough.ci_high
    unequal = judged(fired(30, 4, 1), fired(30, 4, 2), ["a"] * 20 + [f"b{row}" for row in range(10)])
    assert np.isnan(unequal.ci_low), "worth two prompts"


def test_images_that_are_all_alike_have_a_value_and_no_interval() -> None:
    found = judged(np.full((30, 4), 0.5), fired(40, 4, 2))
    assert np.isfinite(found.value)
    assert np.isnan([found.se, found.ci_low, found.ci_high]).all()
    assert "all 30 images of a set are alike" in found.note


def test_of_a_set_and_itself_the_biased_distance_is_zero_and_the_unbiased_one_is_too_low() -> None:
    x = fired(60, 8, 1)
    units = [f"x{row // 2}" for row in range(60)]
    same = statistics_of(x, units), statistics_of(x[::-1], units[::-1])
    assert KERNEL_DISTANCE.of_dependent is not None
    (found,) = KERNEL_DISTANCE.of_dependent(*same, {}).values()
    assert found.value == 0.0, "and not what rounding leaves"
    assert np.isnan([found.se, found.ci_low]).all()
    assert result(*same).value < -1e-3
    assert found.identity["pairs"] != result(*same).identity["pairs"], "never in one column"


def test_the_biased_distance_is_the_mean_over_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = fired(23, 4, 1), fired(17, 4, 2, shift=0.4)
    points = np.concatenate([x, y]).astype(np.float64)
    values = (points @ points.T / 4 + 1.0) ** 3
    expected = values[:23, :23].mean() + values[23:, 23:].mean() - 2.0 * values[:23, 23:].mean()
    for rows in (2048, 5):
        monkeypatch.setattr(kernel, "BLOCK_ROWS", rows)
        for units in ([f"x{row}" for row in range(23)], ["x"] * 11 + ["z"] * 12):
            statistics, reference = statistics_of(x, units), statistics_of(y, ["y"] * 17)
            assert KERNEL_DISTANCE.of_dependent is not None
            (found,) = KERNEL_DISTANCE.of_dependent(statistics, reference, {}).values()
            assert found.value == pytest.approx(expected, rel=1e-9)


def test_two_encoders_do_not_compare() -> None:
    with pytest.raises(DataError, match="4 and of 5 dimensions"):
        judged(fired(9, 4, 1), fired(9, 5, 1))


def test_the_table_names_it_and_what_it_does_not_know() -> None:
    metric = set_metric("kernel_distance")
    assert metric is KERNEL_DISTANCE
    biased = ReportedValue("biased_kernel_distance", "lower", low=0.0, size_bias="uncorrected")
    assert metric.values == (ReportedValue("kernel_distance", "lower", true_low=0.0), biased)
    assert metric.from_moments is None
    with pytest.raises(ConfigError, match="did you mean 'kernel_distance'"):
        set_metric("kernel_distances")
