import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn import picture
from image_bytes import save, with_chunks
from PIL import Image
from tiny_dataset import Row, make_dataset, make_table

from diptych.data.images import decode
from diptych.data.shards import read_shard
from diptych.errors import DecodeError
from diptych.scores.batches import Batch
from diptych.scores.decoded import decoded, is_truncated
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset


def photograph(mode: str = "RGB", kind: str = "JPEG", size: tuple[int, int] = (320, 240), **options: Any) -> bytes:
    image = Image.open(io.BytesIO(picture(3, size, kind="PNG"))).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def cut(data: bytes, share: float) -> bytes:
    """Keep a share of the coded picture, and put the end marker behind it, as programs do that mend such files."""
    start = data.index(b"\xff\xda")
    return data[: start + int((len(data) - start) * share)] + b"\xff\xd9"


def says(data: bytes) -> bool:
    return is_truncated(decode(data), data)


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


KINDS: dict[str, bytes] = {
    "4:2:0": photograph(),
    "4:4:4": photograph(subsampling=0, quality=95),
    "grey": photograph("L"),
    "CMYK": photograph("CMYK"),
    "restarts": photograph(restart_marker_rows=1),
    "optimised": photograph(optimize=True),
    "turned": photograph(exif=turned()),
    "odd size": photograph(size=(317, 237)),
    "progressive": photograph(progressive=True),
    "grey, progressive": photograph("L", progressive=True),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.97, 0.9, 0.7, 0.4, 0.2])
def test_a_jpeg_whose_tail_is_missing_is_truncated(kind: str, share: float) -> None:
    data = cut(KINDS[kind], share)
    try:
        image = decode(data)
    except DecodeError:
        return  # the decoder has seen it, and says so
    assert is_truncated(image, data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tail", [b"", b"\0" * 99, b"<html>", photograph(size=(16, 16))])
def test_a_whole_jpeg_is_not_whatever_is_behind_it(kind: str, tail: bytes) -> None:
    assert not says(KINDS[kind] + tail)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
@pytest.mark.parametrize("share", [0.8, 0.5])
@pytest.mark.parametrize("first", ["4:2:0", "grey", "turned"])
def test_a_cut_picture_is_truncated_when_it_was_saved_again(kind: str, share: float, first: str) -> None:
    buffer = io.BytesIO()
    decode(cut(KINDS[first], share)).save(buffer, kind)
    assert says(buffer.getvalue())


@pytest.mark.parametrize("size", [(333, 247), (320, 241), (321, 244), (320, 248)])
@pytest.mark.parametrize("share", [0.97, 0.98])
def test_a_cut_within_the_last_line_of_blocks_is_found_at_every_height(size: tuple[int, int], share: float) -> None:
    rng = np.random.default_rng(3)
    coarse = Image.fromarray(rng.integers(0, 255, (10, 13, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
    assert says(cut(save(coarse, "JPEG", quality=85), share))


@pytest.mark.parametrize("kind", ["4:2:0", "grey", "4:4:4"])
def test_a_jpeg_whose_tail_is_a_web_page_is_truncated(kind: str) -> None:
    assert says(KINDS[kind][:-400] + b"<html><body>404 Not Found</body></html>" * 400)


def test_a_jpeg_that_lacks_the_scan_of_a_colour_is_truncated() -> None:
    grey = photograph("L")
    frame = grey.index(b"\xff\xc0")
    size, scan = grey[frame + 5 : frame + 9], grey.index(b"\xff\xda")
    three = b"\xff\xc0\0\x11\x08" + size + b"\3" + b"".join(bytes([number, 0x11, 0]) for number in (1, 2, 3))
    head = grey[:frame] + three + grey[frame + 13 : scan]
    scans = [b"\xff\xda\0\x08\1" + bytes([number, 0]) + grey[scan + 7 : -2] for number in (1, 2, 3)]
    assert not says(head + b"".join(scans) + b"\xff\xd9")
    assert says(head + b"".join(scans[:2]) + b"\xff\xd9")
    assert says(head + b"".join(scans[:1]) + b"\xff\xd9")
    assert says(head + b"".join(scans)[:-900] + b"\xff\xd9")


def grey_and(box: tuple[int, int, int, int]) -> bytes:
    """Return a picture on mid grey."""
    image = Image.new("RGB", (320, 240), (128, 128, 128))
    image.paste(Image.open(io.BytesIO(photograph())).resize((box[2] - box[0], box[3] - box[1])), box)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "box",
    [(80, 60, 240, 180), (0, 60, 320, 180), (40, 0, 280, 240), (80, 0, 240, 200), (0, 0, 320, 236), (0, 0, 1, 1)],
    ids=["all around", "above and below", "left and right", "behind", "a thin line", "nearly all"],
)
def test_a_picture_on_grey_is_not(box: tuple[int, int, int, int]) -> None:
    assert not says(grey_and(box))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "BMP"])
@pytest.mark.parametrize("side", ["top", "bottom", "left", "right"])
@pytest.mark.parametrize("bar", [8, 40])
def test_a_whole_picture_with_a_grey_bar_is_not(kind: str, side: str, bar: int) -> None:
    place = {"top": (0, 0, 320, bar), "bottom": (0, 240 - bar, 320, 240), "left": (0, 0, bar, 240)}
    for image in (Image.open(io.BytesIO(photograph())), Image.new("RGB", (320, 240), "white")):
        image.paste((128, 128, 128), place.get(side, (320 - bar, 0, 320, 240)))
        assert not says(save(image, kind, lossless=True) if kind == "WEBP" else save(image, kind))


def test_a_page_whose_grey_bar_has_a_tab_is_not() -> None:
    page = Image.new("RGB", (320, 240), "white")
    page.paste((128, 128, 128), (0, 0, 320, 32))
    page.paste((255, 255, 255), (160, 16, 320, 32))
    assert not says(save(page, "PNG"))


def test_a_picture_of_nothing_but_grey_is_not() -> None:
    for kind in ("JPEG", "PNG"):
        buffer = io.BytesIO()
        Image.new("RGB", (64, 48), (128, 128, 128)).save(buffer, kind)
        assert not says(buffer.getvalue())


def test_real_photographs_are_whole_and_cut_ones_are_not(shared: Path) -> None:
    files = sorted((shared / "real/photos/dreambooth").rglob("*.jpg"))[::9]
    assert len(files) > 6
    for file in files:
        data = file.read_bytes()
        assert not says(data), file
        assert says(cut(data, 0.8)), file


def test_where_nothing_decodes_there_is_no_answer_and_the_decoder_s_reason(tmp_path: Path) -> None:
    rows = [
        Row(picture(0)),
        Row(cut(photograph(), 0.5)),
        Row(picture(2, kind="PNG")[:200]),
        Row(many_scans()),
        Row(None, "not there", "not_found", None),
    ]
    make_dataset(tmp_path / "set", rows)
    run = score_dataset(tmp_path / "set", ScorePlan({}, {"decoded": ("decoded", {})}), progress="none")
    found = [row for file in run.sets["decoded"].files for row in read_shard(file).to_pylist()]
    assert [row["is_truncated"] for row in found] == [False, True, None, None, None]
    assert [row["reason"] for row in found] == [None, None, "truncated", "corrupt", "not_found"]


def many_scans() -> bytes:
    """Return a small JPEG with thousands of passes over its picture: minutes of work for a decoder that does them."""
    data = photograph(progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * 10_000 + b"\xff\xd9"


def test_it_does_not_depend_on_the_batch() -> None:
    rows = [Row(picture(0)), Row(cut(photograph(), 0.5)), Row(b"<html>"), Row(picture(1))]
    together = decoded().score(Batch(make_table(rows)))["is_truncated"].tolist()
    apart = [decoded().score(Batch(make_table([row])))["is_truncated"][0] for row in rows]
    assert together == apart == [False, True, None, False]


def test_a_picture_of_high_dynamic_range_says_that_it_was_mapped() -> None:
    plain = save(Image.effect_noise((16, 16), 40).convert("RGB"), "PNG")
    files = [plain, *(with_chunks(plain, cICP=bytes([9, transfer, 0, 1])) for transfer in (16, 18, 13)), b"no picture"]
    found = decoded().score(Batch(make_table([Row(data) for data in files])))["tone_map"]
    assert found.tolist() == ["none", "pq", "hlg", "none", None]
