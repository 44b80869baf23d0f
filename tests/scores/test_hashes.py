import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.data import images
from diptych.scores import make_score
from diptych.scores.batches import Batch
from diptych.scores.hashes import COLUMNS, difference_hash, hashes, perceptual_hash, pixel_digest, variant_hashes

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "perceptual_hashes.json").read_text(encoding="utf-8"))

Y, X = np.mgrid[:64, :64]
DRAWN: dict[str, npt.NDArray[Any]] = {
    "flat": 0 * X + 128,
    "rising to the right": X * 4,
    "rising downwards": Y * 4,
    "square in the middle": 255 * ((abs(X - 31.5) < 16) & (abs(Y - 31.5) < 16)),
    "disc": 200 * ((X - 20) ** 2 + (Y - 30) ** 2 < 200),
    "board": 255 * ((X // 8 + Y // 8) % 2),
}


def drawn(name: str) -> PIL.Image.Image:
    return PIL.Image.fromarray(DRAWN[name].astype(np.uint8)).convert("RGB")


def encoded(image: PIL.Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def batch_of(*files: bytes | None) -> Batch:
    rows = [
        {
            "key": str(row),
            "image": {"bytes": data},
            "caption": None,
            "status": "ok" if data is not None else "not_found",
        }
        for row, data in enumerate(files)
    ]
    image = pa.struct([("bytes", pa.binary())])
    schema = pa.schema([("key", pa.string()), ("image", image), ("caption", pa.string()), ("status", pa.string())])
    return Batch(pa.RecordBatch.from_pylist(rows, schema=schema))


@pytest.mark.parametrize("name", DRAWN)
def test_drawn_pictures_have_the_hashes_that_imagehash_prints(name: str) -> None:
    expected = GOLDEN["drawn"][name]
    assert f"{perceptual_hash(drawn(name)):016x}" == expected["phash"]
    assert f"{difference_hash(drawn(name)):016x}" == expected["dhash"]


def test_the_picture_that_imagehash_tests_itself_with_has_its_hashes(shared: Path) -> None:
    image = images.decode((shared / "real" / GOLDEN["file"]["path"]).read_bytes())
    assert f"{perceptual_hash(image):016x}" == GOLDEN["file"]["phash"]
    assert f"{difference_hash(image):016x}" == GOLDEN["file"]["dhash"]


def test_the_hash_of_a_gradient_is_known_without_a_library() -> None:
    assert difference_hash(drawn("rising to the right")) == 2**64 - 1
    assert difference_hash(drawn("rising downwards")) == 0
    assert difference_hash(drawn("flat")) == 0
    assert perceptual_hash(drawn("flat")) == 2**63  # of all frequencies only the first is above the median, zero


def agrees_with_imagehash(image: PIL.Image.Image) -> bool:
    imagehash = pytest.importorskip("imagehash")
    theirs = int(str(imagehash.phash(image)), 16), int(str(imagehash.dhash(image)), 16)
    return theirs == (perceptual_hash(image), difference_hash(image))


@pytest.mark.reference
@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.tuples(st.integers(1, 80), st.integers(1, 80)), st.sampled_from(["", "lr", "lrtb"]))
def test_hashes_equal_imagehash_on_noise_and_on_symmetric_pictures(seed: int, size: tuple[int, int], how: str) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    if "lr" in how:
        pixels = np.concatenate([pixels, pixels[:, ::-1]], axis=1)
    if "tb" in how:
        pixels = np.concatenate([pixels, pixels[::-1]], axis=0)
    assert agrees_with_imagehash(PIL.Image.fromarray(pixels))


@pytest.mark.reference
def test_hashes_equal_imagehash_on_every_flat_shade_and_on_photographs(shared: Path) -> None:
    for shade in range(256):
        assert agrees_with_imagehash(PIL.Image.new("L", (9, 7), shade)), shade
    files = sorted((shared / "real" / "photos").glob("*/*/00.jpg")) + sorted(
        (shared / "real" / "dedup").glob("*/*/*.jpg")
    )
    assert len(files) > 20
    for path in files:
        if "corrupt" not in path.name:
            assert agrees_with_imagehash(images.decode(path.read_bytes())), path


def test_perceptual_hashes_move_little_when_a_photograph_is_resized(shared: Path) -> None:
    folder = shared / "real" / "dedup" / "imagededup" / "mixed_images"
    first, small = (images.decode((folder / f"ukbench00120{end}.jpg").read_bytes()) for end in ("", "_resize"))
    other = images.decode((folder / "ukbench09268.jpg").read_bytes())
    for hash_of in (perceptual_hash, difference_hash):
        assert (hash_of(first) ^ hash_of(small)).bit_count() <= 4
        assert (hash_of(first) ^ hash_of(other)).bit_count() > 16


def test_mirrored_variant_is_the_hash_of_the_mirrored_photograph(shared: Path) -> None:
    folder = shared / "real" / "dedup" / "imagededup" / "mixed_images"
    for path in sorted(folder.glob("*.jpg"))[:4]:
        image = images.decode(path.read_bytes())
        assert variant_hashes(image)[0] == perceptual_hash(image.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT))


@pytest.mark.parametrize("margin", [0.015, 0.02, 0.03, 0.04, 0.045])
def test_photograph_without_its_margin_is_near_one_of_the_variants(margin: float, shared: Path) -> None:
    folder = shared / "real" / "dedup" / "imagededup" / "mixed_images"
    for path in sorted(folder.glob("ukbench*.jpg"))[:4]:
        image = images.decode(path.read_bytes())
        width, height = image.size
        cut = (round(width * margin), round(height * margin))
        inner = image.crop((*cut, width - cut[0], height - cut[1]))
        distances = [(perceptual_hash(inner) ^ middle).bit_count() for middle in variant_hashes(image)[1:]]
        assert min(distances) <= 6, path


def test_variants_are_columns_of_their_own_and_change_the_identity_alone() -> None:
    plain, varied = make_score("hashes", {}), make_score("hashes", {"variants": True})
    names = [column.name for column in varied.columns]
    assert names[:3] == [column.name for column in plain.columns]
    assert names[3:] == ["phash_imagehash_mirrored", *(f"phash_imagehash_inner_{share}" for share in (97, 94, 91))]
    assert plain.identity != varied.identity
    batch = batch_of(None, encoded(drawn("disc")))
    found, expected = varied.score(batch), plain.score(batch)
    for name in names[:3]:
        assert found[name].tolist() == expected[name].tolist()
    assert [found[name][1] for name in names[3:]] == list(variant_hashes(drawn("disc")))
    assert all(found[name][0] is None for name in names)


def test_pictures_of_one_pixel_have_variants() -> None:
    assert len(variant_hashes(PIL.Image.new("RGB", (1, 1)))) == 4


def test_the_digest_follows_pixels_and_size_not_the_file() -> None:
    image = drawn("disc")
    plain, noted = encoded(image), encoded(image, "TIFF", description="noted")
    assert hashlib.sha256(plain).digest() != hashlib.sha256(noted).digest()
    table = hashes().score(batch_of(plain, noted, encoded(image, "WEBP", lossless=True)))
    assert len(set(table["sha256_pixels"])) == 1
    wide, tall = PIL.Image.new("RGB", (4, 1)), PIL.Image.new("RGB", (1, 4))
    assert pixel_digest(wide) != pixel_digest(tall)
    assert pixel_digest(wide) == hashlib.sha256(b"4x1\n" + bytes(12)).hexdigest()
    image.putpixel((0, 0), (1, 0, 0))
    assert pixel_digest(image) != table["sha256_pixels"][0]


def test_rows_without_a_picture_hold_none_in_every_column() -> None:
    table = hashes().score(batch_of(None, encoded(drawn("disc")), b"no picture"))
    assert set(table) == {column.name for column in COLUMNS}
    for values in table.values():
        assert [value is None for value in values] == [True, False, True]
    assert pa.array(table["phash_imagehash"], pa.uint64())[1].as_py() == perceptual_hash(drawn("disc"))


def test_the_table_names_the_score_and_its_columns_name_the_implementation() -> None:
    score = make_score("hashes", {})
    assert score.identity == {"score": "hashes", "version": 1}
    assert score.reads == {"pixels"}
    assert [column.name for column in score.columns] == ["phash_imagehash", "dhash_imagehash", "sha256_pixels"]
