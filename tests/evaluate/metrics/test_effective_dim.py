"""How many directions count, as told by few vectors, against the truth."""

import numpy as np
import pytest

from diptych.evaluate.metrics.effective_dim import effective_dim
from diptych.evaluate.metrics.kept_vectors import KeptVectors

AXES = np.arange(1, 513.0)
WORLDS = {
    "one wide direction": np.r_[100.0, np.full(511, 0.02)],
    "two wide directions": np.r_[50.0, 50.0, np.full(510, 0.02)],
    "a falling spread": AXES**-2,
    "a slowly falling spread": AXES**-1,
    "flat": np.ones(512),
}


def drawn(variances: np.ndarray, n: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((n, len(variances))) * np.sqrt(variances)


@pytest.mark.parametrize("n", [64, 100, 300])
@pytest.mark.parametrize("world", WORLDS)
def test_few_vectors_tell_how_many_directions_count(world: str, n: int) -> None:
    variances = WORLDS[world]
    true = np.sqrt(variances).sum() ** 2 / variances.sum()
    assert effective_dim(KeptVectors.of(drawn(variances, n), np.arange(n))) == pytest.approx(true, rel=0.15)


def test_images_of_one_prompt_are_one_vector_in_whatever_order() -> None:
    x = drawn(WORLDS["one wide direction"], 100)
    once = effective_dim(KeptVectors.of(x, np.arange(100)))
    order = np.random.default_rng(1).permutation(300)
    again = effective_dim(KeptVectors.of(np.repeat(x, 3, axis=0)[order], np.repeat(np.arange(100), 3)[order]))
    assert again == pytest.approx(once, rel=1e-6)


def test_copies_of_an_image_hide_nothing() -> None:
    x = drawn(WORLDS["one wide direction"], 100)
    x[90:] = x[0]
    assert effective_dim(KeptVectors.of(x, np.arange(100))) > 40


def test_enough_vectors_see_everything_and_equal_ones_nothing() -> None:
    assert effective_dim(KeptVectors.of(drawn(WORLDS["flat"][:20], 30), np.arange(30))) == 0.0
    assert effective_dim(KeptVectors.of(np.ones((5, 20)), np.arange(5))) == 0.0
