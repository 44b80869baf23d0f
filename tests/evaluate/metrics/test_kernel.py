import itertools

import numpy as np
import pytest
import torch

from diptych.errors import ConfigError, DataError
from diptych.evaluate.metrics import kernel
from diptych.evaluate.metrics.contract import Result, set_metric
from diptych.evaluate.metrics.kernel import KERNEL_DISTANCE, kernel_distance, kernel_sums


def draw(n: int, dim: int, seed: int, shift: float = 0.0) -> np.ndarray:
    return np.maximum(np.random.default_rng(seed).standard_normal((n, dim)) + shift, 0.0).astype(np.float32)


def estimate(x: np.ndarray, y: np.ndarray) -> float:
    return kernel_distance(kernel_sums(x), kernel_sums(y), kernel_sums(x, y)).value


def judged(x: np.ndarray, y: np.ndarray, units: list[str] | None = None) -> Result:
    statistics = KERNEL_DISTANCE.statistics(x, units or [f"x{row}" for row in range(len(x))])
    return KERNEL_DISTANCE.result(statistics, KERNEL_DISTANCE.statistics(y, [f"y{row}" for row in range(len(y))]), {})


def test_two_points_have_a_closed_form() -> None:
    """k(0, .) = 1 and k(1, 1) = 8 with one dimension: within 8 and 1, between 1."""
    x, y = np.ones((4, 1)), np.zeros((3, 1))
    assert estimate(x, y) == pytest.approx(8.0 + 1.0 - 2.0 * 1.0, abs=1e-12)
    assert estimate(x, x) == pytest.approx(0.0, abs=1e-12)


def test_it_is_the_mean_over_all_pairs() -> None:
    x, y = draw(7, 3, 1).astype(float), draw(5, 3, 2).astype(float)
    kernel = lambda a, b: (a @ b / 3 + 1) ** 3  # noqa: E731
    within = [np.mean([kernel(a, b) for a, b in itertools.permutations(s, 2)]) for s in (x, y)]
    between = np.mean([kernel(a, b) for a in x for b in y])
    assert estimate(x, y) == pytest.approx(sum(within) - 2 * between, rel=1e-12)


def test_it_is_the_mean_over_all_subsets() -> None:
    """What others average over random subsets of, all subsets give exactly."""
    x, y = draw(5, 2, 1), draw(5, 2, 2)
    subsets = [list(rows) for rows in itertools.combinations(range(5), 3)]
    values = [estimate(x[a], y[b]) for a in subsets for b in subsets]
    assert np.mean(values) == pytest.approx(estimate(x, y), rel=1e-9)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = draw(50, 6, 1), draw(41, 6, 2)
    whole = judged(x, y)
    squares = kernel_sums(x).squares
    monkeypatch.setattr(kernel, "BLOCK_ROWS", 7)
    blocked = judged(x, y)
    assert kernel_sums(x).squares == pytest.approx(squares, rel=1e-12)
    for name in ("value", "se", "ci_low", "ci_high"):
        assert getattr(blocked, name) == pytest.approx(getattr(whole, name), rel=1e-9), name


def test_neither_order_nor_cuts_change_a_result() -> None:
    x, y = draw(60, 6, 1), draw(41, 6, 2)
    units = np.array([f"x{row}" for row in range(60)])
    reference = KERNEL_DISTANCE.statistics(y, np.arange(41))
    whole = KERNEL_DISTANCE.result(KERNEL_DISTANCE.statistics(x, units), reference, {})
    order = np.random.default_rng(0).permutation(60)
    parts = [KERNEL_DISTANCE.statistics(x[part], units[part]) for part in np.split(order, [2, 30])]
    again = KERNEL_DISTANCE.result(parts[2].merged(parts[0]).merged(parts[1]), reference, {})
    for name in ("value", "se", "ci_low", "ci_high"):
        assert getattr(again, name) == pytest.approx(getattr(whole, name), rel=1e-9), name


@pytest.mark.reference
def test_it_is_the_distance_of_torchmetrics() -> None:
    from torchmetrics.image.kid import poly_mmd

    x, y = draw(200, 64, 1), draw(200, 64, 2, shift=0.1)
    theirs = poly_mmd(torch.from_numpy(y).double(), torch.from_numpy(x).double())
    assert estimate(x, y) == pytest.approx(float(theirs), rel=1e-10)


@pytest.mark.reference
def test_it_is_the_kid_of_torch_fidelity_over_subsets_of_all() -> None:
    from torch_fidelity.metric_kid import kid_features_to_metric

    x, y = draw(150, 16, 1), draw(150, 16, 2, shift=0.1)
    theirs = kid_features_to_metric(
        torch.from_numpy(x), torch.from_numpy(y), kid_subsets=3, kid_subset_size=150, verbose=False
    )
    assert estimate(x, y) == pytest.approx(theirs["kernel_inception_distance_mean"], abs=1e-6)  # theirs is float32


def test_the_standard_error_is_the_spread_of_repeated_sampling() -> None:
    values, errors = [], []
    for seed in range(300):
        found = judged(draw(60, 8, 2 * seed), draw(80, 8, 2 * seed + 1, shift=0.5))
        values.append(found.value)
        errors.append(found.se)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.12)


def test_without_a_difference_the_value_may_be_negative_and_the_interval_holds_zero() -> None:
    values = [judged(draw(60, 8, 2 * seed), draw(60, 8, 2 * seed + 1)) for seed in range(60)]
    assert min(found.value for found in values) < 0.0
    assert np.mean([found.ci_low <= 0.0 <= found.ci_high for found in values]) > 0.85


def test_images_of_one_prompt_widen_the_interval() -> None:
    dice = np.random.default_rng(0)
    x = np.repeat(draw(30, 8, 1, shift=0.5), 6, axis=0) + 0.1 * dice.standard_normal((180, 8))
    y = draw(200, 8, 2)
    alone = judged(x, y)
    clustered = judged(x, y, [str(row // 6) for row in range(180)])
    assert clustered.se > 1.5 * alone.se
    assert clustered.ci_high - clustered.ci_low > 1.5 * (alone.ci_high - alone.ci_low)


def test_an_image_that_stands_several_times_under_its_prompt_counts_once() -> None:
    x, y = draw(30, 8, 1), draw(200, 8, 2)
    once, often = judged(x, y), judged(np.tile(x, (6, 1)), y, [f"x{row % 30}" for row in range(180)])
    for name in ("value", "se", "ci_low", "ci_high"):
        assert getattr(often, name) == pytest.approx(getattr(once, name), rel=1e-9), name


def test_pairs_of_one_prompt_are_left_out() -> None:
    """In one dimension: a has 0 and 1, b has 1; k(0, .) = 1 and k(1, 1) = 8, so (1 + 8) / 2 within, against 1 and 1."""
    found = judged(np.array([[0.0], [1.0], [1.0]]), np.zeros((2, 1)), ["a", "a", "b"])
    assert found.value == pytest.approx(4.5 + 1.0 - 2.0, abs=1e-12)


def test_prompts_of_different_sizes_agree_with_all_pairs_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = draw(17, 3, 1).astype(float), draw(11, 3, 2).astype(float)
    dice = np.random.default_rng(0)
    units = [dice.integers(0, 5, 17).astype(str), dice.integers(0, 4, 11).astype(str)]
    kernels = [(a @ b.T / 3 + 1) ** 3 for a, b in ((x, x), (y, y), (x, y))]
    apart = [own[:, None] != own for own in units]
    value = kernels[0][apart[0]].mean() + kernels[1][apart[1]].mean() - 2.0 * kernels[2].mean()
    sums = [[kernels[2][np.ix_(units[0] == a, units[1] == b)].sum() for b in set(units[1])] for a in set(units[0])]
    counts = np.outer(*([(own == name).sum() for name in set(own)] for own in units))
    for rows in (2048, 4, 1):
        monkeypatch.setattr(kernel, "BLOCK_ROWS", rows)
        within = [kernel_sums(vectors, units=own) for vectors, own in ((x, units[0]), (y, units[1]))]
        between = kernel_sums(x, y, *units)
        found = kernel_distance(*within, between)
        assert found.value == pytest.approx(value, rel=1e-12)
        assert [found.left.mean(), found.right.mean()] == pytest.approx([0.0, 0.0], abs=1e-12)
        assert within[0].rows == pytest.approx((kernels[0] * apart[0]).sum(axis=1), rel=1e-12)
        assert between.squares == pytest.approx(np.square(sums).sum(), rel=1e-12)
        assert between.cross == pytest.approx((np.array(sums) * counts).sum(), rel=1e-12)


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
    x = np.concatenate([draw(20, 4, 1), np.full((2, 4), np.nan, np.float32)])
    result = judged(x, draw(30, 4, 2))
    assert (result.n, result.details) == (20, {"n_reference": 30.0, "n_unscored": 2.0})
    assert result.identity["kernel"] == "(x.y / D + 1)^3"
    assert result.ci_low < result.value < result.ci_high


def test_too_few_images_are_a_reason_and_no_number() -> None:
    result = judged(draw(1, 4, 1), draw(30, 4, 2))
    assert (result.reason, result.n) == ("too_few_images", 1)
    assert np.isnan(result.value)
    with pytest.raises(ValueError, match=r"not \(1, 5\)"):
        kernel_distance(
            kernel_sums(draw(1, 2, 1)), kernel_sums(draw(5, 2, 1)), kernel_sums(draw(1, 2, 1), draw(5, 2, 1))
        )


def test_images_of_one_prompt_alone_are_a_reason_and_no_number() -> None:
    result = judged(draw(8, 4, 1), draw(30, 4, 2), ["one"] * 8)
    assert (result.reason, result.n) == ("too_few_prompts", 8)
    assert np.isnan([result.value, result.se]).all()


def test_with_fewer_than_five_prompts_there_is_no_interval() -> None:
    few = judged(draw(12, 4, 1), draw(30, 4, 2), ["a", "b", "c", "d"] * 3)
    assert np.isfinite(few.value)
    assert np.isnan([few.ci_low, few.ci_high]).all()
    assert "no interval: 4 prompts" in few.note
    enough = judged(draw(15, 4, 1), draw(30, 4, 2), ["a", "b", "c", "d", "e"] * 3)
    assert enough.ci_low < enough.value < enough.ci_high
    unequal = judged(draw(30, 4, 1), draw(30, 4, 2), ["a"] * 20 + [f"b{row}" for row in range(10)])
    assert np.isnan(unequal.ci_low), "worth two prompts"


def test_two_encoders_do_not_compare() -> None:
    with pytest.raises(DataError, match="4 and of 5 dimensions"):
        judged(draw(9, 4, 1), draw(9, 5, 1))


def test_the_table_names_it_and_what_it_does_not_know() -> None:
    assert set_metric("kernel_distance").name == "kernel_distance"
    with pytest.raises(ConfigError, match="did you mean 'kernel_distance'"):
        set_metric("kernel_distances")
