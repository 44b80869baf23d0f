"""Shares of images that are right: against Wilson's own interval, closed forms, and in simulation."""

import numpy as np
import pytest
from scipy import stats

from diptych.evaluate.statistics.macro_shares import clustered_share, effective_number, even_clusters, mean_of_shares
from diptych.intervals import wilson_ends


def wilson(k: int, n: int) -> tuple[float, float]:
    found = stats.binomtest(k, n).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


@pytest.mark.reference
@pytest.mark.parametrize(("k", "n"), [(0, 5), (3, 10), (10, 10), (77, 100)])
def test_one_image_a_prompt_gives_wilsons_interval(k: int, n: int) -> None:
    found = clustered_share(np.array([1.0] * k + [0.0] * (n - k)), np.arange(n))
    assert (found.value, found.n, found.n_clusters) == (k / n, n, n)
    assert (found.ci_low, found.ci_high) == pytest.approx(wilson(k, n))


def test_prompts_that_agree_with_themselves_count_once() -> None:
    values = np.repeat([1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], 8)
    prompts = np.repeat(np.arange(10), 8)
    # Ten prompts with variance G / (G - 1) p (1 - p) / G of the mean, and t with nine degrees of freedom for z.
    assert effective_number(values, prompts) == pytest.approx(9 * (1.959963984540054 / stats.t.ppf(0.975, 9)) ** 2)


def test_one_prompt_is_taken_image_by_image() -> None:
    one = clustered_share(np.array([1.0, 0.0, 1.0, 1.0]), [7, 7, 7, 7])
    assert (one.ci_low, one.ci_high) == pytest.approx(wilson(3, 4))
    assert np.isnan(one.se)
    with_a_stray = clustered_share(np.array([1.0] * 15 + [0.0] * 3), np.array([7] * 17 + [8]))
    assert (with_a_stray.ci_low, with_a_stray.ci_high) == pytest.approx(wilson(15, 18))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_prompts_of_which_all_say_the_same_count_once(value: float) -> None:
    found = clustered_share(np.full(100, value), np.arange(100) // 20)
    assert (found.ci_low, found.ci_high) == pytest.approx(wilson(int(5 * value), 5))
    halves = clustered_share(np.tile([1.0, 0.0], 6), np.arange(12) // 2)  # each prompt has one of two right
    assert (halves.ci_low, halves.ci_high) == pytest.approx(wilson(3, 6))


def test_shares_of_prompts_that_differ_by_rounding_alone_do_not_differ() -> None:
    values = np.tile([1.0, 0.0, 0.0], 7)
    found = clustered_share(values, np.arange(21) // 3)
    assert (found.ci_low, found.ci_high) == pytest.approx(wilson_ends(1 / 3, 7.0))


def test_prompts_of_different_size_are_worth_fewer() -> None:
    assert even_clusters(np.repeat([0, 1, 2], [4, 4, 4])) == pytest.approx(3.0)
    assert even_clusters(np.repeat([0, 1, 2], [10, 1, 1])) == pytest.approx(144 / 102)


def test_unscored_images_are_left_out_and_counted() -> None:
    found = clustered_share(np.array([1.0, np.nan, 0.0, np.nan]), [0, 1, 2, 3])
    assert (found.value, found.n, found.n_unscored) == (0.5, 2, 2)
    nothing = clustered_share(np.array([np.nan]), [0])
    assert (nothing.n, np.isnan(nothing.value), np.isnan(nothing.ci_low)) == (0, True, True)


def test_images_of_one_seed_repeat_each_other_within_one_prompt() -> None:
    """Ten settings that hardly differ are not ten times the knowledge of three seeds."""
    seeds = np.tile([0, 1, 2], 10)
    alike = clustered_share(np.ones(30), np.zeros(30), seeds)
    assert (alike.ci_low, alike.ci_high) == pytest.approx(wilson(3, 3))
    split = clustered_share((seeds < 2).astype(float), np.zeros(30), seeds)
    t = stats.t.ppf(0.975, 2)
    variance = (2 / 9) / 2  # of the mean of three seeds that are 1, 1 and 0
    expected = (2 / 9) / variance * (1.959963984540054 / t) ** 2
    assert (split.ci_low, split.ci_high) == pytest.approx(wilson_ends(2 / 3, expected))
    one = effective_number(np.ones(10), np.zeros(10), np.zeros(10))
    assert one == 1.0, "one seed is one image"
    apart = clustered_share(np.array([1.0, 0.0, 1.0, 1.0]), [7, 7, 7, 7], [1, 2, 3, 4])
    assert (apart.ci_low, apart.ci_high) == pytest.approx(wilson(3, 4))


def test_seeds_count_within_hardly_more_than_one_prompt_and_not_within_several() -> None:
    values, seeds = np.ones(18), np.array([*np.arange(17) % 3, 9])
    stray = effective_number(values, np.array([7] * 17 + [8]), seeds)
    assert stray == pytest.approx(even_clusters(seeds))
    several = np.repeat([0, 1, 2], 6)
    assert effective_number(values, several, seeds) == effective_number(values, several) == 3.0


def test_a_category_of_one_prompt_counts_its_seeds_in_the_mean_of_shares() -> None:
    strata, prompts = np.repeat(["a", "b"], 20), np.repeat([0, 1], 20)
    found = mean_of_shares(np.ones(40), prompts, strata, np.tile(np.arange(4), 10))
    low = wilson(4, 4)[0]
    assert found.ci_low == pytest.approx(1.0 - (1.0 - low) / 2**0.5)


def test_the_mean_of_shares_weighs_strata_alike_and_stays_in_range() -> None:
    values = np.array([1.0] * 9 + [0.0] + [1.0] * 2)
    strata = np.array(["many"] * 10 + ["few"] * 2)
    found = mean_of_shares(values, np.arange(12), strata)
    assert found.value == pytest.approx((0.9 + 1.0) / 2)
    (many_low, many_high), (few_low, _) = wilson(9, 10), wilson(2, 2)
    assert found.ci_low == pytest.approx(0.95 - np.hypot(0.9 - many_low, 1.0 - few_low) / 2)
    assert found.ci_high == pytest.approx(0.95 + (many_high - 0.9) / 2)
    perfect = mean_of_shares(np.ones(12), np.arange(12), strata)
    assert (perfect.value, perfect.ci_high) == (1.0, 1.0)
    assert perfect.ci_low < 1.0


def test_a_stratum_without_a_scored_image_is_left_out() -> None:
    found = mean_of_shares(np.array([1.0, 0.0, np.nan]), np.arange(3), np.array(["a", "a", "b"]))
    assert (found.value, found.n, found.n_unscored) == (0.5, 2, 1)
    assert np.isnan(mean_of_shares(np.array([np.nan]), [0], ["a"]).value)


def test_one_stratum_is_the_share_itself() -> None:
    values, prompts = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0]), np.array([0, 0, 1, 1, 2, 2])
    assert mean_of_shares(values, prompts, ["x"] * 6) == pytest.approx(clustered_share(values, prompts))


def simulated_coverage(prompts: int, images: int, heterogeneity: float, replications: int) -> float:
    """Return how often the interval holds the truth, prompts having rates from a beta distribution."""
    generator = np.random.default_rng(11)
    truth, covered = 0.7, 0
    for _ in range(replications):
        rates = generator.beta(truth / heterogeneity, (1 - truth) / heterogeneity, prompts)
        values = (generator.random((prompts, images)) < rates[:, np.newaxis]).astype(float).ravel()
        found = clustered_share(values, np.repeat(np.arange(prompts), images))
        covered += found.ci_low <= truth <= found.ci_high
    return covered / replications


@pytest.mark.parametrize("heterogeneity", [0.05, 1.0])
def test_the_interval_covers_the_truth_although_prompts_differ(heterogeneity: float) -> None:
    assert simulated_coverage(40, 4, heterogeneity, 300) > 0.91


def coverage_of_copies(truth: float, prompts: int, images: int, correlated: bool) -> float:
    """Return how often the interval holds the truth, images of a prompt being copies, or independent."""
    generator, covered, replications = np.random.default_rng(15), 0, 800
    for _ in range(replications):
        values = (generator.random((prompts, 1 if correlated else images)) < truth).astype(float)
        every = np.broadcast_to(values, (prompts, images)).ravel()
        found = clustered_share(every, np.repeat(np.arange(prompts), images))
        covered += found.ci_low <= truth <= found.ci_high
    return covered / replications


@pytest.mark.parametrize(("truth", "prompts", "images"), [(0.8, 5, 20), (0.95, 10, 10), (0.95, 5, 20), (0.5, 5, 20)])
@pytest.mark.parametrize("correlated", [True, False])
def test_coverage_where_images_of_a_prompt_are_copies_and_where_they_are_not(
    truth: float, prompts: int, images: int, correlated: bool
) -> None:
    assert coverage_of_copies(truth, prompts, images, correlated) >= 0.92


@pytest.mark.slow
@pytest.mark.parametrize(("prompts", "images"), [(40, 20), (80, 4), (15, 4)])
@pytest.mark.parametrize("heterogeneity", [0.05, 0.5, 2.0])
def test_coverage_in_simulation(prompts: int, images: int, heterogeneity: float) -> None:
    assert 0.93 <= simulated_coverage(prompts, images, heterogeneity, 3000) <= 0.98


@pytest.mark.slow
def test_coverage_of_the_mean_over_categories() -> None:
    generator = np.random.default_rng(12)
    truths, sizes, covered, replications = np.array([0.98, 0.6, 0.2, 0.05]), np.array([80, 40, 100, 60]), 0, 3000
    strata = np.repeat(np.arange(4), sizes)
    for _ in range(replications):
        values = (generator.random(len(strata)) < truths[strata]).astype(float)
        found = mean_of_shares(values, np.arange(len(strata)), strata)
        covered += found.ci_low <= truths.mean() <= found.ci_high
    assert 0.93 <= covered / replications <= 0.98


def test_images_of_every_category_have_the_interval_of_one_share() -> None:
    values, prompts = (np.arange(30) % 3 > 0).astype(float), np.repeat(np.arange(10), 3)
    once = clustered_share(values, prompts)
    found = mean_of_shares(np.tile(values, 3), np.tile(prompts, 3), np.repeat(["a", "b", "c"], 30))
    assert found.value == pytest.approx(once.value)
    assert (found.ci_low, found.ci_high) == pytest.approx((once.ci_low, once.ci_high))


def test_categories_that_share_prompts_without_spread_go_wholly_together() -> None:
    values, strata = np.ones(12), np.repeat(["a", "b"], 6)
    apart = mean_of_shares(values, np.arange(12), strata)
    together = mean_of_shares(values, np.tile(np.arange(6), 2), strata)
    assert together.ci_low == pytest.approx(clustered_share(np.ones(6), np.arange(6)).ci_low)
    assert together.ci_low < apart.ci_low


def coverage_of_overlap(seed: int, replications: int) -> float:
    """Return how often the interval holds the mean of three categories, a third of the prompts being in two of them."""
    generator, covered = np.random.default_rng(seed), 0
    truths, prompts = np.array([0.9, 0.6, 0.3]), 60
    first = np.repeat(np.arange(3), prompts // 3)
    second = np.where(np.arange(prompts) % 3 == 0, (first + 1) % 3, -1)
    at = np.concatenate([np.arange(prompts), np.flatnonzero(second >= 0)])
    strata = np.concatenate([first, second[second >= 0]])
    chances = (truths[first] + np.where(second >= 0, truths[second], truths[first])) / 2
    truth = np.mean([chances[at[strata == kind]].mean() for kind in range(3)])
    for _ in range(replications):
        values = (generator.random((prompts, 2)) < chances[:, None]).astype(float)
        found = mean_of_shares(values[at].ravel(), np.repeat(at, 2), np.repeat(strata, 2))
        covered += found.ci_low <= truth <= found.ci_high
    return covered / replications


def test_the_interval_covers_the_truth_where_prompts_are_in_two_categories() -> None:
    assert coverage_of_overlap(5, 300) > 0.92


@pytest.mark.slow
def test_coverage_where_prompts_are_in_two_categories() -> None:
    assert 0.93 <= coverage_of_overlap(6, 3000) <= 0.98


def narrowest_and_coverage(prompts: int, replications: int) -> tuple[float, float]:
    """Return the least width of intervals and how often they hold the truth; every prompt is in both strata."""
    generator, found = np.random.default_rng(prompts), []
    for _ in range(replications):
        strata = generator.permutation(np.arange(prompts * 10) % 2)
        values = (generator.random(prompts * 10) < 0.7).astype(float)
        found.append(mean_of_shares(values, np.repeat(np.arange(prompts), 10), strata))
    held = [one.ci_low <= 0.7 <= one.ci_high for one in found]
    return min(one.ci_high - one.ci_low for one in found), float(np.mean(held))


@pytest.mark.parametrize("prompts", [2, 3, 6])
def test_few_prompts_do_not_tell_that_one_share_is_high_where_the_other_is_low(prompts: int) -> None:
    width, held = narrowest_and_coverage(prompts, 150)
    assert width > 0.1
    assert held > 0.94


@pytest.mark.slow
@pytest.mark.parametrize("prompts", [2, 3, 4, 6, 9, 10, 30])
def test_coverage_where_two_strata_have_all_prompts_in_common(prompts: int) -> None:
    assert narrowest_and_coverage(prompts, 2000)[1] >= 0.93


@pytest.mark.parametrize("truth", [(1.0, 0.0, 1.0, 1.0), (1.0, 1.0, 1.0, 1.0)])
def test_prompts_that_weigh_the_same_count_the_same_whatever_number_of_images_they_have(
    truth: tuple[float, ...],
) -> None:
    sizes = np.array([3, 1, 2, 5])
    uneven = clustered_share(
        np.repeat(truth, sizes), np.repeat(np.arange(4), sizes), weights=1.0 / np.repeat(sizes, sizes)
    )
    even = clustered_share(np.repeat(truth, 2), np.repeat(np.arange(4), 2))
    assert (uneven.value, uneven.ci_low, uneven.ci_high) == pytest.approx((even.value, even.ci_low, even.ci_high))
    assert (uneven.n, uneven.n_clusters) == (11, 4)
