import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import PIL.ImageDraw
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
    texts = [(name, pa.string()) for name in ("key", "caption", "status")]
    schema = pa.schema([*texts, ("image", image), ("width", pa.int32()), ("height", pa.int32())])
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


def stripes(*colours: tuple[int, int, int]) -> PIL.Image.Image:
    rows = np.repeat(np.array([colours], np.uint8), 30, axis=1)
    return PIL.Image.fromarray(np.repeat(rows, 60, axis=0))


BARE = {
    "red": PIL.Image.new("RGB", (64, 64), (200, 10, 10)),
    "rising to the right": drawn("rising to the right"),
    "rising downwards": drawn("rising downwards"),
    "France": stripes((0, 38, 84), (255, 255, 255), (206, 17, 38)),
    "Italy": stripes((0, 146, 70), (255, 255, 255), (206, 43, 55)),
    "Ireland": stripes((22, 155, 98), (255, 255, 255), (255, 136, 62)),
}


def test_pictures_without_structure_have_no_hash_but_that_of_their_pixels() -> None:
    assert perceptual_hash(BARE["France"]) == perceptual_hash(BARE["Ireland"]), "the rest are signs of rounding errors"
    found = hashes(variants=True).score(batch_of(*map(encoded, BARE.values()), encoded(drawn("disc"))))
    assert found.pop("reason").tolist() == ["no_structure"] * len(BARE) + [None]
    assert len(set(found.pop("sha256_pixels"))) == len(BARE) + 1
    for name, values in found.items():
        assert [value is None for value in values] == [True] * len(BARE) + [False], name


def test_photographs_have_structure(shared: Path) -> None:
    files = [
        *sorted((shared / "real/photos/dreambooth").glob("*/0[01].jpg")),
        *(shared / "real/dedup/imagededup").glob("*_images/ukbench*.jpg"),
    ]
    assert len(files) > 20
    table = hashes(variants=True).score(batch_of(*(path.read_bytes() for path in files)))
    assert table["reason"].tolist() == [None] * len(files)


def icon(shape: str, ink: tuple[int, ...]) -> bytes:
    image = PIL.Image.new("RGBA", (128, 128), (0, 0, 0, 0))
    corners = [(10, 120), (64, 5), (120, 120)] if shape == "polygon" else [(20, 20), (100, 90)]
    getattr(PIL.ImageDraw.Draw(image), shape)(corners, fill=ink)
    return encoded(image)


@pytest.mark.parametrize("ink", [(255, 255, 255, 255), (0, 0, 0, 255), (250, 250, 240, 200)])
def test_different_icons_on_transparency_are_different_pictures(ink: tuple[int, ...]) -> None:
    table = hashes().score(batch_of(*(icon(shape, ink) for shape in ("ellipse", "rectangle", "polygon"))))
    assert len(set(table["sha256_pixels"])) == 3
    for name in ("phash_imagehash", "dhash_imagehash"):
        one, two, three = table[name]
        assert min((one ^ two).bit_count(), (two ^ three).bit_count(), (one ^ three).bit_count()) > 10, name


def test_rows_without_a_picture_hold_none_in_every_column() -> None:
    table = hashes().score(batch_of(None, encoded(drawn("disc")), b"no picture"))
    assert set(table) == {*(column.name for column in COLUMNS), "reason"}
    assert table.pop("reason").tolist() == [None] * 3, "the row says why it has no picture"
    for values in table.values():
        assert [value is None for value in values] == [True, False, True]
    assert pa.array(table["phash_imagehash"], pa.uint64())[1].as_py() == perceptual_hash(drawn("disc"))


def test_the_table_names_the_score_and_its_columns_name_the_implementation() -> None:
    score = make_score("hashes", {})
    assert score.identity == {"score": "hashes", "version": 2}
    assert score.reads == {"pixels"}
    assert [column.name for column in score.columns] == ["phash_imagehash", "dhash_imagehash", "sha256_pixels"]
