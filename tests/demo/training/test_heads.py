from pathlib import Path

import numpy as np
import pytest

from diptych.demo.training import heads
from diptych.scores.aesthetic import LinearHead, load_head, rate


def test_ridge_without_penalty_finds_an_exact_head() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 4))
    head = heads.fit_ridge(vectors, vectors @ [1.0, -2.0, 0.5, 3.0] + 0.25, penalty=0.0)
    np.testing.assert_allclose(head.weight, [1.0, -2.0, 0.5, 3.0])
    assert head.bias == pytest.approx(0.25)


@pytest.mark.reference
def test_ridge_and_logistic_agree_with_scikit_learn() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    generator = np.random.default_rng(1)
    vectors = generator.normal(size=(200, 5)).astype(np.float32)
    targets = vectors @ [1.0, 2.0, 0.0, -1.0, 0.5] + generator.normal(size=200)
    ridge = linear.Ridge(alpha=3.0).fit(vectors.astype(np.float64), targets)
    np.testing.assert_allclose(heads.fit_ridge(vectors, targets, penalty=3.0).weight, ridge.coef_, rtol=1e-9)
    logistic = linear.LogisticRegression(C=1 / 0.1, tol=1e-10, max_iter=1000).fit(
        vectors.astype(np.float64), targets > 0
    )
    head = heads.fit_logistic(vectors, targets > 0, penalty=0.1)
    np.testing.assert_allclose(head.weight, logistic.coef_[0], atol=1e-4)
    assert head.bias == pytest.approx(logistic.intercept_[0], abs=1e-4)


def test_saved_head_is_what_the_product_reads(tmp_path: Path) -> None:
    heads.save_head(LinearHead(np.array([0.5, -1.25]), 3.5), tmp_path / "head.pth")
    head = load_head(tmp_path / "head.pth")
    assert head.weight.tolist() == [0.5, -1.25]
    assert rate(np.float32([[1, 0]]), head).tolist() == [4.0]
