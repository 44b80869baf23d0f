import numpy as np
import pytest

from diptych.evaluate.metrics.frechet import frechet_distance
from diptych.evaluate.metrics.frechet_bias import size_bias
from diptych.evaluate.metrics.frechet_distance import FrechetStatistics
from diptych.evaluate.statistics.moments import moments


def test_size_bias_is_found_where_it_is_known() -> None:
    """For one dimension and equal normal distributions FD over n is about (3/2) s^2 / n on each side too large."""
    dice = np.random.default_rng(0)
    raw, bias = [], []
    for _ in range(600):
        sides = [[moments(dice.standard_normal((25, 1))) for _ in range(4)] for _ in range(2)]
        found = [FrechetStatistics(quarters=tuple(quarters)).moments for quarters in sides]
        assert found[0] is not None
        assert found[1] is not None
        raw.append(frechet_distance(*found))
        bias.append(size_bias(tuple(sides[0]), tuple(sides[1]), raw[-1]))
    assert np.mean(raw) == pytest.approx(2 * 1.5 / 100, rel=0.12)
    assert np.mean(bias) == pytest.approx(np.mean(raw), rel=0.15)
