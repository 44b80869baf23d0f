import gzip
import io
import re
import struct
import sys
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_bytes import linear_profile, pixels, png, png_chunk, save
from PIL import ImageOps

from diptych.data.images import DECODE_CODES, ImageInfo, decode, inspect
from diptych.errors import DecodeError

Turn = PIL.Image.Transpose


def drawn(size: tuple[int, int] = (48, 32)) -> PIL.Image.Image:
    """Return an RGB picture that no turn or mirror maps onto itself."""
    coarse = np.array([[[230, 30, 30], [30, 200, 40], [20, 20, 90]], [[40, 60, 220], [240, 240, 60], [250, 250, 250]]])
    return PIL.Image.fromarray(coarse.astype(np.uint8)).resize(size, PIL.Image.Resampling.BICUBIC)


def code_of(function: Callable[[bytes], object], data: bytes) -> str:
    try:
        function(data)
    except DecodeError as error:
        return error.code
    return "ok"


def distance(left: npt.ArrayLike, right: npt.ArrayLike) -> float:
    return float(np.abs(np.asarray(left, float) - np.asarray(right, float)).mean())


def tiff(size: tuple[int, int], body: bytes, bits: int = 8, **tags: list[int]) -> bytes:
    """Return a little-endian TIFF of one grey strip whose chain of pages is a ring; ``tags`` are ``t<number>``."""
    numbers = {256: [size[0]], 257: [size[1]], 258: [bits], 259: [1], 262: [1], 273: [8], 277: [1], 278: [size[1]]}
    numbers |= {279: [len(body)]} | {int(name[1:]): values for name, values in tags.items()}
    start = 8 + len(body)
    entries, extra = b"", b""
    for tag, values in sorted(numbers.items()):
        field = struct.pack(f"<{len(values)}I", *values)
        if len(values) > 1:
            place = start + 2 + 12 * len(numbers) + 4 + len(extra)
            field, extra = struct.pack("<I", place), extra + field
        entries += struct.pack("<HHI", tag, 4, len(values)) + field
    ring = struct.pack("<I", start)
    return b"II*\0" + ring + body + struct.pack("<H", len(numbers)) + entries + ring + extra


TURNED = PIL.Image.Exif()
TURNED[274], TURNED[271] = 6, "a camera"
EXIF = TURNED.tobytes()
SAMPLES = {
    "avif": save(drawn(), "AVIF", exif=EXIF),
    "bmp": save(drawn(), "BMP"),
    "gif": save(drawn(), "GIF"),
    "gif animated": save(drawn(), "GIF", save_all=True, append_images=[drawn().rotate(180)], disposal=2),
    "jpeg": save(drawn(), "JPEG", exif=EXIF, icc_profile=linear_profile(b"RGB ")),
    "jpeg progressive": save(drawn(), "JPEG", progressive=True),
    "jpeg2000": save(drawn(), "JPEG2000"),
    "png": save(drawn(), "PNG", exif=EXIF, icc_profile=linear_profile(b"RGB ")),
    "png animated": save(drawn(), "PNG", save_all=True, append_images=[drawn().rotate(180)]),
    "png palette": save(drawn().quantize(9), "PNG", transparency=2),
    "pnm": save(drawn(), "PPM"),
    "pnm plain": b"P3\n2 2\n99\n" + b"1 2 3 " * 4,
    "tiff": save(drawn(), "TIFF", exif=EXIF),
    "tiff deflate": save(drawn(), "TIFF", compression="tiff_adobe_deflate"),
    "webp": save(drawn(), "WEBP", exif=EXIF),
    "webp animated": save(drawn(), "WEBP", save_all=True, append_images=[drawn().rotate(180)]),
}
if find_spec("pillow_heif"):
    SAMPLES["heic"] = save(drawn((64, 64)), "HEIF")

ONE_PER_CODE = {
    "bad_dimensions": [b"P6 0 9 255\n", png((0, 5), 8, 2, b""), b"GIF89a\0\0\5\0\0\0\0,\0\0\0\0\0\0\0\0\0\2\0;"],
    "corrupt": [
        re.sub(rb"(IDAT.{9}).{8}", rb"\1 damaged", SAMPLES["png"], flags=re.DOTALL),
        tiff((90, 90), bytes(8100), t278=[89], t273=[8] * 3000),  # 1500 pictures' worth of strips
        tiff((90, 9000), bytes(90), t278=[1]),  # one strip of 9000
        SAMPLES["jpeg"][:-2] + b"\xff\xda\0\x08\1\1\0\x3f\0\0" * 200 + b"\xff\xd9",
    ],
    "empty": [b""],
    "not_an_image": [b"<!doctype html><html><body><svg ", b'{"error": 404}', b"BM is not a bitmap", b"Not found"],
    "svg": [b'<?xml version="1.0"?>\n<!-- drawn --> <svg xmlns="http://www.w3.org/2000/svg"/>', b"\xef\xbb\xbf<svg>"],
    "too_many_pixels": [
        png((30_000, 30_000), 8, 2, b""),
        b"P5 99999999 99999999 255\n",
        b"GIF89a\1\0\1\0\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\2\0;",
        tiff((100_000, 100_000), b""),
        b"P5 9000 9000 254\n",  # which PIL would decode in Python
        save(PIL.Image.new("RGB", (16_383, 6_000)), "WEBP", lossless=True, method=0),
    ],
    "truncated": [data[: len(data) * 3 // 4] for name, data in SAMPLES.items() if "animated" not in name]
    + [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"II*\0\xff\0\0\0", b"P6 12"],
    "unsupported": [b"8BPS\0\1", b"\0\0\1\0\1\0", b"%!PS-Adobe-3.0 EPSF", b"\xff\x0a\xfa"],
}


def test_an_archive_is_no_picture_and_is_to_be_unpacked() -> None:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as made:
        made.addfile(tarfile.TarInfo("a\nb"))
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as packed:
        packed.writestr("0.jpg", b"x")
    for data in (tar.getvalue(), whole.getvalue(), gzip.compress(b"x")):
        with pytest.raises(DecodeError, match=r"^not_an_image: an archive, to be unpacked: starts with"):
            inspect(data)


@pytest.mark.parametrize("code", DECODE_CODES)
def test_each_code_has_files_that_give_it_and_inspect_agrees(code: str) -> None:
    assert len(DECODE_CODES) == 8
    for data in ONE_PER_CODE[code]:
        assert (code_of(decode, data), code_of(inspect, data)) == (code, code), data[:40]


@pytest.mark.parametrize("name", sorted(SAMPLES.keys() - {"png palette", "pnm plain"}))
def test_every_format_decodes_to_the_picture_that_was_saved(name: str) -> None:
    form = name.split()[0]
    expected = drawn((64, 64)) if form == "heic" else drawn()
    if b"a camera" in SAMPLES[name] or name == "avif":
        expected = expected.transpose(Turn.ROTATE_270)
    assert inspect(SAMPLES[name]) == ImageInfo(form, *expected.size)
    plain = np.asarray(expected, float)
    if name in {"jpeg", "png"}:  # their profile is linear
        plain = np.where(plain <= 0.8, plain * 12.92, (1.055 * (plain / 255) ** (1 / 2.4) - 0.055) * 255)
    assert distance(pixels(SAMPLES[name]), plain) < (12 if form == "gif" else 6)


@pytest.mark.parametrize("kind", ["AVIF", "HEIF", "JPEG", "PNG", "TIFF", "WEBP"])
def test_all_orientations_show_the_same_picture(kind: str) -> None:
    upright, exif = drawn((64, 48)), PIL.Image.Exif()
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    for exif[274] in range(1, 9) if kind in {"AVIF", "HEIF"} else range(10):  # the others can hold nonsense
        stored = upright.transpose(Turn(undo[exif[274]])) if exif[274] in undo else upright
        data = save(stored, kind, exif=exif.tobytes())
        assert inspect(data)[1:] == upright.size, exif[274]
        assert distance(pixels(data), upright) < 5, exif[274]


def test_cmyk_and_luma_chroma_become_rgb() -> None:
    ink = PIL.Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    assert distance(pixels(save(ink, "JPEG", quality=95)), [255, 0, 0]) < 4
    assert distance(pixels(save(ink, "TIFF")), [255, 0, 0]) == 0
    assert distance(pixels(save(drawn().convert("YCbCr"), "TIFF")), drawn()) < 2
    assert distance(pixels(save(drawn().convert("LAB"), "TIFF")), drawn()) < 4


def test_wide_samples_are_scaled_not_clipped() -> None:
    ramp = np.arange(256, dtype=np.uint16).reshape(8, 32) * 257
    expected = np.repeat((ramp // 257).astype(np.uint8)[..., None], 3, axis=2)
    colours = b"".join(b"\0" + np.repeat(row, 3).byteswap().tobytes() for row in ramp)
    twelve = b"".join((int(left) << 12 | int(right)).to_bytes(3, "big") for left, right in (ramp >> 4).reshape(-1, 2))
    for data in (
        *(save(PIL.Image.fromarray(ramp), kind) for kind in ("JPEG2000", "PNG", "TIFF")),
        b"P2 32 8 65535\n" + b" ".join(b"%d" % value for value in ramp.ravel()),
        b"P5 32 8 65535\n" + ramp.byteswap().tobytes(),
        png((32, 8), 16, 2, colours),
        tiff((32, 8), twelve, 12),
        tiff((32, 8), (65535 - ramp).tobytes(), 16, t262=[0]),  # WhiteIsZero
        tiff((32, 8), (ramp / np.float32(65535)).astype(np.float32).tobytes(), 32, t339=[3]),
        tiff((32, 8), (ramp.astype(np.int32) * 9 - 70_000).tobytes(), 32, t339=[2]),  # stretched
    ):
        assert np.abs(pixels(data).astype(int) - expected).max() <= 1, data[:30]


def test_samples_that_are_not_numbers_do_not_disturb_the_others() -> None:
    values = np.array([[np.nan, np.inf, -np.inf, 0.0, 0.5, 1.0]], np.float32)
    assert pixels(tiff((6, 1), values.tobytes(), 32, t339=[3]))[0, :, 0].tolist() == [0, 255, 0, 0, 128, 255]
    for pair in ([np.nan, np.nan], [3e38, -3e38], [7, 7]):
        data = tiff((2, 1), np.array(pair, np.float32).tobytes(), 32, t339=[3])
        assert pixels(data)[0, 1].tolist() == [0, 0, 0]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "TIFF", "WEBP"])
def test_only_the_first_of_many_frames_is_looked_at(kind: str) -> None:
    first, second = PIL.Image.new("RGB", (8, 8), "red"), PIL.Image.new("RGB", (8, 8), "blue")
    assert (pixels(save(first, kind, save_all=True, append_images=[second] * 3, lossless=True)) == [255, 0, 0]).all()


def with_segments(*segments: tuple[int, bytes]) -> bytes:
    """Return a JPEG with more APP segments after its start."""
    packed = b"".join(struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body for kind, body in segments)
    return b"\xff\xd8" + packed + SAMPLES["jpeg progressive"][2:]


def test_damaged_metadata_neither_spoils_a_picture_nor_warns() -> None:
    bomb = zlib.compress(bytes(8_000_000))
    cut_exif = b"Exif\0\0II*\0\x08\0\0\0\x63\0\x12\1\3\0"
    far_exif = b"II*\0\x08\0\0\0\1\0\x0e\1\2\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"
    head, rest = SAMPLES["png"][:33], SAMPLES["png"][33:]
    chunks = [(b"acTL", bytes(8)), (b"zTXt", b"a\0\0" + bomb), (b"iCCP", b"a\0\7" + bomb), (b"eXIf", b"noise")]
    files = [head + png_chunk(*chunk) * 99 + rest for chunk in chunks]
    files += [head + b"\0\0\0\1tEXtxbad!" + rest, SAMPLES["webp"].replace(b"MM\0*", b"nois")]
    files += [with_segments((0xE1, cut_exif)), with_segments((0xE1, b"Exif\0\0" + far_exif), (0xE2, b"MPF\0MM\0*"))]
    files += [with_segments((0xED, b"Photoshop 3.0\0008BIM\4"), (0xE2, b"ICC_PROFILE\0"), (0xE0, b"JFIF\0"))]
    files += [SAMPLES["jpeg"].replace(b"\xff\xe1", b"\xff\xff\xff\xe1", 1), SAMPLES["jpeg"] + b"trailing bytes"]
    files += [tiff((4, 4), bytes(16), t700=[1, 2, 3], t34665=[4_000_000_000], t259=[1, 1], t305=[7] * 99)]
    files += [SAMPLES["avif"].replace(b"a camera\0", b"damaged\0\0"), SAMPLES["avif"].replace(b"MM\0*", b"MM\0+")]
    for data in files:
        assert code_of(decode, data) == code_of(inspect, data) == "ok", data[:60]


def test_the_image_carries_no_metadata_of_its_file() -> None:
    for data in SAMPLES.values():
        image = decode(data)
        assert image.info == {"tone_map": "none"}
        assert code_of(decode, save(image, "JPEG")) == "ok"


def test_a_comment_that_looks_like_the_end_hides_no_scans() -> None:
    data = SAMPLES["jpeg progressive"]
    last = data.rindex(b"\xff\xda")
    hidden = data[:last] + b"\xff\xfe\0\x04\xff\xd9" + data[last:-2] * 200 + b"\xff\xd9"
    with pytest.raises(DecodeError, match="more than 100 scans"):
        decode(hidden)


def test_small_hostile_files_cost_little() -> None:
    start_s = time.thread_time()
    header = struct.pack("<IHHIIiiHHIIiiII", 5_078, 0, 0, 1_078, 40, 40_000, 2_000, 1, 8, 1, 4_000, 0, 0, 256, 0)
    runs = b"BM" + header + bytes(1024) + b"\1\5\0\0" * 1_000
    assert code_of(decode, runs) == "too_many_pixels"
    frames = save(drawn((8, 8)), "GIF", save_all=True, append_images=[drawn((8, 8)).rotate(9 * i) for i in range(9)])
    assert code_of(decode, frames[:-1] + frames[frames.rfind(b"\x21\xf9") : -1] * 20_000 + b";") == "ok"
    for junk in (b"\xff" * 3_000_000, b"\xff\0" * 1_000_000, b"\xff\xe1\0\2" * 100_000):
        assert code_of(decode, b"\xff\xd8\xff" + junk) in {"truncated", "corrupt"}
    assert code_of(decode, b"P5\n" + b"# #" * 400_000) == "truncated"
    assert time.thread_time() - start_s < 10


def test_the_pixel_limit_counts_the_header_and_changes_no_global_state() -> None:
    before = PIL.Image.MAX_IMAGE_PIXELS
    for name in ("png", "jpeg", "gif", "webp", "bmp", "tiff", "avif", "jpeg2000", "pnm"):
        assert inspect(SAMPLES[name], max_pixels=48 * 32)
        for function in (decode, inspect):
            with pytest.raises(DecodeError, match=r"^too_many_pixels: \d+ x \d+ pixels, more than 1535$"):
                function(SAMPLES[name], max_pixels=48 * 32 - 1)
    assert before == PIL.Image.MAX_IMAGE_PIXELS


def test_heic_without_its_extra_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    for function in (decode, inspect):
        with pytest.raises(DecodeError, match=r"unsupported: HEIC needs: pip install './diptych\[heic\]'"):
            function(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")


def test_threads_decode_side_by_side_to_the_same_pixels() -> None:
    files = [*SAMPLES.values(), *(data for group in ONE_PER_CODE.values() for data in group)] * 3

    def outcome(data: bytes) -> str:
        return decode(data).tobytes().hex() if code_of(decode, data) == "ok" else code_of(decode, data)

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(outcome, files)) == [outcome(data) for data in files]


EDITS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=4), st.integers(0, 4)), max_size=6)
NOISE = st.builds(bytes.__add__, st.sampled_from([data[:20] for data in SAMPLES.values()]), st.binary(max_size=300))


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(sorted(SAMPLES)), EDITS, st.one_of(st.just(1.0), st.floats(0, 1)))
def test_mutated_files_decode_or_give_a_code_and_inspect_agrees(name: str, edits: list[Any], kept: float) -> None:
    data = bytearray(SAMPLES[name])
    for place, new, removed in edits:
        start = int(place * place * len(data))  # headers are worth more tries than bodies
        data[start : start + removed] = new
    mutant = bytes(data[: int(kept * len(data))])
    assert code_of(decode, mutant) in {"ok", *DECODE_CODES}
    assert code_of(inspect, mutant) == code_of(decode, mutant)


@settings(max_examples=500, deadline=None)
@given(NOISE)
def test_noise_after_any_head_gives_a_code(data: bytes) -> None:
    assert code_of(decode, data) == code_of(inspect, data)


# Folder -> outcome -> names; some files are a JPEG under another name.
REAL: dict[str, dict[Any, str]] = {
    "photos/rclip": {
        ("heic", 384, 256): "bee.heic",
        (
            "jpeg",
            384,
            256,
        ): "bee.jpg|black cat at night.jpg|black cat sleeping on a chair.JPG|black kitty.jpeg|cake.jpg|"
        "camera lens.jpg|camera.jpg|cat.jpg|cautious cat.jpg|chessboard with rocks.JPG|duck.jp2",
        ("jpeg", 384, 576): "books.jpg",
        ("gif", 200, 133): "bee_animated.gif",
        ("gif", 256, 384): "chess-queen.gif",
        ("bmp", 384, 256): "chess-pawns.bmp",
        ("png", 384, 256): "boats on a lake.png",
        ("pnm", 384, 256): "kookaburras.pnm|magpie.pbm",
        ("pnm", 256, 384): "parrot-and-flowers.pgm|parrot-looks-into-the-camera.ppm",
        ("tiff", 384, 256): "chess-knight.tiff",
        ("webp", 171, 256): "tree.webp",
        "not_an_image": "not-an-image.txt|LICENSE.upstream|ORIGIN.txt",
    },
    "dedup/imagededup/formats_images": {
        ("gif", 314, 400): "giphy.gif",
        ("jpeg", 640, 480): "ukbench09380.bmp|ukbench09380.jpeg|ukbench09380.png",
        ("pnm", 1152, 813): "marbles.pbm",
        ("pnm", 512, 512): "baboon.pgm",
        ("webp", 640, 480): "ukbench09380.webp",
    },
    "dedup/imagededup/mixed_images": {
        ("jpeg", 300, 300): "ukbench00120_resize.jpg",
        ("jpeg", 480, 640): "ukbench09268.jpg",  # its orientation is 6
        ("jpeg", 640, 480): "ukbench00120.jpg|ukbench00120_hflip.jpg|ukbench00120_rotation.jpg",
        "not_an_image": "ukbench09268_corrupt.jpg",  # noise from the first byte on
    },
}


@pytest.mark.parametrize("folder", REAL)
def test_real_files_decode_or_give_their_reason(shared: Path, folder: str) -> None:
    root = shared / "real" / folder
    expected = {name: outcome for outcome, names in REAL[folder].items() for name in names.split("|")}
    assert {path.name for path in root.iterdir()} == set(expected)
    for name, outcome in expected.items():
        data = (root / name).read_bytes()
        if isinstance(outcome, str):
            assert code_of(decode, data) == code_of(inspect, data) == outcome
            continue
        assert inspect(data) == outcome
        assert decode(data).size == outcome[1:]
        if outcome[0] != "heic":
            plain = PIL.Image.open(io.BytesIO(data))
            assert distance(pixels(data), ImageOps.exif_transpose(plain).convert("RGB")) == 0, name


@pytest.mark.parametrize("kind", [b"IHDR", b"IDAT"])
def test_a_png_whose_checksum_is_wrong_is_not_what_was_written(kind: bytes) -> None:
    data = bytearray(save(PIL.Image.effect_noise((32, 32), 40), "PNG"))
    end = data.index(kind) + 4 + int.from_bytes(data[data.index(kind) - 4 : data.index(kind)], "big")
    data[end] ^= 1
    with pytest.raises(DecodeError, match=f"the checksum of its {kind.decode()} is wrong") as refused:
        decode(bytes(data))
    assert refused.value.code == "corrupt"
