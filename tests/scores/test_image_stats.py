import io
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import PIL.ImageFilter
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.data import images
from diptych.scores import make_score
from diptych.scores.batches import Batch
from diptych.scores.image_stats import (
    COLUMNS,
    LONG_SIDE_PX,
    image_stats,
    measure,
    measure_colourfulness,
    measure_light,
    measure_sharpness,
)

Pixels = npt.NDArray[np.uint8]


def flat(shade: int | tuple[int, int, int], size: tuple[int, int] = (20, 10)) -> PIL.Image.Image:
    return PIL.Image.new("L" if isinstance(shade, int) else "RGB", size, shade).convert("RGB")


def board(cells: int = 8, cell_px: int = 1) -> PIL.Image.Image:
    """Return a chequered board of black and white."""
    y, x = np.mgrid[:cells, :cells]
    pixels = (255 * ((x + y) % 2)).astype(np.uint8).repeat(cell_px, 0).repeat(cell_px, 1)
    return PIL.Image.fromarray(pixels).convert("RGB")


def noise(seed: int, size: tuple[int, int] = (40, 30)) -> PIL.Image.Image:
    return PIL.Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), np.uint8))


def photograph(shared: Path) -> PIL.Image.Image:
    return images.decode((shared / "real/photos/rclip/boats on a lake.png").read_bytes())


def test_a_flat_picture_has_no_entropy_contrast_or_sharpness() -> None:
    for shade in (0, 77, 255):
        stats = measure(flat(shade))
        assert (stats.short_side, stats.long_side, stats.aspect_ratio) == (10, 20, 2.0)
        assert stats.entropy == 0
        assert stats.brightness == pytest.approx(shade / 255)
        assert stats.contrast == pytest.approx(0, abs=1e-7)
        assert stats.sharpness == stats.colourfulness == 0


def test_half_black_and_half_white_is_one_bit_and_the_largest_contrast() -> None:
    stats = measure(board())
    assert stats.entropy == pytest.approx(1)
    assert stats.brightness == pytest.approx(0.5)
    assert stats.contrast == pytest.approx(0.5)


def test_all_shades_alike_are_eight_bits() -> None:
    entropy, mean, spread = measure_light(np.full(256, 3))
    assert entropy == pytest.approx(8)
    assert mean == pytest.approx(0.5)
    assert spread == pytest.approx(math.sqrt((256**2 - 1) / 12) / 255)


def test_luma_weighs_the_channels_as_bt_601_does() -> None:
    shades = [measure(flat(colour)).brightness for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    assert shades == pytest.approx([0.299, 0.587, 0.114], abs=0.5 / 255)


def test_the_sharpness_of_a_board_is_that_of_its_laplacian() -> None:
    pixels = np.asarray(board().convert("L"))
    assert measure_sharpness(pixels) == pytest.approx((4 * 255) ** 2)  # each pixel differs from all four neighbours
    assert measure_sharpness(np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]], np.uint8)) == pytest.approx(
        (36**2 + 4 * 18**2) / 9 - ((-36 + 4 * 18) / 9) ** 2  # mirrored at the border, the neighbours see the 9 twice
    )
    assert measure_sharpness(np.zeros((1, 1), np.uint8)) == 0


def test_colourfulness_follows_its_formula() -> None:
    assert measure(flat((255, 0, 0))).colourfulness == pytest.approx(0.3 * math.hypot(255, 127.5))
    two = np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8)  # rg is +255 and -255, yb 127.5 in both
    assert measure_colourfulness(two) == pytest.approx(255 + 0.3 * 127.5)
    assert measure(board()).colourfulness == 0


def test_blur_lowers_sharpness_and_a_louder_palette_raises_colourfulness(shared: Path) -> None:
    image = photograph(shared)
    levels = [measure(image.filter(PIL.ImageFilter.GaussianBlur(radius))).sharpness for radius in (0, 1, 2, 4)]
    assert all(sharper > 2 * softer for sharper, softer in pairwise(levels))
    muted = PIL.Image.blend(image, image.convert("L").convert("RGB"), 0.5)
    assert measure(muted).colourfulness < 0.7 * measure(image).colourfulness


def test_measures_hardly_depend_on_resolution(shared: Path) -> None:
    image = photograph(shared).resize((512, 341), PIL.Image.Resampling.LANCZOS)
    large = image.resize((2048, 1364), PIL.Image.Resampling.LANCZOS)
    small, big = measure(image), measure(large)
    assert max(large.size) > LONG_SIDE_PX
    assert big.sharpness == pytest.approx(small.sharpness, rel=0.25)
    assert big[3:7] == pytest.approx(small[3:7], rel=0.02)
    unreduced = measure_sharpness(np.asarray(large.convert("L")))
    assert unreduced < 0.1 * small.sharpness  # what the reduction is for


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.tuples(st.integers(1, 60), st.integers(1, 60)), st.sampled_from(PIL.Image.Transpose))
def test_turns_and_mirrors_change_no_measure_but_the_sides(
    seed: int, size: tuple[int, int], turn: PIL.Image.Transpose
) -> None:
    image = noise(seed, size)
    stats, turned = measure(image), measure(image.transpose(turn))
    assert sorted(turned[:2]) == sorted(stats[:2])
    assert turned[2:] == pytest.approx(stats[2:], rel=1e-5)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.tuples(st.integers(1, 700), st.integers(1, 9)))
def test_every_measure_stays_in_the_range_of_its_column(seed: int, size: tuple[int, int]) -> None:
    for column, value in zip(COLUMNS, measure(noise(seed, size)), strict=True):
        assert value >= column.low
        assert column.high is None or value <= column.high


@pytest.mark.reference
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.tuples(st.integers(1, 60), st.integers(1, 60)))
def test_sharpness_equals_opencv_and_entropy_scipy(seed: int, size: tuple[int, int]) -> None:
    cv2 = pytest.importorskip("cv2")
    stats = pytest.importorskip("scipy.stats")
    image = noise(seed, size)
    luma = np.asarray(image.convert("L"))
    assert measure(image).sharpness == pytest.approx(cv2.Laplacian(luma, cv2.CV_64F).var(), rel=1e-9, abs=1e-9)
    assert measure(image).entropy == pytest.approx(stats.entropy(np.bincount(luma.ravel()), base=2), abs=1e-9)


def test_measuring_does_not_change_the_picture() -> None:
    image = noise(3, (1200, 40))
    before = image.tobytes()
    measure(image)
    assert (image.size, image.tobytes()) == ((1200, 40), before)


def test_rows_without_a_picture_are_empty_and_the_others_do_not_depend_on_them() -> None:
    buffer = io.BytesIO()
    noise(1).save(buffer, "PNG")
    files = [None, buffer.getvalue(), b"no picture"]
    rows = [{"key": str(row), "image": {"bytes": data}, "status": "ok"} for row, data in enumerate(files)]
    image = pa.struct([("bytes", pa.binary())])
    texts = [(name, pa.string()) for name in ("key", "caption", "status")]
    schema = pa.schema([*texts, ("image", image), ("width", pa.int32()), ("height", pa.int32())])
    table = image_stats().score(Batch(pa.RecordBatch.from_pylist(rows, schema=schema)))
    assert list(table) == [column.name for column in COLUMNS]
    for column in COLUMNS:
        values = pa.array(table[column.name], from_pandas=True)
        assert values.is_null().to_pylist() == [True, False, True]
    alone = measure(noise(1))
    assert [table[column.name][1] for column in COLUMNS] == pytest.approx(list(alone), rel=1e-6)


def test_the_table_names_the_score() -> None:
    score = make_score("image_stats", {})
    assert score.identity == {"score": "image_stats", "version": 1, "long_side_px": LONG_SIDE_PX}
    assert score.reads == {"pixels"}
