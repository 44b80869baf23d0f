"""The nearest vector of a set is that of float64, found in float32."""

import numpy as np
import pytest
from drawn_vectors import far_off, flat
from scipy.spatial.distance import cdist

from diptych.evaluate.metrics.nearest_other import nearest


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("draw", [flat, far_off])
def test_the_nearest_other_is_that_of_float64(scale: float, draw: object) -> None:
    assert callable(draw)
    x, y = (draw(n, 64, seed).astype(np.float32) * np.float32(scale) for n, seed in ((700, 1), (1100, 2)))
    y[5] = y[900] = x[3]
    x[9] = y[17] = 0.0
    wide = [each.astype(np.float64) for each in (x, y)]
    squares = cdist(*wide, "sqeuclidean")
    found = nearest(x, y)
    assert found.which.tolist() == squares.argmin(axis=1).tolist(), "the first of equals"
    np.testing.assert_allclose(found.squares, squares.min(axis=1), rtol=1e-9, atol=1e-9 * scale**2)
    lengths = [np.linalg.norm(each, axis=1) for each in wide]
    with np.errstate(invalid="ignore"):
        cosines = np.abs(wide[0] @ wide[1].T) / lengths[0][:, np.newaxis] / lengths[1]
    np.testing.assert_allclose(found.cosines, np.nan_to_num(cosines).max(axis=1), rtol=1e-12)
    apart = np.where(np.arange(len(y)) == np.arange(20)[:, np.newaxis], np.inf, cdist(wide[1][:20], wide[1]))
    others = nearest(y[:20], y, np.arange(20))
    assert others.which.tolist() == apart.argmin(axis=1).tolist(), "without itself"
