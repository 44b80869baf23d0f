"""The figures that the demo models are judged by."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from diptych.demo.measure.ratings import (
    bootstrap,
    recall_at_1,
    recall_at_false_positive_rate,
    roc_auc,
    spearman,
)
from diptych.errors import DataError
from diptych.intervals import wilson

WHOLE = arrays(np.float64, st.integers(2, 30), elements=st.integers(-5, 5))


def draws(seed: int, count: int, shift: float = 0.0, *, steps: int = 0) -> npt.NDArray[np.float64]:
    values = np.random.default_rng(seed).normal(shift, 1.0, count)
    return np.round(values * steps) / steps if steps else values


def test_recall_counts_rows_whose_own_column_is_the_nearest() -> None:
    assert recall_at_1(np.eye(4)) == 1.0
    assert recall_at_1(1.0 - np.eye(4)) == 0.0
    assert recall_at_1(np.array([[3.0, 1.0, 2.0], [5.0, 4.0, 0.0], [0.0, 1.0, 2.0]])) == pytest.approx(2 / 3)


def test_recall_of_a_model_that_tells_nothing_apart_is_zero() -> None:
    assert recall_at_1(np.ones((5, 5))) == 0.0


@given(st.permutations(range(8)))
def test_recall_does_not_depend_on_the_order_of_the_examples(order: list[int]) -> None:
    similarities = np.random.default_rng(1).normal(size=(8, 8)) + np.eye(8)
    assert recall_at_1(similarities[np.ix_(order, order)]) == recall_at_1(similarities)


def test_auc_is_one_where_all_positives_lie_above_and_a_half_where_nothing_differs() -> None:
    assert roc_auc(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1.0
    assert roc_auc(np.array([0.0]), np.array([1.0, 2.0])) == 0.0
    assert roc_auc(np.ones(3), np.ones(4)) == 0.5


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_rating_that_is_no_number_is_refused(bad: float) -> None:
    good, spoilt = np.array([1.0, 2.0, 3.0]), np.array([1.0, bad, 3.0])
    for statistic in (roc_auc, spearman, lambda left, right: recall_at_false_positive_rate(left, right, 0.5)):
        for samples in ((good, spoilt), (spoilt, good)):
            with pytest.raises(DataError, match="1 of 3 ratings are not finite numbers"):
                statistic(*samples)
    with pytest.raises(DataError, match="1 of 4 ratings"):
        recall_at_1(np.array([[1.0, bad], [0.0, 1.0]]))


@given(WHOLE, WHOLE)
def test_auc_of_exchanged_samples_is_the_rest_to_one(
    positives: npt.NDArray[np.float64], negatives: npt.NDArray[np.float64]
) -> None:
    assert roc_auc(positives, negatives) + roc_auc(negatives, positives) == pytest.approx(1.0)


@pytest.mark.reference
@pytest.mark.parametrize("steps", [0, 2])
def test_auc_agrees_with_scikit_learn(steps: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    positives, negatives = draws(1, 70, 0.8, steps=steps), draws(2, 110, steps=steps)
    labels = np.repeat([1, 0], [len(positives), len(negatives)])
    expected = metrics.roc_auc_score(labels, np.concatenate([positives, negatives]))
    assert roc_auc(positives, negatives) == pytest.approx(expected, abs=1e-12)


@given(WHOLE)
def test_spearman_of_what_rises_together_is_one(values: npt.NDArray[np.float64]) -> None:
    if len(np.unique(values)) > 1:
        assert spearman(values, np.exp(values)) == pytest.approx(1.0)
        assert spearman(values, -values) == pytest.approx(-1.0)


def test_spearman_of_a_constant_is_not_a_number() -> None:
    assert np.isnan(spearman(np.ones(4), np.arange(4.0)))


@pytest.mark.reference
@pytest.mark.parametrize("steps", [0, 2])
def test_spearman_agrees_with_scipy(steps: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    left = draws(3, 80, steps=steps)
    right = left + draws(4, 80, steps=steps)
    assert spearman(left, right) == pytest.approx(stats.spearmanr(left, right).statistic, abs=1e-12)


@pytest.mark.parametrize(("rate", "recall"), [(0.0, 0.25), (0.01, 0.25), (0.02, 0.5), (1.0, 1.0)])
def test_recall_at_a_rate_lets_that_share_of_negatives_pass(rate: float, recall: float) -> None:
    negatives = np.arange(50.0)  # one of 50 may pass at 0.02: the threshold is 48
    assert recall_at_false_positive_rate(np.array([60.0, 48.5, 48.0, 3.0]), negatives, rate) == recall


def test_recall_at_a_rate_does_not_let_ties_pass_for_nothing() -> None:
    assert recall_at_false_positive_rate(np.ones(3), np.ones(100), 0.02) == 0.0


def test_recall_at_a_rate_outside_0_to_1_is_refused() -> None:
    with pytest.raises(ValueError, match=r"in \[0, 1\], not 2"):
        recall_at_false_positive_rate(np.ones(3), np.ones(3), 2)


@pytest.mark.reference
def test_recall_at_a_rate_agrees_with_the_curve_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    positives, negatives = draws(5, 300, 1.5), draws(6, 400)
    labels = np.repeat([1, 0], [len(positives), len(negatives)])
    false, true, _ = metrics.roc_curve(labels, np.concatenate([positives, negatives]), drop_intermediate=False)
    expected = true[false <= 0.05 + 1e-12].max()
    assert recall_at_false_positive_rate(positives, negatives, 0.05) == pytest.approx(expected)


@pytest.mark.reference
@pytest.mark.parametrize(("hits", "n"), [(0, 10), (10, 10), (43, 57), (400, 500)])
def test_wilson_agrees_with_scipy(hits: int, n: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    expected = stats.binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert wilson(hits / n, n)[1:3] == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_bootstrap_of_a_mean_is_as_wide_as_its_standard_error_says() -> None:
    sample = draws(7, 400)
    figure = bootstrap(lambda values: float(values.mean()), [sample])
    assert figure.value == sample.mean()
    assert figure.n == 400
    assert figure.ci_high - figure.ci_low == pytest.approx(2 * 1.96 * sample.std() / 20, rel=0.1)


def test_bootstrap_of_pairs_keeps_them_together() -> None:
    values = draws(8, 50)
    figure = bootstrap(spearman, [values, values], paired=True)
    assert figure == pytest.approx((1.0, 1.0, 1.0, 50))


def test_bootstrap_is_the_same_every_time() -> None:
    samples = [draws(9, 30, 1.0), draws(10, 40)]
    assert bootstrap(roc_auc, samples) == bootstrap(roc_auc, samples)
