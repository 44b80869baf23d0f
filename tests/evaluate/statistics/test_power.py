"""Power and equivalence: closed forms, scipy's distributions, and how often differences are found in simulation."""

import numpy as np
import pytest
from scipy import stats

from diptych.evaluate.statistics.paired import paired_difference
from diptych.evaluate.statistics.power import detectable, equivalence_p, power_of


def test_a_known_error_gives_the_normal_quantiles() -> None:
    expected = 2.0 * (stats.norm.ppf(0.975) + stats.norm.ppf(0.8))
    assert detectable(2.0, float("inf"), 0.05) == pytest.approx(expected, rel=1e-12)
    assert power_of(expected, 2.0, float("inf"), 0.05) == pytest.approx(0.8, rel=1e-12)


@pytest.mark.reference
@pytest.mark.parametrize("df", [1.0, 2.5, 9.0, 40.0, 900.0])
@pytest.mark.parametrize("level", [0.05, 0.05 / 15])
def test_what_is_found_agrees_with_the_noncentral_t(df: float, level: float) -> None:
    found = detectable(3.0, df, level, power=0.9)
    beyond = stats.nct.sf(stats.t.ppf(1.0 - level / 2.0, df), df, found / 3.0)
    assert beyond == pytest.approx(0.9, abs=1e-6)
    assert power_of(found, 3.0, df, level) == pytest.approx(0.9, abs=1e-6)


def test_ten_pairs_find_about_one_standard_deviation() -> None:
    """Cohen 1988: 10 pairs have a power of 80 % at d_z = 0.996."""
    assert detectable(1.0 / np.sqrt(10.0), 9.0, 0.05) == pytest.approx(0.996, abs=5e-4)


def test_an_error_that_is_not_known_finds_nothing() -> None:
    for se, df in ((float("nan"), 5.0), (0.0, 5.0), (1.0, float("nan")), (1.0, 0.1)):
        assert np.isnan(detectable(se, df, 0.05))
        assert np.isnan(power_of(1.0, se, df, 0.05))


@pytest.mark.reference
def test_equivalence_is_the_larger_of_two_one_sided_t_tests() -> None:
    gaps = np.random.default_rng(3).normal(0.1, 1.0, 40)
    found = paired_difference(gaps, np.zeros(40), np.arange(40))
    above = stats.ttest_1samp(gaps, -0.5, alternative="greater").pvalue
    below = stats.ttest_1samp(gaps, 0.5, alternative="less").pvalue
    assert equivalence_p(found.value, found.se, found.df, 0.5) == pytest.approx(max(above, below), rel=1e-9)


def test_two_are_equivalent_where_the_interval_of_90_percent_lies_within_the_margin() -> None:
    half = stats.t.ppf(0.95, 12.0) * 0.7
    assert equivalence_p(-0.4, 0.7, 12.0, 0.4 + half) == pytest.approx(0.05, rel=1e-9)
    assert equivalence_p(0.4, 0.7, 12.0, 0.4 + half) == pytest.approx(0.05, rel=1e-9)
    assert equivalence_p(3.0, 0.7, 12.0, 1.0) > 0.5
    with pytest.raises(ValueError, match="above 0"):
        equivalence_p(0.0, 1.0, 5.0, 0.0)
    assert np.isnan(equivalence_p(0.0, 0.0, 5.0, 1.0))


def test_wins_ties_losses_and_the_effect_are_those_of_prompts() -> None:
    a, b = np.array([2.0, 1.0, 5.0, 1.0, np.nan, 3.0]), np.array([1.0, 2.0, 2.0, 1.0, 0.0, 4.0])
    found = paired_difference(a, b, ["p", "p", "q", "r", "r", "s"])
    each = np.array([0.0, 3.0, 0.0, -1.0])
    assert (found.above, found.below, found.n_clusters) == (1, 1, 4)
    assert found.effect == pytest.approx(each.mean() / each.std(ddof=1), rel=1e-12)
    same = paired_difference(a[:3], a[:3] - 1.0, ["p", "q", "r"])
    assert (same.above, same.below) == (3, 0)
    assert np.isnan(same.effect), "nothing varies"
    rounded = paired_difference(np.array([0.3, 5.0]), np.array([0.1 + 0.2, 4.0]), ["p", "q"])
    assert (rounded.above, rounded.below) == (1, 0), "what is nothing but rounding is a tie"


def found_share(repetitions: int, *, prompts: int, images: int) -> tuple[float, float]:
    """Return how often the detectable difference is found, and how often one of the margin is called equivalent."""
    dice = np.random.default_rng(17)
    between, within = 1.0, 2.0
    se = np.sqrt((between**2 + within**2 / images) / prompts)
    shift = detectable(se, prompts - 1.0, 0.05)
    hits, alike = 0, 0
    clusters = np.repeat(np.arange(prompts), images)
    for _ in range(repetitions):
        noise = np.repeat(dice.normal(0.0, between, prompts), images) + dice.normal(0.0, within, prompts * images)
        found = paired_difference(noise + shift, np.zeros(len(noise)), clusters)
        hits += found.p_value < 0.05 and found.value > 0.0
        alike += equivalence_p(found.value, found.se, found.df, shift) < 0.05
    return hits / repetitions, alike / repetitions


def test_a_detectable_difference_is_found_in_eight_of_ten_simulations() -> None:
    power, error = found_share(400, prompts=20, images=3)
    assert 0.73 < power < 0.87
    assert error < 0.09, "a difference of the margin is not equivalent"


@pytest.mark.slow
@pytest.mark.parametrize(("prompts", "images"), [(6, 1), (20, 3), (100, 4)])
def test_power_and_error_hold_over_many_simulations(prompts: int, images: int) -> None:
    power, error = found_share(6000, prompts=prompts, images=images)
    assert power == pytest.approx(0.8, abs=0.02)
    assert error == pytest.approx(0.05, abs=0.01)
