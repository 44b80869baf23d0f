"""Variance on two levels: worked numbers, a mixed model's closed form, and simulation."""

import numpy as np
import pytest
from scipy import stats

from diptych.evaluate.statistics.variances import two_levels


def test_numbers_that_are_alike_within_a_prompt_have_an_icc_of_1() -> None:
    found = two_levels(np.array([1.0, 1.0, 2.0, 2.0, 6.0, 6.0]), list("aabbcc"))
    assert (found.within, found.between, found.icc) == (0.0, pytest.approx(7.0), 1.0)


def test_prompts_that_do_not_differ_have_an_icc_of_0() -> None:
    found = two_levels(np.array([1.0, 3.0, 3.0, 1.0]), list("aabb"))
    assert (found.between, found.within, found.icc) == (0.0, 2.0, 0.0)
    assert np.isnan(two_levels(np.ones(4), list("aabb")).icc), "nothing varies"


@pytest.mark.reference
def test_the_ratio_of_mean_squares_is_scipys_f() -> None:
    dice = np.random.default_rng(1)
    sizes = [2, 5, 3, 3, 7, 2]
    groups = [dice.normal(mean, 2.0, size) for mean, size in zip(dice.normal(0, 1, 6), sizes, strict=True)]
    found = two_levels(np.concatenate(groups), np.repeat(np.arange(6), sizes))
    total = sum(sizes)
    size = (total - sum(each**2 for each in sizes) / total) / 5
    ratio = (found.between * size + found.within) / found.within
    assert ratio == pytest.approx(max(stats.f_oneway(*groups).statistic, 1.0), rel=1e-9)


def test_one_image_a_prompt_or_one_prompt_tells_nothing() -> None:
    for values, clusters in ((np.arange(3.0), "abc"), (np.arange(3.0), "aaa"), (np.array([1.0, np.nan, 2.0]), "aab")):
        found = two_levels(values, list(clusters))
        assert np.isnan([found.between, found.within, found.icc]).all()


def test_what_is_not_scored_is_left_out() -> None:
    found = two_levels(np.array([1.0, 3.0, np.nan, 5.0, 7.0]), list("aaabb"))
    assert (found.n, found.n_clusters, found.between, found.within) == (4, 2, 7.0, 2.0)


@pytest.mark.parametrize("noise", ["normal", "uniform"])
def test_both_variances_are_right_on_average(noise: str) -> None:
    dice = np.random.default_rng(5)
    draws = {"normal": dice.standard_normal, "uniform": lambda size: dice.uniform(-(3**0.5), 3**0.5, size)}[noise]
    clusters = np.repeat(np.arange(30), [1, 2, 3, 4, 5] * 6)
    found = [two_levels(2.0 * draws(30)[clusters] + 3.0 * draws(len(clusters)), clusters) for _ in range(600)]
    assert np.mean([each.between for each in found]) == pytest.approx(4.0, rel=0.08)
    assert np.mean([each.within for each in found]) == pytest.approx(9.0, rel=0.03)
    spread = np.var([2.0 * draws(10).mean() + 3.0 * draws(40).mean() for _ in range(6000)])
    known = two_levels(np.array([1.0, 2.0, 3.0, 5.0]), list("aabb"))._replace(between=4.0, within=9.0)
    assert known.of_mean(10, 4) == pytest.approx(spread, rel=0.08)
