import numpy as np
import numpy.typing as npt
import pytest

from diptych.curate.duplicates import cosine_stars as module
from diptych.curate.duplicates.cosine_stars import cosine_stars


def by_definition(vectors: npt.NDArray[np.floating], least: float) -> list[int]:
    """Return who stands for each vector, one after the other."""
    units = vectors.astype(np.float64) / np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    stands = [-1] * len(units)
    for row in range(len(units)):
        if stands[row] < 0:
            for other in range(row, len(units)):
                if stands[other] < 0 and (other == row or units[row] @ units[other] >= least):
                    stands[other] = row
    return stands


@pytest.mark.parametrize("staying", [1, 3, 256])
@pytest.mark.parametrize("others", [2, 16384])
def test_stars_are_what_the_definition_says_whatever_the_blocks(
    staying: int, others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STAYING", staying)
    monkeypatch.setattr(module, "OTHERS", others)
    chance = np.random.default_rng(0)
    for least in (0.3, 0.8, 0.97):
        middles = chance.normal(size=(9, 5))
        vectors = (middles[chance.integers(9, size=120)] + 0.2 * chance.normal(size=(120, 5))).astype(np.float16)
        assert cosine_stars(vectors, least).tolist() == by_definition(vectors, least)


def test_there_are_no_chains() -> None:
    angles = np.deg2rad([0, 20, 40, 60])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert cosine_stars(vectors, np.cos(np.deg2rad(25))).tolist() == [0, 0, 2, 2]


def test_of_none_there_is_nothing() -> None:
    assert cosine_stars(np.empty((0, 4)), 0.9).tolist() == []
