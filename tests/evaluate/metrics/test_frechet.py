from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import linalg

from diptych.errors import DataError
from diptych.evaluate.metrics.contract import Result, set_metric
from diptych.evaluate.metrics.frechet import (
    FRECHET_DISTANCE,
    FrechetStatistics,
    frechet_distance,
    size_bias,
    trace_of_root,
)
from diptych.evaluate.metrics.frechet_influence import contributions
from diptych.evaluate.metrics.moments import Moments, moments, square_root


def of(mean: np.ndarray, covariance: np.ndarray) -> Moments:
    return Moments(2, np.asarray(mean, float), np.asarray(covariance, float), False)


def draw(n: int, dim: int, seed: int, *, shift: float = 0.0, kind: str = "features") -> np.ndarray:
    """Features as networks make them: not negative, correlated, of very different spread."""
    dice = np.random.default_rng(seed)
    mixing = np.random.default_rng(1000).standard_normal((dim, dim)) / np.sqrt(dim)
    raw = dice.standard_normal((n, dim)) * np.arange(1, dim + 1) ** -0.5 @ mixing + shift
    return np.maximum(raw, 0.0) if kind == "features" else raw


def names(n: int, prefix: str = "") -> list[str]:
    return [f"{prefix}{row}" for row in range(n)]


def test_equal_covariances_leave_the_distance_of_the_means() -> None:
    unit = np.eye(2048)
    assert frechet_distance(of(np.zeros(2048), unit), of(np.ones(2048), unit)) == pytest.approx(2048.0, abs=1e-9)


def test_covariances_that_commute_have_a_closed_form() -> None:
    scale = np.arange(1.0, 6.0)
    found = frechet_distance(of(np.zeros(5), np.diag(scale)), of(np.zeros(5), np.diag(scale[::-1])))
    assert found == pytest.approx(3.7420195910160814, abs=1e-10)


@pytest.mark.parametrize(("n", "dim"), [(40, 100), (100, 100), (101, 100), (400, 100), (2, 7)])
def test_a_set_is_at_no_distance_from_itself(n: int, dim: int) -> None:
    vectors = draw(n, dim, 0)
    assert frechet_distance(moments(vectors), moments(vectors)) == pytest.approx(0.0, abs=1e-10)


def test_it_is_symmetric_and_turns_and_scales_as_a_squared_distance_does() -> None:
    dice = np.random.default_rng(3)
    turn = np.linalg.qr(dice.standard_normal((6, 6)))[0]
    for n in (4, 5, 9, 60):
        x, y = draw(n, 6, 1), draw(50, 6, 2, shift=0.3)
        distance = frechet_distance(moments(x), moments(y))
        assert frechet_distance(moments(y), moments(x)) == pytest.approx(distance, rel=1e-9)
        assert frechet_distance(moments(x @ turn), moments(y @ turn)) == pytest.approx(distance, rel=1e-9)
        assert frechet_distance(moments(3.0 * x), moments(3.0 * y)) == pytest.approx(9.0 * distance, rel=1e-9)
        assert distance > 0.0


@pytest.mark.parametrize("dim", [2, 5, 16, 64])
@pytest.mark.parametrize("n", [2, 4, 8, 32, 128, 1024])
def test_every_size_and_dimension_agrees_with_the_matrix_root(n: int, dim: int) -> None:
    x, y = (draw(n, dim, seed, shift=0.1 * seed, kind="normal") for seed in (1, 2))
    left, right = moments(x), moments(y)
    product = left.covariance @ right.covariance
    values = np.linalg.eigvals(product).astype(complex)
    expected = np.sqrt(values).real.sum()
    assert trace_of_root(left, right) == pytest.approx(expected, abs=1e-5)
    if n > dim:
        assert trace_of_root(left, right) == pytest.approx(linalg.sqrtm(product).real.trace(), rel=1e-8)


@pytest.mark.parametrize(("n", "m"), [(30, 30), (30, 500), (500, 30), (500, 700)])
def test_every_form_gives_the_same_number(n: int, m: int) -> None:
    """Root and root, root and matrix, matrix and root, matrix and matrix: against one route that takes all."""
    x, y = draw(n, 50, 1), draw(m, 50, 2, shift=0.2)
    values, vectors = np.linalg.eigh(np.cov(y, rowvar=False))
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    inner = np.clip(np.linalg.eigvalsh(root @ np.cov(x, rowvar=False) @ root), 0.0, None)
    assert trace_of_root(moments(x), moments(y)) == pytest.approx(np.sqrt(inner).sum(), rel=1e-6)


def test_features_that_never_fire_do_no_harm() -> None:
    x, y = draw(300, 20, 1), draw(400, 20, 2, shift=0.2)
    expected = frechet_distance(moments(x), moments(y))
    dead = [np.concatenate([vectors, np.zeros((len(vectors), 3))], axis=1) for vectors in (x, y)]
    assert frechet_distance(*map(moments, dead)) == pytest.approx(expected, rel=1e-10)
    units = names(300, "x"), names(400, "y")
    with_dead, without = (
        FRECHET_DISTANCE.result(*map(FRECHET_DISTANCE.statistics, vectors, units), {}) for vectors in (dead, (x, y))
    )
    assert with_dead.value == pytest.approx(without.value, rel=1e-6)
    assert with_dead.se == pytest.approx(without.se, rel=1e-4)


@pytest.mark.reference
@pytest.mark.parametrize(("n", "m", "dim"), [(200, 300, 32), (700, 650, 128)])
def test_it_is_the_distance_of_torchmetrics(n: int, m: int, dim: int) -> None:
    from torchmetrics.image.fid import FrechetInceptionDistance

    passing = torch.nn.Identity()
    passing.num_features = dim
    theirs = FrechetInceptionDistance(feature=passing)
    theirs.set_dtype(torch.float64)
    x, y = draw(n, dim, 1), draw(m, dim, 2, shift=0.2)
    theirs.update(torch.from_numpy(x), real=False)
    theirs.update(torch.from_numpy(y), real=True)
    assert frechet_distance(moments(x), moments(y)) == pytest.approx(float(theirs.compute()), rel=1e-9)


@pytest.mark.parametrize(("n", "m"), [(300, 400), (12, 400), (12, 14)])
def test_the_contributions_are_the_derivative_of_the_distance(n: int, m: int) -> None:
    """Giving image i a little more weight and all others less moves the distance by its contribution times that."""
    x, y = draw(n, 20, 1), draw(m, 20, 2, shift=0.2)
    left, right = weighted(x), weighted(y)
    found = contributions(left, right, x, y)
    assert found.left.shape == (n,)
    assert found.right.shape == (m,)
    assert abs(found.left.mean()) + abs(found.right.mean()) < 1e-9
    step = 1e-5
    for row in (0, 1, 2):
        moved = [(weighted(x, row, s), weighted(y, row, s)) for s in (step, -step)]
        ups = [frechet_distance(moved_left, right) for moved_left, _ in moved]
        assert (ups[0] - ups[1]) / (2.0 * step) == pytest.approx(found.left[row], rel=1e-4, abs=1e-5)
        ups = [frechet_distance(left, moved_right) for _, moved_right in moved]
        assert (ups[0] - ups[1]) / (2.0 * step) == pytest.approx(found.right[row], rel=1e-4, abs=1e-5)


def weighted(vectors: np.ndarray, row: int = 0, step: float = 0.0) -> Moments:
    """Moments (with the divisor n) of vectors of which one has the weight 1 / n + step, the others less by as much."""
    n = len(vectors)
    weights = np.full(n, (1.0 - step) / n)
    weights[row] += step
    mean = weights @ vectors
    centred = (vectors - mean) * np.sqrt(weights * (n - 1.0))[:, np.newaxis]
    if n - 1 >= vectors.shape[1]:
        return Moments(n, mean, centred.T @ centred, False)
    directions = np.linalg.eigh(centred @ centred.T)[1][:, 1:]
    return Moments(n, mean, directions.T @ centred, True)


def test_size_bias_is_found_where_it_is_known() -> None:
    """For one dimension and equal normal distributions FD over n is about (3/2) s^2 / n on each side too large."""
    dice = np.random.default_rng(0)
    raw, bias = [], []
    for _ in range(600):
        sides = [[moments(dice.standard_normal((25, 1))) for _ in range(4)] for _ in range(2)]
        found = [FrechetStatistics(quarters=tuple(quarters)).moments for quarters in sides]
        assert found[0] is not None
        assert found[1] is not None
        raw.append(frechet_distance(*found))
        bias.append(size_bias(tuple(sides[0]), tuple(sides[1]), raw[-1]))
    assert np.mean(raw) == pytest.approx(2 * 1.5 / 100, rel=0.12)
    assert np.mean(bias) == pytest.approx(np.mean(raw), rel=0.15)


def test_the_size_bias_of_sets_hardly_larger_than_their_dimensions_is_not_taken_for_more_than_it_is() -> None:
    """Of 160 and 800 vectors in 64 dimensions: what is left is a small part of the standard error."""
    scales = np.arange(1, 65) ** -0.75
    left = []
    for seed in range(40):
        dice = np.random.default_rng(seed)
        x, y = (dice.standard_normal((n, 64)) * scales for n in (160, 800))
        result = distance_of(x, names(160), y)
        left.append(result.value / result.se)
    assert abs(np.mean(left)) < 0.4


def test_a_set_of_equal_images_has_a_distance_all_the_same() -> None:
    """Their covariance is 0, and so is its root: what is left is the distance of the means and the other's spread."""
    same, other = np.full((90, 8), 0.25), draw(120, 8, 3)
    apart = same[0] - other.mean(axis=0)
    expected = float(apart @ apart) + float(np.trace(np.cov(other, rowvar=False)))
    for x, y in ((same, other), (other, same)):
        assert frechet_distance(moments(x), moments(y)) == pytest.approx(expected, rel=1e-12)
        result = distance_of(x, names(len(x)), y)
        assert result.details["uncorrected"] == pytest.approx(expected, rel=1e-5)
        assert np.isfinite([result.value, result.se]).all()
    itself = distance_of(same, names(90), same)
    assert (itself.value, itself.se) == (0.0, 0.0)
    two = np.repeat([[0.0] * 8, [1.0] * 8], 60, axis=0)
    assert np.isfinite(distance_of(two, names(120), other).value)


def test_more_images_than_dimensions_in_fewer_directions_are_as_exact() -> None:
    """Vectors that fill 12 of 40 dimensions have a singular covariance, however many they are."""
    plane = np.random.default_rng(3).standard_normal((12, 40))
    x, y = (moments(flat(300, 12, seed) @ plane) for seed in (1, 2))
    full = moments(flat(300, 40, 4))
    assert frechet_distance(x, x) == pytest.approx(0.0, abs=1e-11)
    for left, right in ((x, y), (x, full)):
        there, back = frechet_distance(left, right), frechet_distance(right, left)
        assert there == pytest.approx(back, rel=1e-13)
    small = np.linalg.svd(square_root(x.covariance) @ square_root(y.covariance).T, compute_uv=False).sum()
    apart = x.mean - y.mean
    assert frechet_distance(x, y) == pytest.approx(apart @ apart + x.trace + y.trace - 2.0 * small, rel=1e-12)


def test_a_result_is_corrected_and_says_so() -> None:
    x, y = draw(400, 16, 1), draw(600, 16, 2, shift=0.2)
    result = FRECHET_DISTANCE.result(
        FRECHET_DISTANCE.statistics(x, names(400, "x")),
        FRECHET_DISTANCE.statistics(y, names(600, "y")),
        {"encoder": "e"},
    )
    raw = frechet_distance(moments(x), moments(y))
    assert result.details["uncorrected"] == pytest.approx(raw, rel=1e-5)  # the statistics keep float32
    assert result.value < raw
    assert result.ci_low < result.value < result.ci_high
    assert result.ci_high - result.ci_low == pytest.approx(2 * 1.962 * result.se, rel=5e-3)
    assert (result.n, result.details["n_reference"], result.reason) == (400, 600.0, None)
    assert result.identity == {"metric": "frechet_distance", "version": 2, "size_bias": "quarters", "encoder": "e"}
    assert f"{result.details['uncorrected']:.6g}" in result.note


@pytest.mark.parametrize("n", [20, 300])
def test_neither_order_nor_cuts_change_a_result(n: int) -> None:
    x, y = draw(n, 40, 1), draw(500, 40, 2, shift=0.2)
    reference = FRECHET_DISTANCE.statistics(y, names(500, "y"))
    units = np.array(names(n, "x"))
    whole = FRECHET_DISTANCE.result(FRECHET_DISTANCE.statistics(x, units), reference, {})
    order = np.random.default_rng(5).permutation(n)
    parts = [FRECHET_DISTANCE.statistics(x[part], units[part]) for part in np.split(order, [1, 7, n // 2])]
    put_together = parts[3].merged(parts[1]).merged(parts[0].merged(parts[2]))
    again = FRECHET_DISTANCE.result(put_together, reference, {})
    for name in ("value", "se", "ci_low", "ci_high"):
        assert getattr(again, name) == pytest.approx(getattr(whole, name), rel=1e-5, nan_ok=True), name
    assert again.n == n


def test_a_set_compared_with_itself_gives_zero_after_the_correction_too() -> None:
    statistics = FRECHET_DISTANCE.statistics(draw(300, 16, 1), names(300))
    result = FRECHET_DISTANCE.result(statistics, statistics, {})
    assert result.value == pytest.approx(0.0, abs=1e-9)
    assert result.details["uncorrected"] == pytest.approx(0.0, abs=1e-9)


def test_images_of_one_prompt_widen_the_interval() -> None:
    prompts = draw(60, 12, 1)
    x = np.repeat(prompts, 8, axis=0) + 0.05 * np.random.default_rng(0).standard_normal((480, 12))
    reference = FRECHET_DISTANCE.statistics(draw(900, 12, 2, shift=0.2), names(900, "y"))
    alone = FRECHET_DISTANCE.result(FRECHET_DISTANCE.statistics(x, names(480)), reference, {})
    units = [str(row // 8) for row in range(480)]
    clustered = FRECHET_DISTANCE.result(FRECHET_DISTANCE.statistics(x, units), reference, {})
    assert clustered.se > 1.8 * alone.se


def test_images_without_a_vector_are_left_out_and_counted() -> None:
    x = draw(100, 8, 1)
    y = FRECHET_DISTANCE.statistics(draw(200, 8, 2), names(200, "y"))
    with_gaps = np.insert(x, [3, 50], np.nan, axis=0)
    units = np.insert(np.array(names(100), object), [3, 50], "lost")
    found = FRECHET_DISTANCE.result(FRECHET_DISTANCE.statistics(with_gaps, units), y, {})
    expected = FRECHET_DISTANCE.result(FRECHET_DISTANCE.statistics(x, names(100)), y, {})
    assert found.value == expected.value
    assert (found.n, found.details["n_unscored"]) == (100, 2.0)


def test_too_few_images_are_a_reason_and_no_number() -> None:
    y = FRECHET_DISTANCE.statistics(draw(50, 8, 2), names(50, "y"))
    for vectors in (np.zeros((0, 8)), draw(1, 8, 1), np.full((5, 8), np.nan)):
        result = FRECHET_DISTANCE.result(FRECHET_DISTANCE.statistics(vectors, names(len(vectors))), y, {})
        assert result.reason == "too_few_images"
        assert np.isnan([result.value, result.se, result.ci_low, result.ci_high]).all()
        assert "at least 2" in result.note
    assert result.to_json()["value"] is None


def test_with_very_few_images_there_is_a_number_and_no_correction() -> None:
    y = FRECHET_DISTANCE.statistics(draw(50, 8, 2), names(50, "y"))
    result = FRECHET_DISTANCE.result(FRECHET_DISTANCE.statistics(draw(2, 8, 1), ["a", "a"]), y, {})
    assert result.value == result.details["uncorrected"] > 0.0
    assert np.isnan(result.se)
    assert result.identity["size_bias"] == "uncorrected"
    assert "too few images" in result.note


def flat(n: int, dim: int, seed: int) -> np.ndarray:
    """Vectors as wide in one direction as in any other: there the effective dimensions are nearly all."""
    return np.random.default_rng(seed).standard_normal((n, dim))


def distance_of(x: np.ndarray, units: list[str], y: np.ndarray) -> Result:
    parts = FRECHET_DISTANCE.statistics(x, units), FRECHET_DISTANCE.statistics(y, names(len(y), "y"))
    return FRECHET_DISTANCE.result(*parts, {})


def test_with_too_few_prompts_there_is_no_interval_and_the_note_says_how_many_it_takes() -> None:
    y = flat(500, 64, 2)
    few = distance_of(flat(250, 64, 1), names(250), y)
    assert np.isfinite(few.value)
    assert few.se > 0.0
    assert np.isnan([few.ci_low, few.ci_high]).all()
    assert few.reason is None
    assert "no interval: 250 prompts, or images that stand alone, are too few" in few.note
    needed = int(few.note.split("about ")[1].split()[0])
    assert 330 < needed <= 6 * 64
    enough = distance_of(flat(384, 64, 1), names(384), y)
    assert enough.ci_low < enough.value < enough.ci_high
    assert "no interval" not in enough.note


def test_images_of_one_prompt_do_not_make_a_sample_larger() -> None:
    y = flat(500, 64, 2)
    alike = distance_of(flat(400, 64, 1), names(100) * 4, y)
    assert np.isnan(alike.ci_low)
    assert "no interval: 100 prompts" in alike.note
    other_way = distance_of(y, names(500), flat(200, 64, 1))
    assert "no interval: 200 prompts" in other_way.note


def test_the_fewer_directions_matter_the_fewer_prompts_it_takes() -> None:
    steep = 0.3 ** np.arange(64)
    x, y = flat(100, 64, 1) * steep, flat(100, 64, 2) * steep
    found = distance_of(x, names(100), y)
    assert found.ci_low < found.value < found.ci_high
    assert np.isnan(distance_of(x[:63], names(63), y).ci_low), "fewer than 64 are too few in any space"


def test_moments_alone_give_the_number_that_other_programs_give() -> None:
    x, y = draw(300, 8, 1).astype(np.float32), draw(200, 8, 2).astype(np.float32)
    statistics = FRECHET_DISTANCE.statistics(x, names(300))
    reference = FrechetStatistics(whole=replace(moments(y)))
    result = FRECHET_DISTANCE.result(statistics, reference, {})
    assert result.value == pytest.approx(frechet_distance(moments(x), moments(y)), rel=1e-9)
    assert np.isnan(result.se)
    assert "only mean and covariance" in result.note
    with pytest.raises(DataError, match="cannot be put together"):
        reference.merged(statistics)


def test_two_encoders_do_not_compare() -> None:
    left, right = (FRECHET_DISTANCE.statistics(draw(9, dim, 1), names(9)) for dim in (3, 4))
    with pytest.raises(DataError, match="3 and of 4 dimensions"):
        FRECHET_DISTANCE.result(left, right, {})
    with pytest.raises(DataError, match="3 and of 4 dimensions"):
        left.merged(right)
    with pytest.raises(ValueError, match="3 and of 4"):
        frechet_distance(moments(draw(9, 3, 1)), moments(draw(9, 4, 1)))
    with pytest.raises(ValueError, match="not 1 and 9"):
        frechet_distance(moments(draw(1, 3, 1)), moments(draw(9, 3, 1)))


def test_the_table_names_it() -> None:
    metric = set_metric("frechet_distance")
    assert (metric.name, metric.unit, metric.better) == ("frechet_distance", "", "lower")
