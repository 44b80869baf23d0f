import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from diptych.evaluate.statistics.paired import holm, paired_difference


def test_clusters_of_one_give_the_paired_t_test() -> None:
    dice = np.random.default_rng(0)
    a, b = dice.normal(1.0, 1.0, 30), dice.normal(0.5, 1.0, 30)
    found = paired_difference(a, b, np.arange(30))
    expected = stats.ttest_rel(a, b)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(expected.confidence_interval(0.95)), rel=1e-9)


def test_what_prompts_share_cancels() -> None:
    prompt = np.random.default_rng(0).normal(0.0, 100.0, 40)
    noise = np.random.default_rng(1).normal(0.0, 0.1, 40)
    found = paired_difference(prompt + 1.0 + noise, prompt, np.arange(40))
    assert found.value == pytest.approx(1.0, abs=0.05)
    assert found.se < 0.03


def test_the_p_value_agrees_with_the_interval() -> None:
    for seed in range(40):
        dice = np.random.default_rng(seed)
        found = paired_difference(dice.normal(0.4, 1.0, 24), dice.normal(0.0, 1.0, 24), np.repeat(np.arange(8), 3))
        assert (found.p_value < 0.05) == (found.ci_low > 0.0 or found.ci_high < 0.0)


def test_a_pair_counts_where_both_are_scored() -> None:
    found = paired_difference(np.array([1.0, np.nan, 3.0, 5.0]), np.array([0.0, 1.0, np.nan, 2.0]), list("abcd"))
    assert (found.value, found.n, found.n_clusters, found.n_unscored) == (2.0, 2, 2, 2)


def test_differences_that_are_all_the_same_are_judged_by_their_signs() -> None:
    same = paired_difference(np.ones(6), np.zeros(6), np.arange(6))
    assert (same.value, same.se, same.p_value) == (1.0, 0.0, 2.0**-5)
    none = paired_difference(np.ones(6), np.ones(6), np.arange(6))
    assert (none.value, none.p_value) == (0.0, 1.0)


def test_categories_weigh_the_same() -> None:
    a, b = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 1.0]), np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    found = paired_difference(a, b, np.arange(6), ["counting"] * 4 + ["position"] * 2)
    assert found.value == pytest.approx((3 / 4 + 1 / 2) / 2)


def test_one_prompt_gives_a_difference_and_no_error() -> None:
    found = paired_difference(np.array([1.0, 2.0]), np.array([0.0, 0.0]), [7, 7])
    assert found.value == 1.5
    assert np.isnan([found.se, found.ci_low, found.p_value]).all()


def test_sides_of_two_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="3 numbers stand against 2"):
        paired_difference(np.zeros(3), np.zeros(2), [0, 1, 2])


def test_holm_gives_the_textbook_values() -> None:
    # Holm 1979 by hand: sorted times 4, 3, 2, 1, then never falling.
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]
    assert holm(np.zeros(0)).tolist() == []
    assert np.isnan(holm(np.array([np.nan]))).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_holm_rejects_what_the_step_down_procedure_rejects(values: list[float]) -> None:
    p_values = np.array(values)
    rejected = np.zeros(len(p_values), bool)
    for step, index in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[index] * (len(p_values) - step) > 0.05:
            break
        rejected[index] = True
    adjusted = holm(p_values)
    assert ((adjusted <= 0.05) == rejected).all()
    assert (adjusted >= p_values).all()
