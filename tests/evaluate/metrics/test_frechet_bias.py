"""By how much a distance of samples is too large: against truths that are known."""

from collections.abc import Callable

import numpy as np
import pytest

from diptych.evaluate.metrics.frechet_bias import groups_of, sampled, sum_of_roots, uncertainty
from diptych.evaluate.metrics.frechet_coupling import Coupling
from diptych.evaluate.metrics.frechet_distance import FRECHET_DISTANCE
from diptych.evaluate.metrics.frechet_names import CORRECTED, PUBLISHED
from diptych.evaluate.statistics.moments import moments

Drawing = Callable[[np.random.Generator, int, int], np.ndarray]

DRAWINGS: dict[str, Drawing] = {
    "normal": lambda dice, n, dim: dice.standard_normal((n, dim)),
    "skewed": lambda dice, n, dim: (dice.gamma(4.0, size=(n, dim)) - 4.0) / 2.0,
    "of varying length": lambda dice, n, dim: (
        dice.standard_normal((n, dim)) * dice.gamma(4.0, 0.25, size=(n, 1)) ** 0.5
    ),
}


@pytest.mark.parametrize("numbers", [np.ones(40), np.random.default_rng(1).random(300) ** 4, np.array([1.0, 2.0, 2.0])])
def test_the_sum_of_roots_is_that_of_the_eigenvalues_that_it_names(numbers: np.ndarray) -> None:
    roots, number = np.sort(numbers), 1.3 * len(numbers)
    squares = np.linalg.eigvalsh(np.diag(roots**2) - np.outer(roots, roots) / number)
    expected = 2.0 * number * (roots.sum() - np.sqrt(np.clip(squares, 0.0, None)).sum())
    assert sum_of_roots(roots, number) == pytest.approx(expected, rel=1e-6)


def test_the_sum_of_roots_keeps_its_digits_where_it_is_a_small_difference() -> None:
    """To second order in 1 / n it is sum s + sum_ij s_i s_j / (s_i + s_j) / (2 n)."""
    roots = np.sort(1.0 / np.arange(1, 2049))
    second = float((np.outer(roots, roots) / np.add.outer(roots, roots)).sum()) / 2.0
    for number in (1e6, 1e8):
        assert number * (sum_of_roots(roots, number) - roots.sum()) == pytest.approx(second, rel=3e4 / number)


@pytest.mark.parametrize("largest", [0.029724695889211672, 0.6816887827112171, 0.6376608842023661])
def test_rounding_of_the_largest_root_is_no_root_of_something_negative(largest: float) -> None:
    """The square of each of these as a number is less, in the last bit, than that of an array of it."""
    assert sum_of_roots(largest * np.array([0.25, 0.5, 1.0]), 100.0) == pytest.approx(1.7615359 * largest, rel=1e-6)


def test_one_root_alone_is_corrected_too() -> None:
    assert sum_of_roots(np.array([2.0]), 100.0) == pytest.approx(2.0 * (1.0 + 1.0 / 400.0), rel=1e-4)


@pytest.mark.parametrize("kind", DRAWINGS)
@pytest.mark.parametrize(("n", "m"), [pytest.param(400, 1000, marks=pytest.mark.slow), (250, 250)])
def test_what_is_left_of_the_bias_is_a_small_part_of_it(kind: str, n: int, m: int) -> None:
    """In 40 dimensions, of two equal distributions, whatever their kind; a fixed one for normal vectors leaves 20 %."""
    scales, left, raw = np.arange(1, 41) ** -0.5, [], []
    for seed in range(60):
        dice = np.random.default_rng(seed)
        x, y = (DRAWINGS[kind](dice, size, 40) * scales for size in (n, m))
        sides = [
            FRECHET_DISTANCE.statistics(each, [f"{name}{row}" for row in range(len(each))])
            for each, name in ((x, "x"), (y, "y"))
        ]
        found = FRECHET_DISTANCE.results(*sides, {})
        left.append(found[CORRECTED].value)
        raw.append(found[PUBLISHED].value)
    assert abs(np.mean(left)) < 0.07 * np.mean(raw)


@pytest.mark.parametrize("images", [2, 5])
def test_copies_of_an_image_count_as_one(images: int) -> None:
    dice = np.random.default_rng(0)
    x, y = dice.standard_normal((300, 12)), dice.standard_normal((400, 12))
    copies = np.repeat(x, images, axis=0)
    pair = Coupling(moments(copies), moments(y))
    coordinates = pair.left_coordinates(copies - copies.mean(axis=0))
    factor, _ = uncertainty(coordinates, groups_of(np.repeat(np.arange(300), images).astype(str)), pair.roots)
    alone, _ = uncertainty(coordinates, groups_of(np.arange(len(copies)).astype(str)), pair.roots)
    assert factor == pytest.approx(images * alone, rel=1e-9)
    assert alone == pytest.approx(1.0, abs=0.15)


def test_a_sample_is_of_whole_units_and_the_same_in_any_order() -> None:
    units = np.repeat([f"p{row}" for row in range(3000)], 3)
    rows = sampled(units, 2048)
    assert 256 <= len(np.unique(units[rows])) < 300
    assert (np.unique(units[rows], return_counts=True)[1] == 3).all()
    order = np.random.default_rng(1).permutation(len(units))
    assert set(units[order][sampled(units[order], 2048)]) == set(units[rows])
    assert len(sampled(units[:300], 2048)) == 300
    assert len(sampled(units, 32)) == len(units)


def test_an_error_of_a_part_of_the_images_is_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = np.random.default_rng(3)
    x = np.repeat(dice.standard_normal((1500, 8)), 3, axis=0) + dice.standard_normal((4500, 8))
    sides = (
        FRECHET_DISTANCE.statistics(x, [f"p{row // 3}" for row in range(4500)]),
        FRECHET_DISTANCE.statistics(dice.standard_normal((5000, 8)), [f"y{row}" for row in range(5000)]),
    )
    whole = FRECHET_DISTANCE.results(*sides, {})[CORRECTED]
    monkeypatch.setattr("diptych.evaluate.metrics.frechet_bias.SAMPLE_NUMBERS", 1200 * 8)
    part = FRECHET_DISTANCE.results(*sides, {})[CORRECTED]
    assert part.se == pytest.approx(whole.se, rel=0.15)
    assert part.value == pytest.approx(whole.value, abs=0.1 * whole.se)
