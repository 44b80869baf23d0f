import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from diptych.data import images
from diptych.demo.world.drawing import draw
from diptych.demo.world.faults import (
    FAULTS,
    SPOILERS,
    Format,
    broken,
    encoded,
    file_name_caption,
    may_describe,
    picture_of,
    quality_of,
    truth_of_picture,
)
from diptych.demo.world.scenes import scene
from diptych.demo.world.truth import truth_of
from diptych.errors import DecodeError

SCENE = scene(11)
SIZE = 96
CLEAN = draw(SCENE, SIZE)


def sharpness(pixels: npt.NDArray[np.uint8]) -> float:
    """Return the variance of the Laplacian of the green channel."""
    green = pixels[:, :, 1].astype(np.float64)
    edges = 4 * green[1:-1, 1:-1] - green[:-2, 1:-1] - green[2:, 1:-1] - green[1:-1, :-2] - green[1:-1, 2:]
    return float(edges.var())


def contrast(pixels: npt.NDArray[np.uint8]) -> float:
    return float(pixels.std())


def signal_yellow(pixels: npt.NDArray[np.uint8]) -> float:
    return float((np.abs(pixels.astype(np.int64) - (255, 214, 10)).max(axis=2) < 10).mean())


def read(data: bytes) -> None:
    images.inspect(data)
    images.decode(data)


def test_faults_are_in_alphabetical_order_and_leave_most_rows_alone() -> None:
    assert list(FAULTS) == sorted(FAULTS)
    assert sum(fault.per_mille for fault in FAULTS.values() if fault.where != "caption") < 600


def test_every_fault_of_a_picture_has_something_that_spoils_it() -> None:
    needed = {name for name, fault in FAULTS.items() if fault.where in ("picture", "copy")}
    assert set(SPOILERS) == needed - {"exact_duplicate", "recompressed"}


def test_picture_without_a_fault_is_the_drawing() -> None:
    assert np.array_equal(picture_of(SCENE, SIZE, "", 0.5), CLEAN)
    assert np.array_equal(picture_of(SCENE, SIZE, "exact_duplicate", 0.5), CLEAN)


@pytest.mark.parametrize("fault", SPOILERS)
def test_spoilt_picture_is_another_and_always_the_same(fault: str) -> None:
    first, second = (picture_of(SCENE, SIZE, fault, 0.5) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, CLEAN)
    assert first.dtype == np.uint8


@pytest.mark.parametrize(
    ("fault", "measure", "sign"),
    [
        ("blurred", sharpness, -1),
        ("low_contrast", contrast, -1),
        ("noisy", sharpness, 1),
        ("flagged", signal_yellow, 1),
    ],
)
def test_fault_grows_with_its_strength(
    fault: str, measure: Callable[[npt.NDArray[np.uint8]], float], sign: int
) -> None:
    values = [measure(CLEAN), *(measure(picture_of(SCENE, SIZE, fault, strength)) for strength in (0.0, 0.5, 1.0))]
    assert [sign * value for value in values] == sorted(sign * value for value in values)
    assert abs(values[1] - values[0]) > 0.2 * abs(values[0])


def test_thumbnail_is_tiny() -> None:
    assert [len(picture_of(SCENE, SIZE, "tiny", strength)) for strength in (0.0, 1.0)] == [44, 24]


def test_crop_is_the_middle_of_the_picture() -> None:
    cropped = picture_of(SCENE, 200, "cropped", 1.0)
    margin = (200 - len(cropped)) // 2
    assert 1 <= margin <= 10
    assert np.array_equal(cropped, draw(SCENE, 200)[margin:-margin, margin:-margin])


@pytest.mark.parametrize("fault", ["", *FAULTS])
@pytest.mark.parametrize("strength", [0.0, 0.37, 1.0])
def test_truth_is_about_the_size_of_the_spoilt_picture(fault: str, strength: float) -> None:
    for seed in (10, 11):
        truth = truth_of_picture(scene(seed), SIZE, fault, strength)
        assert truth.size_px == len(picture_of(scene(seed), SIZE, fault, strength))


def test_strongest_crop_cuts_no_thing_away() -> None:
    for seed in range(200):
        truth, whole = truth_of_picture(scene(seed), 224, "cropped", 1.0), truth_of(scene(seed), 224)
        assert (truth.counts, truth.relation) == (whole.counts, whole.relation)
        assert (truth.figure is None) == (whole.figure is None)


def test_mirrored_twice_is_the_picture() -> None:
    assert np.array_equal(picture_of(SCENE, SIZE, "mirrored", 0.0)[:, ::-1], CLEAN)


def test_resized_is_larger_or_smaller_by_seed() -> None:
    sizes = [len(picture_of(scene(seed), SIZE, "resized", 0.5)) for seed in (10, 11)]
    assert sizes[0] > SIZE > sizes[1]


def test_watermark_is_all_over_the_picture() -> None:
    changed = (picture_of(SCENE, SIZE, "watermarked", 0.5) != CLEAN).any(axis=2)
    quarters = [changed[top : top + 48, left : left + 48].mean() for top in (0, 48) for left in (0, 48)]
    assert min(quarters) > 0.05


def test_sign_leaves_some_of_the_scene_to_be_seen() -> None:
    for seed in range(20):
        changed = (picture_of(scene(seed), SIZE, "flagged", 1.0) != draw(scene(seed), SIZE)).any(axis=2)
        assert 0.15 < changed.mean() < 0.75


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
def test_file_is_of_its_format_and_size(format: Format) -> None:
    info = images.inspect(encoded(CLEAN, format, 90))
    assert (info.format, info.width, info.height) == (format, SIZE, SIZE)


def test_png_keeps_every_pixel() -> None:
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encoded(CLEAN, "png", 1)))), CLEAN)


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.where == "file"])
@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_broken_file_cannot_be_read_for_the_reason_in_the_table(name: str, format: Format, strength: float) -> None:
    data = broken(encoded(CLEAN, format, 90), name, strength)
    with pytest.raises(DecodeError) as caught:
        read(data)
    assert caught.value.code == FAULTS[name].status


def test_whole_file_is_left_alone() -> None:
    data = encoded(CLEAN, "jpeg", 90)
    assert broken(data, "blurred", 1.0) is data
    assert broken(data, "", 1.0) is data


def test_quality_falls_with_strength_and_lies_in_its_range() -> None:
    for name, fault in FAULTS.items():
        values = [quality_of(name, strength) for strength in (0.0, 0.5, 1.0)]
        if fault.status != "ok":
            assert values == [None, None, None]
            continue
        numbers = [value for value in values if value is not None]
        assert numbers == sorted(numbers, reverse=True)
        assert 0.0 <= numbers[-1] <= numbers[0] <= 1.0
    assert quality_of("", 0.7) == 1.0


def test_poor_pictures_are_worse_than_copies() -> None:
    poor = {"blurred", "low_contrast", "noisy", "tiny", "watermarked"}
    worst_copy = min(quality_of(name, 1.0) or 0.0 for name, fault in FAULTS.items() if fault.where == "copy")
    assert max(quality_of(name, 1.0) or 0.0 for name in poor) < worst_copy


def test_file_names_look_like_file_names() -> None:
    names = [file_name_caption(number) for number in range(8)]
    assert len(set(names)) == 8
    assert all(" " not in name and "." in name for name in names)


def test_words_about_a_scene_may_describe_it_and_scenes_of_a_shared_kind() -> None:
    assert may_describe(SCENE, SCENE)
    for seed in range(60):
        other = scene(seed)
        assert may_describe(SCENE, other) == bool(SCENE.kinds & other.kinds)
