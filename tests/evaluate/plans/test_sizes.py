"""Sizes that settle a difference: closed forms, scipy's power, and whether they do in simulation."""

import numpy as np
import pytest
from scipy import stats

from diptych.evaluate.plans.sizes import PlanSize, Wanted, prompts_needed, samples_needed
from diptych.evaluate.statistics.paired import paired_difference
from diptych.evaluate.statistics.variances import TwoLevels

SPREAD = TwoLevels(between=1.0, within=4.0, n=40, n_clusters=10)


def test_many_prompts_are_those_of_the_normal_distribution() -> None:
    """n = (z_0.975 + z_0.8)^2 variance / difference^2, with the variance of a prompt's mean."""
    for samples in (1, 2, 8):
        found = prompts_needed(Wanted(0.01, 0.8), SPREAD, samples)
        assert found is not None
        expected = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) ** 2 * (1.0 + 4.0 / samples) / 0.01**2
        assert found.prompts == pytest.approx(expected, rel=1e-4)


@pytest.mark.reference
def test_few_prompts_are_the_fewest_with_the_power_of_a_paired_t_test() -> None:
    found = prompts_needed(Wanted(2.0, 0.9), SPREAD, 2)
    assert found is not None

    def power(prompts: int) -> float:
        shift = 2.0 / np.sqrt((1.0 + 4.0 / 2) / prompts)
        return float(stats.nct.sf(stats.t.ppf(0.975, prompts - 1), prompts - 1, shift))

    assert power(found.prompts) >= 0.9 > power(found.prompts - 1)


def test_more_images_of_a_prompt_leave_what_is_between_prompts() -> None:
    wanted = Wanted(1.0, 0.8)
    assert samples_needed(wanted, SPREAD, 8) is None, "with no noise within it takes 10 prompts"
    found = samples_needed(wanted, SPREAD, 12)
    assert found is not None
    assert wanted.is_found(SPREAD, found)
    assert not wanted.is_found(SPREAD, found._replace(samples=found.samples - 1))
    alone = samples_needed(wanted, SPREAD._replace(between=0.0), 4)
    assert alone is not None, "where prompts do not differ images alone settle it"
    assert samples_needed(wanted, SPREAD, 1) is None, "of one prompt nothing is known of others"


def test_where_nothing_varies_two_prompts_do() -> None:
    still = SPREAD._replace(between=0.0, within=0.0)
    assert prompts_needed(Wanted(0.1, 0.8), still, 1) == PlanSize(2, 1)


def test_what_takes_too_many_is_not_settled() -> None:
    assert prompts_needed(Wanted(1e-9, 0.8), SPREAD, 1) is None


def found_share(repetitions: int, samples: int) -> float:
    """Return how often the planned size finds the difference that was wanted."""
    size = prompts_needed(Wanted(1.0, 0.8), SPREAD, samples)
    assert size is not None
    dice = np.random.default_rng(3)
    clusters = np.repeat(np.arange(size.prompts), samples)
    hits = 0
    for _ in range(repetitions):
        gaps = 1.0 + dice.normal(0.0, 1.0, size.prompts)[clusters] + dice.normal(0.0, 2.0, len(clusters))
        hits += paired_difference(gaps, np.zeros(len(gaps)), clusters).p_value < 0.05
    return hits / repetitions


def test_the_planned_size_has_the_wanted_power() -> None:
    assert 0.75 < found_share(400, 2) < 0.88


@pytest.mark.slow
@pytest.mark.parametrize("samples", [1, 2, 8])
def test_the_planned_size_has_the_wanted_power_over_many(samples: int) -> None:
    assert 0.79 < found_share(6000, samples) < 0.84
