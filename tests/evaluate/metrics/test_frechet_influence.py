import numpy as np
import pytest
from drawn_vectors import draw

from diptych.evaluate.metrics.frechet import frechet_distance
from diptych.evaluate.metrics.frechet_coupling import Coupling
from diptych.evaluate.metrics.frechet_influence import contributions
from diptych.evaluate.statistics.moments import Moments


@pytest.mark.parametrize(("n", "m"), [(300, 400), (12, 400), (12, 14)])
def test_the_contributions_are_the_derivative_of_the_distance(n: int, m: int) -> None:
    """Giving image i a little more weight and all others less moves the distance by its contribution times that."""
    x, y = draw(n, 20, 1), draw(m, 20, 2, shift=0.2)
    left, right = weighted(x), weighted(y)
    found = contributions(Coupling(left, right), x, y)
    assert found.left.shape == (n,)
    assert found.right.shape == (m,)
    assert abs(found.left.mean()) + abs(found.right.mean()) < 1e-9
    step = 1e-5
    for row in (0, 1, 2):
        moved = [(weighted(x, row, s), weighted(y, row, s)) for s in (step, -step)]
        ups = [frechet_distance(moved_left, right) for moved_left, _ in moved]
        assert (ups[0] - ups[1]) / (2.0 * step) == pytest.approx(found.left[row], rel=1e-4, abs=1e-5)
        ups = [frechet_distance(left, moved_right) for _, moved_right in moved]
        assert (ups[0] - ups[1]) / (2.0 * step) == pytest.approx(found.right[row], rel=1e-4, abs=1e-5)


def weighted(vectors: np.ndarray, row: int = 0, step: float = 0.0) -> Moments:
    """Moments (with the divisor n) of vectors of which one has the weight 1 / n + step, the others less by as much."""
    n = len(vectors)
    weights = np.full(n, (1.0 - step) / n)
    weights[row] += step
    mean = weights @ vectors
    centred = (vectors - mean) * np.sqrt(weights * (n - 1.0))[:, np.newaxis]
    if n - 1 >= vectors.shape[1]:
        return Moments(n, mean, centred.T @ centred, False)
    directions = np.linalg.eigh(centred @ centred.T)[1][:, 1:]
    return Moments(n, mean, directions.T @ centred, True)
