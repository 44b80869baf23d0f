"""Which pictures two sets have in common, and which only seem to be."""

import numpy as np
import pytest

from diptych.evaluate.inputs.set_images import SetImages
from diptych.evaluate.metrics.overlap import Overlap, overlap


def images(vectors: np.ndarray, prefix: str = "x", **changes: list[str]) -> SetImages:
    names = [f"{prefix}{row}" for row in range(len(vectors))]
    texts = {"units": names, "contents": names, "keys": names, "texts": [""] * len(names)} | changes
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
def test_equal_vectors_are_found_through_the_rounding_of_stored_vectors(swap: bool) -> None:
    x, y = drawn(200, 1), drawn(350, 2)
    y[100:130] = x[20:50] * (1.0 + 3e-4 * np.random.default_rng(3).standard_normal((30, 24)))
    sides = images(x.astype(np.float16)), images(y.astype(np.float16), "y")
    assert overlap(*(sides[::-1] if swap else sides)) == Overlap(30, 200, "equal vectors")


def test_versions_under_other_names_are_found_by_their_nearness() -> None:
    """The corrected distance of recompressed and renamed pictures was -0.029, with an error of 0.0007."""
    x = drawn(200, 1)
    found = overlap(images(x), images(x + 0.02 * drawn(200, 2), "y"))
    assert found == Overlap(200, 200, "far nearer to each other than to any of their own set")
    few = overlap(images(x), images(np.concatenate([x[:30] + 0.02 * drawn(30, 2), drawn(400, 3)]), "y"))
    assert few is not None
    assert few.shared == pytest.approx(30, abs=3)


def test_what_tells_most_is_what_is_said() -> None:
    """Of versions some have equal vectors, as half precision rounds them, and all have the keys of their pictures."""
    x = drawn(300, 1)
    y = x + 0.05 * drawn(300, 2)
    y[:85] = x[:85]
    keys = [f"{row:05d}" for row in range(300)]
    found = overlap(images(x, keys=keys), images(y, "y", keys=keys))
    assert found == Overlap(300, 300, "equal keys, and alike")
    assert overlap(images(x), images(y, "y")) == Overlap(85, 300, "equal vectors")


@pytest.mark.parametrize("is_same_bytes", [True, False])
def test_copies_within_a_set_are_one_picture_on_both_sides_of_the_count(is_same_bytes: bool) -> None:
    x = drawn(98, 1)
    x[93:] = x[:5]
    contents = [f"c{row % 93}" for row in range(98)]
    others = contents if is_same_bytes else [f"other {text}" for text in contents]
    found = overlap(images(x, contents=contents), images(x, "y", contents=others))
    assert found == Overlap(93, 93, "equal bytes" if is_same_bytes else "equal vectors")
    assert str(found).startswith("93 of 93 different images are in both sets")


def test_a_blank_picture_that_both_have_many_times_is_one() -> None:
    x, y = drawn(300, 1), drawn(300, 2)
    x[:40], y[:50] = 0.25, 0.25
    found = overlap(images(x), images(y, "y"))
    assert found == Overlap(1, 300, "equal vectors")
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


def of_classes(seed: int, classes: int, images: int, share: float) -> np.ndarray:
    centres = np.repeat(drawn(classes, 1, 64), images, axis=0)
    return share**0.5 * centres + (1.0 - share) ** 0.5 * drawn(classes * images, seed, 64)


@pytest.mark.parametrize(("classes", "images"), [(100, 20), (40, 50), (100, 4)])
@pytest.mark.parametrize("share", [0.15, 0.5, 0.9])
def test_two_samples_of_the_same_classes_under_the_same_keys_have_nothing_in_common(
    classes: int, images: int, share: float
) -> None:
    """Pictures of a key are of one class, so alike: taken for versions, the kernel distance was 0.0064 for 0."""
    keys = [f"class{number // images:03d}/{number % images:05d}" for number in range(classes * images)]
    sides = (images_of(of_classes(seed, classes, images, share), name, keys) for seed, name in ((2, "x"), (3, "y")))
    assert overlap(*sides) is None


def images_of(vectors: np.ndarray, prefix: str, keys: list[str]) -> SetImages:
    return images(vectors, prefix, keys=keys)


@pytest.mark.parametrize("versions", [100, 600, 2000])
def test_of_equal_keys_those_count_whose_pictures_are_versions(versions: int) -> None:
    """Where some were, all were said to be in both sets; and where few were, none."""
    keys = [f"{row:05d}" for row in range(2000)]
    x, y = drawn(2000, 1), drawn(2000, 2)
    y[:versions] = x[:versions] + 0.2 * drawn(versions, 3)
    found = overlap(images(x, keys=keys), images(y, "y", keys=keys))
    assert found is not None
    assert found.how == "equal keys, and alike"
    assert found.shared == pytest.approx(versions, abs=0.02 * 2000)
    assert found.is_large


def test_blurred_versions_count_though_they_are_far_from_their_pictures() -> None:
    keys = [f"{row:05d}" for row in range(400)]
    x = drawn(400, 1)
    far = images(0.6 * x + 0.8 * drawn(400, 2), "y", keys=keys)
    found = overlap(images(x, keys=keys), far)
    assert found is not None
    assert 200 < found.shared <= 400


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
