import numpy as np
import pytest

from diptych.curate.duplicates import cosines
from diptych.curate.duplicates.cosines import Directions, exact_cosines, float32_error, which_reach


def test_what_is_too_near_to_a_limit_for_float32_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cosines, "AGAIN", 3)
    least = 0.7
    angles = np.arccos(least) + np.array([1e-9, -1e-9, 1e-3, -1e-3, 1e-10, -1e-10])
    others = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    one = Directions.of(np.array([[3.0, 0.0]]))
    expected = [[False, True, False, True, False, True]]
    assert which_reach(one, Directions.of(others), least).tolist() == expected
    wrong = one.units @ Directions.of(others).units.T >= least
    assert wrong.tolist() != expected  # in float32 alone


def test_a_vector_reaches_itself_at_a_cosine_of_one() -> None:
    vectors = np.random.default_rng(0).normal(size=(200, 33)).astype(np.float16)
    directions = Directions.of(vectors)
    assert np.array_equal(which_reach(directions, directions, 1.0), np.eye(200, dtype=bool))


def test_a_pair_rounds_alike_whatever_stands_beside_it() -> None:
    vectors = np.random.default_rng(1).normal(size=(50, 769))
    together = exact_cosines(vectors[0], vectors)
    assert [exact_cosines(vectors[0], vectors[row : row + 1])[0] for row in range(50)] == together.tolist()


@pytest.mark.parametrize("dim", [8, 768, 4096])
def test_a_product_in_float32_is_off_by_no_more_than_is_said(dim: int) -> None:
    vectors = np.abs(np.random.default_rng(dim).normal(size=(60, dim)))  # whose terms have one sign
    directions = Directions.of(vectors)
    rough = directions.units @ directions.units.T
    one_by_one = np.zeros(60, np.float32)
    for column in range(dim):
        one_by_one += directions.units[0, column] * directions.units[:, column]
    exact = np.stack([exact_cosines(row, vectors) for row in vectors])
    assert max(np.abs(rough - exact).max(), np.abs(one_by_one - exact[0]).max()) <= float32_error(dim) < 3e-4
