"""How two sets go together: every way to compute it against the textbook's matrices."""

import numpy as np
import pytest
from drawn_vectors import draw, flat
from scipy import linalg

from diptych.evaluate.metrics.frechet_coupling import Coupling
from diptych.evaluate.statistics.moments import moments

SIZES = [(400, 500), (12, 400), (400, 12), (12, 14), (21, 500)]


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_squared_coordinates_are_the_lengths_under_the_transport(n: int, m: int) -> None:
    """x'Tx with T = S^(-1/2) (S^(1/2) S_r S^(1/2))^(1/2) S^(-1/2), and the other way round."""
    x, y = draw(n, 20, 1), draw(m, 20, 2, shift=0.2)
    for left, right, vectors, is_left in ((x, y, x, True), (y, x, x, False)):
        pair = Coupling(moments(left), moments(right))
        centred = vectors - vectors.mean(axis=0)
        mine, other = (np.cov(each, rowvar=False) for each in (vectors, y))
        half = root(mine)
        inverse = np.linalg.pinv(half, rcond=1e-7)
        transport = inverse @ root(half @ other @ half) @ inverse
        expected = np.einsum("nd,de,ne->n", centred, transport, centred)
        found = pair.left_coordinates(centred) if is_left else pair.right_coordinates(centred)
        np.testing.assert_allclose((found**2).sum(axis=1), expected, rtol=1e-6, atol=1e-9)


def root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_coordinates_of_both_sides_have_the_roots_as_variances_and_no_covariance(n: int, m: int) -> None:
    x, y = draw(n, 20, 1), draw(m, 20, 2, shift=0.2)
    pair = Coupling(moments(x), moments(y))
    for vectors, coordinates in ((x, pair.left_coordinates), (y, pair.right_coordinates)):
        found = coordinates(vectors - vectors.mean(axis=0))
        np.testing.assert_allclose(np.atleast_2d(np.cov(found, rowvar=False)), np.diag(pair.roots), atol=1e-9)
    assert pair.roots.sum() == pytest.approx(pair.trace_of_root, rel=1e-6)


def test_the_roots_are_the_singular_values_of_the_product_of_roots() -> None:
    x, y = flat(300, 9, 1), flat(200, 9, 2)
    left, right = (linalg.cholesky(np.cov(each, rowvar=False)) for each in (x, y))
    expected = np.linalg.svd(left @ right.T, compute_uv=False)[::-1]
    np.testing.assert_allclose(Coupling(moments(x), moments(y)).roots, expected, rtol=1e-10)


def test_one_dimension_is_a_case_like_any_other() -> None:
    x, y = flat(50, 1, 1), 3.0 * flat(60, 1, 2)
    pair = Coupling(moments(x), moments(y))
    assert pair.roots.tolist() == pytest.approx([float(x.std(ddof=1) * y.std(ddof=1))])
    assert pair.left_coordinates(x - x.mean()).var(ddof=1) == pytest.approx(pair.roots[0])


def test_the_effective_dimensions_of_a_set_and_itself_are_those_of_its_spread() -> None:
    scales = np.array([4.0, 1.0, 1.0])
    corners = np.concatenate([np.diag(scales), -np.diag(scales)])
    pair = Coupling(moments(corners), moments(corners))
    assert pair.effective_dim == pytest.approx(scales.sum() ** 2 / (scales**2).sum())
    assert Coupling(moments(np.ones((9, 3))), moments(corners)).effective_dim == 0.0
