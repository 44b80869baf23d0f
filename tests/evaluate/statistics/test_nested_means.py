"""Means of means: what a leaf counts, and intervals where strata count differently."""

import numpy as np
import pytest

from diptych.evaluate.statistics.intervals import clustered_mean
from diptych.evaluate.statistics.macro_shares import clustered_share, mean_of_shares
from diptych.evaluate.statistics.nested_means import leaf_parts
from diptych.evaluate.statistics.paired import paired_difference

PATHS = [("a", "a1")] * 4 + [("a", "a2")] * 3 + [("b",)] * 5
LEAVES = np.array([path[-1] for path in PATHS])
VALUES = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0])


def test_the_mean_is_that_of_the_means_of_each_node() -> None:
    found = mean_of_shares(VALUES, np.arange(12), LEAVES, parts=leaf_parts(PATHS))
    assert found.value == pytest.approx(((3 / 4 + 2 / 3) / 2 + 2 / 5) / 2)
    assert found.ci_low < found.value < found.ci_high


def test_error_and_ends_are_those_of_the_leaves_by_what_they_count() -> None:
    found = mean_of_shares(VALUES, np.arange(12), LEAVES, parts=leaf_parts(PATHS))
    each = [clustered_share(VALUES[kind == LEAVES], np.flatnonzero(kind == LEAVES)) for kind in ("a1", "a2", "b")]
    counted = np.array([0.25, 0.25, 0.5])
    assert found.se == pytest.approx(np.linalg.norm(counted * [share.se for share in each]))
    assert found.value - found.ci_low == pytest.approx(
        np.linalg.norm(counted * [share.value - share.ci_low for share in each])
    )


def test_parts_that_are_alike_change_nothing_but_the_degrees_of_freedom() -> None:
    alike, plain = (clustered_mean(VALUES, np.arange(12), LEAVES, parts=parts) for parts in (np.full(12, 3.0), None))
    assert alike.value == pytest.approx(plain.value)
    assert alike.se == pytest.approx(plain.se)
    assert alike.df <= plain.df


def test_a_stratum_of_few_prompts_that_counts_half_decides_the_degrees_of_freedom() -> None:
    rng = np.random.default_rng(5)
    leaves = np.repeat(["few", "many"], [3, 300])
    values, prompts = rng.normal(size=303), np.arange(303)
    found = clustered_mean(values, prompts, leaves, parts=np.ones(303))
    assert 2.0 < found.df < 3.0


def test_a_difference_over_kinds_is_that_of_the_two_means() -> None:
    other = VALUES[::-1].copy()
    parts = leaf_parts(PATHS)
    found = paired_difference(VALUES, other, np.arange(12), LEAVES, parts=parts)
    means = [clustered_mean(values, np.arange(12), LEAVES, parts=parts).value for values in (VALUES, other)]
    assert found.value == pytest.approx(means[0] - means[1])


def test_clusters_that_lie_in_two_strata_count_by_what_these_count() -> None:
    prompts = np.array([0, 1, 2, 3, 0, 1, 2, 3])
    leaves = np.repeat(["a", "b"], 4)
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 9.0, 11.0])
    found = clustered_mean(values, prompts, leaves, parts=np.repeat([3.0, 1.0], 4))
    assert found.value == pytest.approx((3 * 2.5 + 8.0) / 4)
    whole = clustered_mean((3 * values[:4] + values[4:]) / 4, np.arange(4))
    assert found.se == pytest.approx(whole.se)
