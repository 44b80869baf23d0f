import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.evaluate.statistics.moments import merged, moments, square_root


def draw(n: int, dim: int, seed: int = 0) -> np.ndarray:
    dice = np.random.default_rng(seed)
    return dice.standard_normal((n, dim)) * np.linspace(0.1, 2.0, dim) + 5.0


@pytest.mark.parametrize(("n", "dim"), [(2, 5), (5, 5), (6, 5), (7, 5), (300, 5), (9000, 3), (3, 1)])
def test_moments_are_those_of_numpy(n: int, dim: int) -> None:
    vectors = draw(n, dim)
    found = moments(vectors)
    np.testing.assert_allclose(found.mean, vectors.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(found.covariance, np.cov(vectors, rowvar=False).reshape(dim, dim), rtol=1e-11)
    assert found.trace == pytest.approx(vectors.var(axis=0, ddof=1).sum(), rel=1e-12)
    assert (found.n, found.dim, found.is_root) == (n, dim, n - 1 < dim)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    dim=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_neither_cuts_nor_order_change_the_moments(sizes: list[int], dim: int, seed: int) -> None:
    vectors = draw(sum(sizes), dim, seed)
    whole = moments(vectors)
    shuffled = np.random.default_rng(seed).permutation(vectors)
    parts = merged(moments(part) for part in np.split(shuffled, np.cumsum(sizes)[:-1]))
    assert (parts.n, parts.is_root) == (whole.n, whole.is_root)
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-12)
    if whole.n > 1:
        np.testing.assert_allclose(parts.covariance, whole.covariance, rtol=1e-10, atol=1e-12)


def test_float16_and_float32_are_multiplied_as_they_are_and_summed_in_float64() -> None:
    for kind in (np.float16, np.float32):
        vectors = draw(40_000, 24).astype(kind)
        found, exact = moments(vectors), vectors.astype(np.float64)
        expected = np.cov(exact, rowvar=False)
        np.testing.assert_allclose(found.mean, exact.mean(axis=0), rtol=1e-13)
        scale = np.sqrt(np.diagonal(expected))
        assert np.abs(found.covariance - expected).max() < 3e-7 * scale.max() ** 2
        assert (np.abs(found.covariance - expected) < 1e-6 * np.outer(scale, scale)).all()
        assert found.trace == pytest.approx(np.trace(expected), rel=3e-7)


def test_a_mean_far_from_zero_cancels_nothing() -> None:
    vectors = draw(3000, 3) * 1e-3 + 1e5
    single = (draw(3000, 3) * 10.0 + 1e5).astype(np.float32)
    np.testing.assert_allclose(
        moments(single).covariance, np.cov(single.astype(float), rowvar=False), rtol=1e-5, atol=1e-3
    )
    expected = np.cov(vectors - 1e5, rowvar=False)
    halves = merged([moments(vectors[:1000]), moments(vectors[1000:])])
    for found in (moments(vectors), halves):  # E x^2 - (E x)^2 would be wrong by 1e-6 absolute
        np.testing.assert_allclose(found.covariance, expected, rtol=1e-6, atol=1e-14)


@pytest.mark.parametrize("n", [3, 4, 40])
def test_the_root_is_a_root(n: int) -> None:
    found = moments(draw(n, 4))
    np.testing.assert_allclose(found.root.T @ found.root, found.covariance, atol=1e-12)
    assert found.root.shape == (min(n - 1, 4), 4)


def test_a_singular_covariance_has_a_root_of_its_rank() -> None:
    vectors = draw(50, 4)
    vectors[:, 1] = 7.0  # a feature that is always the same
    vectors[:, 3] = vectors[:, 2]  # and two that are the same
    found = moments(vectors)
    assert found.root.shape == (2, 4)
    np.testing.assert_allclose(found.root.T @ found.root, found.covariance, atol=1e-12)
    assert square_root(np.zeros((3, 3))).shape == (0, 3)
    assert found.triangle is None
    assert moments(draw(50, 4)).triangle is not None


def test_one_vector_has_a_mean_and_no_spread() -> None:
    found = moments(np.array([[1.0, 2.0]]))
    assert found.mean.tolist() == [1.0, 2.0]
    assert np.isnan(found.trace)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.zeros((0, 3)), r"not \(0, 3\)"),
        (np.zeros(3), r"not \(3,\)"),
        (np.array([[1.0, np.nan]]), "not finite"),
        (np.array([[1.0, np.inf]]), "not finite"),
    ],
)
def test_what_has_no_moments_is_refused(vectors: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        moments(vectors)


def test_vectors_of_two_lengths_are_not_put_together() -> None:
    with pytest.raises(ValueError, match=r"not \[2, 3\]"):
        merged([moments(draw(4, 2)), moments(draw(4, 3))])
    with pytest.raises(ValueError, match="one length"):
        merged([])
