import numpy as np
import pytest
import torch
from drawn_vectors import draw, flat
from scipy import linalg

from diptych.evaluate.metrics.frechet import frechet_distance
from diptych.evaluate.metrics.frechet_coupling import Coupling
from diptych.evaluate.statistics.moments import Moments, moments, square_root


def of(mean: np.ndarray, covariance: np.ndarray) -> Moments:
    return Moments(2, np.asarray(mean, float), np.asarray(covariance, float), False)


def test_equal_covariances_leave_the_distance_of_the_means() -> None:
    unit = np.eye(2048)
    assert frechet_distance(of(np.zeros(2048), unit), of(np.ones(2048), unit)) == pytest.approx(2048.0, abs=1e-9)


def test_covariances_that_commute_have_a_closed_form() -> None:
    scale = np.arange(1.0, 6.0)
    found = frechet_distance(of(np.zeros(5), np.diag(scale)), of(np.zeros(5), np.diag(scale[::-1])))
    assert found == pytest.approx(3.7420195910160814, abs=1e-10)


@pytest.mark.parametrize(("n", "dim"), [(40, 100), (100, 100), (101, 100), (400, 100), (2, 7)])
def test_a_set_is_at_no_distance_from_itself(n: int, dim: int) -> None:
    vectors = draw(n, dim, 0)
    assert frechet_distance(moments(vectors), moments(vectors)) == 0.0, "and not what rounding leaves"


def test_it_is_symmetric_and_turns_and_scales_as_a_squared_distance_does() -> None:
    dice = np.random.default_rng(3)
    turn = np.linalg.qr(dice.standard_normal((6, 6)))[0]
    for n in (4, 5, 9, 60):
        x, y = draw(n, 6, 1), draw(50, 6, 2, shift=0.3)
        distance = frechet_distance(moments(x), moments(y))
        assert frechet_distance(moments(y), moments(x)) == pytest.approx(distance, rel=1e-9)
        assert frechet_distance(moments(x @ turn), moments(y @ turn)) == pytest.approx(distance, rel=1e-9)
        assert frechet_distance(moments(3.0 * x), moments(3.0 * y)) == pytest.approx(9.0 * distance, rel=1e-9)
        assert distance > 0.0


@pytest.mark.parametrize("dim", [2, 5, 16, 64])
@pytest.mark.parametrize("n", [2, 4, 8, 32, 128, 1024])
def test_every_size_and_dimension_agrees_with_the_matrix_root(n: int, dim: int) -> None:
    x, y = (draw(n, dim, seed, shift=0.1 * seed, kind="normal") for seed in (1, 2))
    left, right = moments(x), moments(y)
    product = left.covariance @ right.covariance
    values = np.linalg.eigvals(product).astype(complex)
    expected = np.sqrt(values).real.sum()
    assert Coupling(left, right).trace_of_root == pytest.approx(expected, abs=1e-5)
    if n > dim:
        assert Coupling(left, right).trace_of_root == pytest.approx(linalg.sqrtm(product).real.trace(), rel=1e-8)


@pytest.mark.parametrize(("n", "m"), [(30, 30), (30, 500), (500, 30), (500, 700)])
def test_every_form_gives_the_same_number(n: int, m: int) -> None:
    """Root and root, root and matrix, matrix and root, matrix and matrix: against one route that takes all."""
    x, y = draw(n, 50, 1), draw(m, 50, 2, shift=0.2)
    values, vectors = np.linalg.eigh(np.cov(y, rowvar=False))
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    inner = np.clip(np.linalg.eigvalsh(root @ np.cov(x, rowvar=False) @ root), 0.0, None)
    assert Coupling(moments(x), moments(y)).trace_of_root == pytest.approx(np.sqrt(inner).sum(), rel=1e-6)


@pytest.mark.reference
@pytest.mark.parametrize(("n", "m", "dim"), [(200, 300, 32), (700, 650, 128)])
def test_it_is_the_distance_of_torchmetrics(n: int, m: int, dim: int) -> None:
    from torchmetrics.image.fid import FrechetInceptionDistance

    passing = torch.nn.Identity()
    passing.num_features = dim
    theirs = FrechetInceptionDistance(feature=passing)
    theirs.set_dtype(torch.float64)
    x, y = draw(n, dim, 1), draw(m, dim, 2, shift=0.2)
    theirs.update(torch.from_numpy(x), real=False)
    theirs.update(torch.from_numpy(y), real=True)
    assert frechet_distance(moments(x), moments(y)) == pytest.approx(float(theirs.compute()), rel=1e-9)


def test_more_images_than_dimensions_in_fewer_directions_are_as_exact() -> None:
    """Vectors that fill 12 of 40 dimensions have a singular covariance, however many they are."""
    plane = np.random.default_rng(3).standard_normal((12, 40))
    x, y = (moments(flat(300, 12, seed) @ plane) for seed in (1, 2))
    full = moments(flat(300, 40, 4))
    assert frechet_distance(x, x) == pytest.approx(0.0, abs=1e-11)
    for left, right in ((x, y), (x, full)):
        there, back = frechet_distance(left, right), frechet_distance(right, left)
        assert there == pytest.approx(back, rel=1e-13)
    small = np.linalg.svd(square_root(x.covariance) @ square_root(y.covariance).T, compute_uv=False).sum()
    apart = x.mean - y.mean
    assert frechet_distance(x, y) == pytest.approx(apart @ apart + x.trace + y.trace - 2.0 * small, rel=1e-12)


def test_sets_that_do_not_compare_are_refused() -> None:
    with pytest.raises(ValueError, match="3 and of 4"):
        frechet_distance(moments(draw(9, 3, 1)), moments(draw(9, 4, 1)))
    with pytest.raises(ValueError, match="not 1 and 9"):
        frechet_distance(moments(draw(1, 3, 1)), moments(draw(9, 3, 1)))
