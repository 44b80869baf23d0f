"""The resize of encoders gives Pillow's bytes, of any size, any part, any picture."""

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.encoders import pillow_resize
from diptych.encoders.pillow_resize import FILTERS, Box, Filter, resized

pytestmark = pytest.mark.usefixtures("one_thread")

SIDES = st.integers(1, 90)
PICTURES = ("noise", "black and white", "white", "stripes")


@pytest.fixture(autouse=True)
def every_pass_anew() -> None:
    pillow_resize._pass.cache_clear()


def draw(kind: str, size: tuple[int, int], seed: int = 0) -> PIL.Image.Image:
    generator, shape = np.random.default_rng(seed), (size[1], size[0], 3)
    pixels = {
        "noise": generator.integers(0, 256, shape, np.uint8),
        "black and white": generator.integers(0, 2, shape, np.uint8) * np.uint8(255),
        "white": np.full(shape, 255, np.uint8),
        "stripes": np.indices(shape).sum(axis=0).astype(np.uint8) % 2 * np.uint8(255),
    }
    return PIL.Image.fromarray(pixels[kind])


def by_pillow(image: PIL.Image.Image, size: tuple[int, int], box: Box, by: Filter) -> npt.NDArray[np.uint8]:
    return np.asarray(image.resize(size, resample=PIL.Image.Resampling[by.upper()]).crop(box))


@settings(max_examples=60, deadline=None)
@given(
    st.data(), st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES), st.sampled_from(PICTURES), st.sampled_from([*FILTERS])
)
def test_each_byte_is_pillow_s(
    data: st.DataObject, source: tuple[int, int], target: tuple[int, int], kind: str, by: Filter
) -> None:
    left, top = (data.draw(st.integers(0, side - 1)) for side in target)
    right, bottom = data.draw(st.integers(left + 1, target[0])), data.draw(st.integers(top + 1, target[1]))
    image = draw(kind, source, sum(source))
    found = resized(image, target, (left, top, right, bottom), by)
    assert np.array_equal(found, by_pillow(image, target, (left, top, right, bottom), by))


@pytest.mark.parametrize("by", FILTERS)
@pytest.mark.parametrize(
    ("source", "target"),
    [
        ((512, 512), (224, 224)),
        ((640, 427), (335, 224)),
        ((1, 1), (224, 224)),
        ((3000, 40), (224, 224)),
        ((224, 5), (224, 5)),
    ],
)
def test_usual_and_extreme_sizes_too(source: tuple[int, int], target: tuple[int, int], by: Filter) -> None:
    box = (0, 0, *target)
    for kind in PICTURES:
        image = draw(kind, source)
        assert np.array_equal(resized(image, target, box, by), by_pillow(image, target, box, by))


@settings(max_examples=40, deadline=None)
@given(st.tuples(SIDES, SIDES), st.integers(1, 60), st.sampled_from(PICTURES), st.sampled_from([*FILTERS]))
def test_so_it_is_where_sides_stay_in_proportion(source: tuple[int, int], side: int, kind: str, by: Filter) -> None:
    longer = int(side * max(source) / min(source))
    target = (side, longer) if source[0] <= source[1] else (longer, side)
    image, box = draw(kind, source, side), (0, 0, *target)
    assert np.array_equal(resized(image, target, box, by), by_pillow(image, target, box, by))


@pytest.mark.parametrize(
    ("source", "target", "is_sure"),
    [
        ((512, 512), (224, 224), True),
        ((640, 427), (335, 224), True),
        ((427, 640), (224, 335), True),
        ((100, 201), (50, 100), False),
        ((30, 80), (60, 160), True),
        ((640, 427), (224, 224), False),
        ((20, 300), (32, 32), False),
    ],
)
def test_where_rows_may_come_first_pillow_resizes(
    source: tuple[int, int], target: tuple[int, int], is_sure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[object] = []
    sums = pillow_resize._resized
    assert pillow_resize._is_the_same()
    monkeypatch.setattr(pillow_resize, "_resized", lambda *given: (found.append(given), sums(*given))[1])
    image, box = draw("noise", source), (0, 0, *target)
    assert np.array_equal(resized(image, target, box, "bicubic"), by_pillow(image, target, box, "bicubic"))
    assert bool(found) == is_sure


def test_pictures_are_taken_strip_by_strip(monkeypatch: pytest.MonkeyPatch) -> None:
    image, box = draw("noise", (84, 63)), (3, 2, 28, 27)
    expected = by_pillow(image, (40, 30), box, "bicubic")
    for size in (1, 4 * 84 * 7, 4 * 84 * 63):
        monkeypatch.setattr(pillow_resize, "STRIP_BYTES", size)
        assert np.array_equal(resized(image, (40, 30), box, "bicubic"), expected)


def test_all_partial_sums_are_integers_that_floats_hold() -> None:
    for source, target in ((512, 224), (224, 512), (9000, 224), (7, 224), (1, 1)):
        for by in FILTERS:
            way = pillow_resize._pass(source, target, (0, target), by)  # type: ignore[arg-type]  # a key of FILTERS
            assert way is not None
            units = way.upper / pillow_resize.HIGH, way.lower * 2**pillow_resize.LOW_BITS
            assert all(torch.equal(part, part.round()) for part in units)


def test_what_could_be_rounded_is_left_to_pillow() -> None:
    assert pillow_resize._pass(60_000, 20, (0, 20), "bicubic") is None
    image = draw("noise", (60_000, 1))
    assert np.array_equal(
        resized(image, (20, 1), (0, 0, 20, 1), "bicubic"), by_pillow(image, (20, 1), (0, 0, 20, 1), "bicubic")
    )


def test_where_a_trial_gives_other_bytes_pillow_resizes(monkeypatch: pytest.MonkeyPatch) -> None:
    image, box = draw("noise", (50, 40)), (0, 0, 20, 20)
    expected = by_pillow(image, (25, 20), box, "bicubic")
    monkeypatch.setattr(pillow_resize, "PRECISION_BITS", 20)  # as another Pillow might have it
    pillow_resize._is_the_same.cache_clear()
    try:
        assert not pillow_resize._is_the_same()
        assert np.array_equal(resized(image, (25, 20), box, "bicubic"), expected)
    finally:
        pillow_resize._is_the_same.cache_clear()


def test_a_torch_without_the_kernel_leaves_it_to_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise AttributeError("no such operator")

    monkeypatch.setattr(pillow_resize, "_summed", missing)
    pillow_resize._is_the_same.cache_clear()
    image, box = draw("noise", (50, 40)), (0, 0, 20, 20)
    try:
        assert np.array_equal(resized(image, (25, 20), box, "bilinear"), by_pillow(image, (25, 20), box, "bilinear"))
    finally:
        pillow_resize._is_the_same.cache_clear()
