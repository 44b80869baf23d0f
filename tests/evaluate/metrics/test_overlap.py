"""Which pictures two sets have in common, and which only seem to be."""

import numpy as np
import pytest

from diptych.evaluate.inputs.set_images import SetImages
from diptych.evaluate.metrics.overlap import Overlap, overlap


def images(vectors: np.ndarray, prefix: str = "x", **changes: list[str]) -> SetImages:
    names = [f"{prefix}{row}" for row in range(len(vectors))]
    texts = {"units": names, "contents": names, "keys": names} | changes
    return SetImages(vectors.astype(np.float32), **{name: np.array(text, np.str_) for name, text in texts.items()})


def drawn(n: int, seed: int, dim: int = 24) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, dim)) + 0.5


def test_sets_of_their_own_have_nothing_in_common() -> None:
    assert overlap(images(drawn(300, 1)), images(drawn(500, 2), "y")) is None
    nothing = images(np.full((3, 24), np.nan))
    assert overlap(nothing, images(drawn(9, 2), "x")) is None


def test_equal_bytes_are_counted_once_and_in_the_smaller_set() -> None:
    contents = ["a", "a", "b", "c", ""]
    found = overlap(images(drawn(5, 1), contents=contents), images(drawn(4, 2), "y", contents=["a", "", "d", "e"]))
    assert found == Overlap(1, 3, "equal bytes")
    assert found.is_large


@pytest.mark.parametrize("swap", [False, True])
def test_equal_pixels_are_found_through_the_rounding_of_stored_vectors(swap: bool) -> None:
    x, y = drawn(200, 1), drawn(350, 2)
    y[100:130] = x[20:50] * (1.0 + 3e-4 * np.random.default_rng(3).standard_normal((30, 24)))
    sides = images(x.astype(np.float16)), images(y.astype(np.float16), "y")
    assert overlap(*(sides[::-1] if swap else sides)) == Overlap(30, 200, "equal pixels")


def test_pictures_that_are_only_near_each_other_are_not_equal() -> None:
    x = drawn(200, 1)
    assert overlap(images(x), images(x + 0.02 * drawn(200, 2), "y")) is None


def test_a_blank_picture_that_both_have_many_times_is_one() -> None:
    x, y = drawn(300, 1), drawn(300, 2)
    x[:40], y[:50] = 0.25, 0.25
    found = overlap(images(x), images(y, "y"))
    assert found == Overlap(1, 300, "equal pixels")
    assert not found.is_large


def test_equal_keys_count_where_their_pictures_are_alike_and_nowhere_else() -> None:
    """Numbers as names are in any two folders."""
    x = drawn(200, 1)
    keys = [f"{row:05d}" for row in range(200)]
    shuffled = np.random.default_rng(4).permutation(200)
    versions = images((x + 0.6 * drawn(200, 2))[shuffled], "y", keys=[keys[row] for row in shuffled])
    assert overlap(images(x, keys=keys), versions) == Overlap(200, 200, "equal keys, and alike")
    for seed in range(20):
        assert overlap(images(x, keys=keys), images(drawn(200, 100 + seed), "y", keys=keys)) is None


def test_equal_prompts_are_said() -> None:
    prompts = [f"p{row // 2}" for row in range(40)]
    found = overlap(images(drawn(40, 1), units=prompts), images(drawn(40, 2), "y", units=prompts))
    assert found == Overlap(20, 20, "equal prompts")
    assert str(found) == "20 of 20 prompts are in both sets (equal prompts)"


def test_what_is_large_is_said_before_what_is_not() -> None:
    x, y = drawn(300, 1), drawn(300, 2)
    prompts = [f"p{row}" for row in range(300)]
    contents = [f"c{row}" for row in range(300)], [f"c{row + 299}" for row in range(300)]
    found = overlap(images(x, contents=contents[0], units=prompts), images(y, "y", contents=contents[1], units=prompts))
    assert found == Overlap(300, 300, "equal prompts")
