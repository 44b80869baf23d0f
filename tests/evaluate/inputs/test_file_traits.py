"""What files of two sides have in common, and when it is said that they differ."""

import io
import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from drawn import draw_dataset
from PIL import Image

from diptych.cli import main
from diptych.evaluate.inputs.dataset_traits import dataset_traits
from diptych.evaluate.inputs.file_traits import FileTraits, differences, jpeg_quality

pytestmark = pytest.mark.usefixtures("one_thread")

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8))


def saved(form: str, picture: Image.Image = PICTURE, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("quality", [20, 25, 50, 75, 85, 90, 95, 100])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_the_quality_of_a_jpeg_is_that_with_which_it_was_saved(quality: int, subsampling: int) -> None:
    assert jpeg_quality(saved("JPEG", quality=quality, subsampling=subsampling)) == pytest.approx(quality, abs=1)


def test_a_turned_picture_counts_as_it_is_seen() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turned by a quarter
    traits = FileTraits()
    traits.look(saved("JPEG", exif=exif))
    assert dict(traits.sizes) == {(64, 48): 1}


def test_only_jpegs_have_one_and_what_is_no_image_is_not_counted() -> None:
    traits = FileTraits()
    for data in (saved("PNG"), saved("WEBP"), saved("JPEG", PICTURE.convert("L"), quality=60), b"<html>", b""):
        traits.look(data)
    assert (dict(traits.formats), dict(traits.sizes)) == ({"png": 1, "webp": 1, "jpeg": 1}, {(48, 64): 3})
    assert traits.qualities == [60]
    assert FileTraits.from_json(json.loads(json.dumps(traits.to_json()))) == traits


def of(sizes: dict[tuple[int, int], int], *, form: str = "jpeg", quality: int = 80) -> FileTraits:
    return FileTraits(Counter({form: sum(sizes.values())}), Counter(sizes), [quality] * sum(sizes.values()))


MANY = {(640, 480 + row): 1 for row in range(40)}


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (of({(64, 64): 9}), of({(64, 64): 20}), []),
        (of(MANY), of({**MANY, (1, 1): 3}), []),
        (of(MANY), of(MANY, quality=86), []),
        (of(MANY), of(MANY, quality=95), ["JPEGs of a have a quality of about 80, those of b of about 95"]),
        (of({(64, 64): 9}), of({(32, 64): 9}), ["a is 64 x 64 throughout, b is 32 x 64 throughout"]),
        (of({(512, 512): 9}), of(MANY), ["a is 512 x 512 throughout, b is of 40 sizes, 640 x 499 in the middle"]),
        (of({(9, 9): 19, (8, 8): 1}), of({(9, 9): 9}), []),
        (FileTraits(), of(MANY), []),
    ],
)
def test_it_is_said_where_two_sets_differ_throughout(a: FileTraits, b: FileTraits, said: list[str]) -> None:
    assert differences(a, b) == said


def test_a_distance_says_it_of_folders_datasets_and_saved_statistics(tmp_path: Path) -> None:
    def call(*arguments: object) -> str:
        asked = ["--encoder", "projection", "--set", "dim=6"]
        result = CliRunner().invoke(main, ["--progress", "none", "evaluate", *map(str, arguments), *asked])
        assert result.exit_code == 0, result.output
        return result.output

    draw_dataset(tmp_path / "jpegs", rows=12)
    (tmp_path / "pngs").mkdir()
    for number in range(12):
        noise = np.random.default_rng(number).integers(0, 256, (20, 20, 3), np.uint8)
        (tmp_path / "pngs" / f"{number}.png").write_bytes(saved("PNG", Image.fromarray(noise)))
    call("statistics", tmp_path / "pngs", "--out", tmp_path / "pngs.npz")
    both = [call("distance", tmp_path / name, tmp_path / "jpegs") for name in ("pngs", "pngs.npz")]
    for output in both:
        assert "the files differ: a is png throughout, b is jpeg throughout; a distance tells of that" in output
    found = json.loads(call("distance", tmp_path / "jpegs", tmp_path / "jpegs", "--json"))
    assert found["warnings"] == []


def test_of_a_dataset_in_a_store_no_picture_is_read_for_its_quality() -> None:
    columns = {"format": ["jpeg", "jpeg"], "width": [4, 4], "height": [3, 3]}
    dataset = SimpleNamespace(location=SimpleNamespace(is_store=True), files=[None])  # which cannot be read
    rows: Any = SimpleNamespace(values=lambda name: pa.array(columns[name]), dataset=dataset)
    traits = dataset_traits(rows)
    assert (traits.formats, traits.sizes, traits.qualities) == ({"jpeg": 2}, {(4, 3): 2}, [])
