"""Versions of pictures among others, and what is near by chance alone."""

import numpy as np
import pytest

from diptych.evaluate.inputs.set_images import SetImages
from diptych.evaluate.metrics import near_pictures as module
from diptych.evaluate.metrics.near_pictures import near_pictures, nearest


def images(vectors: np.ndarray, prefix: str) -> SetImages:
    names = np.array([f"{prefix}{row}" for row in range(len(vectors))])
    return SetImages(vectors.astype(np.float32), names, names, names, np.full(len(names), ""))


def drawn(n: int, seed: int, power: float = 0.5) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, 32)) * np.arange(1, 33.0) ** -power


@pytest.mark.parametrize("power", [0.0, 0.5, 1.5, 2.5])
@pytest.mark.parametrize(("n", "m"), [(40, 60), (200, 3000), (800, 800)])
def test_nothing_is_near_by_chance_however_few_directions_count(power: float, n: int, m: int) -> None:
    for seed in range(6):
        assert near_pictures(images(drawn(n, seed, power), "x"), images(drawn(m, 100 + seed, power), "y")) == 0


def test_a_dense_set_is_not_near_to_a_sparse_one() -> None:
    """One picture in twenty of the few is where all of the many are."""
    few, many = drawn(200, 1), drawn(4000, 2) * 0.2
    few[:10] *= 0.2
    assert near_pictures(images(few, "x"), images(many, "y")) == 0


def test_a_sample_tells_about_how_many_are_versions() -> None:
    x, y = drawn(1000, 1), drawn(3000, 2)
    y[500:800] = x[200:500] * 1.01
    assert near_pictures(images(x, "x"), images(y, "y")) == pytest.approx(300, abs=80)


def test_pictures_that_a_set_has_twice_are_no_versions_of_the_other() -> None:
    x = np.repeat(drawn(200, 1), 2, axis=0) + 1e-3 * drawn(400, 3)
    assert near_pictures(images(x, "x"), images(drawn(500, 2), "y")) == 0


def test_blocks_change_nothing_and_nothing_is_nearest_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = images(drawn(90, 1), "x"), images(drawn(50, 2), "y")
    rows = np.array([0, 13, 89])
    for target in (one, other):
        apart = ((one.vectors[rows, None].astype(float) - target.vectors[None]) ** 2).sum(axis=2)
        if target is one:
            apart[np.arange(3), rows] = np.inf
        for block in (4096, 7):
            monkeypatch.setattr(module, "BLOCK_ROWS", block)
            found = nearest(one, rows, target)
            assert found.which.tolist() == apart.argmin(axis=1).tolist()
            assert np.stack([found.first, found.second], axis=1) == pytest.approx(np.sort(apart)[:, :2], rel=1e-4)
