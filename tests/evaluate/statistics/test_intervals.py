import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from diptych.evaluate.statistics.intervals import clustered_mean, interval, joint_df, mean_variance, squared_interval
from diptych.evaluate.statistics.paired import paired_difference


def test_clusters_of_one_give_the_t_interval() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, 25)
    found = clustered_mean(values, np.arange(25))
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(expected), rel=1e-9)
    assert found.se == pytest.approx(values.std(ddof=1) / 5.0)
    assert (found.n, found.n_clusters, found.df, found.n_unscored) == (25, 25, 24.0, 0)


def test_clusters_of_one_size_give_the_interval_over_their_means() -> None:
    values = np.random.default_rng(0).normal(size=(12, 5)) + np.arange(12)[:, None]
    found = clustered_mean(values.ravel(), np.repeat(np.arange(12), 5))
    means = values.mean(axis=1)
    assert found.value == pytest.approx(means.mean())
    assert found.se == pytest.approx(stats.sem(means))


def test_copies_of_an_image_add_no_knowledge() -> None:
    values = np.random.default_rng(0).normal(size=20)
    once = clustered_mean(values, np.arange(20))
    ten = clustered_mean(np.repeat(values, 10), np.repeat(np.arange(20), 10))
    assert (ten.value, ten.se, ten.ci_low) == pytest.approx((once.value, once.se, once.ci_low))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 4)), min_size=2, max_size=30), st.randoms())
def test_neither_order_nor_names_of_clusters_matter(rows: list[tuple[float, int]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    plain = clustered_mean(np.array([row[0] for row in rows]), [row[1] for row in rows])
    other = clustered_mean(np.array([row[0] for row in shuffled]), [f"prompt {row[1]}" for row in shuffled])
    np.testing.assert_allclose(other, plain, rtol=1e-9, atol=1e-12)


def test_strata_weigh_the_same_whatever_their_size() -> None:
    values = np.array([1.0] * 10 + [0.0, 1.0])
    strata = ["many"] * 10 + ["few"] * 2
    found = clustered_mean(values, np.arange(12), strata)
    assert found.value == pytest.approx((1.0 + 0.5) / 2)
    assert found.se == pytest.approx(0.5 * 0.5)  # of "few" alone: sem of (0, 1) is 0.5, and it counts half
    assert found.df == pytest.approx(10.0)


def test_what_is_not_scored_is_counted_and_left_out() -> None:
    found = clustered_mean(np.array([1.0, np.nan, 3.0]), ["a", "b", "c"])
    assert (found.value, found.n, found.n_clusters, found.n_unscored) == (2.0, 2, 2, 1)


def test_without_numbers_or_with_one_cluster_nothing_is_made_up() -> None:
    nothing = clustered_mean(np.full(3, np.nan), [1, 2, 3])
    assert np.isnan([nothing.value, nothing.se, nothing.ci_low]).all()
    assert (nothing.n, nothing.n_unscored) == (0, 3)
    assert clustered_mean(np.zeros(0), []).n == 0
    one = clustered_mean(np.array([1.0, 2.0]), ["a", "a"])
    assert one.value == 1.5
    assert np.isnan([one.se, one.ci_low, one.ci_high]).all()


def test_an_interval_needs_a_variance_and_degrees_of_freedom() -> None:
    assert np.isnan(interval(1.0, float("nan"), 3.0)).all()
    assert np.isnan(interval(1.0, 1.0, 0.0)).all()
    assert np.isnan(interval(1.0, 0.0, 3.0)).all()
    assert np.isnan(squared_interval(1.0, 0.0, 0.0, 3.0)).all()
    same = clustered_mean(np.full(9, 0.1), np.arange(9) // 3)
    assert same.value == pytest.approx(0.1)
    assert np.isnan([same.ci_low, same.ci_high]).all(), "what is left of the variance is rounding"
    low, high = interval(0.0, 4.0, 7.0)
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 7, 0.0, 2.0))


def test_the_ends_of_a_squared_interval_are_where_the_test_rejects() -> None:
    value, variance, null_variance = 2.0, 0.3, 0.1
    slope = (variance - null_variance) / value
    for end in squared_interval(value, variance, null_variance, np.inf):
        assert abs(value - end) / np.sqrt(slope * end + null_variance) == pytest.approx(1.959964, rel=1e-5)


def test_a_squared_interval_is_the_plain_one_where_the_distance_is_large() -> None:
    squared, plain = squared_interval(100.0, 0.01, 1e-6, 50.0), interval(100.0, 0.01, 50.0)
    assert squared == pytest.approx(plain, rel=1e-4)
    below = squared_interval(-0.01, 0.02, 0.01, 30.0)
    assert below.low < 0.0 < below.high
    assert np.isnan(squared_interval(1.0, float("nan"), 0.0, 3.0)).all()


def test_degrees_of_freedom_of_two_variances_lie_between() -> None:
    assert joint_df((1.0, 0.0), (5.0, 100.0)) == 5.0
    assert 5.0 < joint_df((1.0, 0.2), (5.0, 100.0)) < 105.0
    assert joint_df((0.0, 0.0), (5.0, 5.0)) == float("inf")
    assert np.isnan(mean_variance(np.array([1.0, 2.0]), [0, 0])[0])


def test_clusters_of_unequal_size_are_worth_fewer_and_their_totals_count_more() -> None:
    """CR2 by hand: each total over 1 - h; n^2 / sum n_g^2 - 1 degrees of freedom."""
    values = np.array([1.0, 2.0, 4.0, 4.0, 5.0, 9.0])
    found = clustered_mean(values, [0, 1, 2, 2, 2, 2])
    off = values - values.mean()
    totals, shares = np.array([off[0], off[1], off[2:].sum()]) / 6, np.array([1, 1, 4]) / 6
    assert found.se**2 == pytest.approx(float((totals**2 / (1 - shares)).sum()))
    assert found.df == pytest.approx(36 / 18 - 1)
    assert found.n_clusters == 3


def test_one_prompt_with_nearly_all_images_leaves_the_mean_open() -> None:
    clusters = [*range(19), *[19] * 100]
    values = np.random.default_rng(1).standard_normal(119) + np.repeat([0.0, 2.0], [19, 100])
    found = clustered_mean(values, clusters)
    assert found.ci_high - found.ci_low > 20 * (values.max() - values.min())


def test_images_that_are_in_every_stratum_are_as_many_as_they_are() -> None:
    values, prompts = np.random.default_rng(3).normal(size=24), np.repeat(np.arange(8), 3)
    once = clustered_mean(values, prompts)
    strata = np.repeat(["a", "b", "c"], 24)
    found = clustered_mean(np.tile(values, 3), np.tile(prompts, 3), strata)
    assert (found.value, found.se, found.df) == pytest.approx((once.value, once.se, once.df))
    assert (found.ci_low, found.ci_high) == pytest.approx((once.ci_low, once.ci_high))
    assert found.n_clusters == once.n_clusters == 8


def test_a_prompt_in_two_strata_adds_to_the_error_by_both() -> None:
    values = np.array([1.0, 2.0, 4.0, 4.0, 3.0, 7.0])
    prompts, strata = np.array([0, 1, 2, 2, 3, 4]), np.array(["a", "a", "a", "b", "b", "b"])
    found = clustered_mean(values, prompts, strata)
    of_a, of_b = (values[strata == name] - values[strata == name].mean() for name in "ab")
    totals = np.array([of_a[0], of_a[1], of_a[2] + of_b[0], of_b[1], of_b[2]]) / (3 * 2) / np.sqrt(2 / 3)
    assert found.value == pytest.approx((7 / 3 + 14 / 3) / 2)
    assert found.se == pytest.approx(np.sqrt((totals**2).sum()))


def test_a_weight_counts_as_that_many_equal_numbers_of_the_cluster() -> None:
    values = np.array([1.0, 0.0, 4.0, 2.0, np.nan])
    clusters, weights = np.array([0, 0, 1, 2, 2]), np.array([2, 1, 3, 2, 5])
    weighted = clustered_mean(values, clusters, weights=weights)
    repeated = clustered_mean(np.repeat(values, weights), np.repeat(clusters, weights))
    assert (weighted.n, repeated.n) == (4, 8)
    for name in ("value", "se", "ci_low", "ci_high", "df", "n_clusters"):
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name))
    strata = np.array(["x", "y", "x", "y", "y"])
    weighted = clustered_mean(values, clusters, strata, weights)
    repeated = clustered_mean(*(np.repeat(each, weights) for each in (values, clusters, strata)))
    for name in ("value", "se", "df"):
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name))


def test_what_is_left_by_rounding_is_neither_a_mean_nor_an_interval() -> None:
    values, prompts = np.tile([0.1, 0.2, -0.3], 7), np.arange(21) // 3
    for strata in (None, prompts % 2):
        found = clustered_mean(values, prompts, strata)
        assert (found.value, found.se) == (0.0, 0.0)
        assert np.isnan([found.ci_low, found.ci_high]).all()
    assert paired_difference(values, np.zeros(21), prompts).p_value == 1.0
