import io
from pathlib import Path

import pytest
from drawn import picture
from PIL import Image

from diptych.data import images
from diptych.data.images import ImageInfo, decode, glance, inspect
from diptych.errors import DecodeError


def outcome(function: object, data: bytes) -> object:
    try:
        return function(data)  # type: ignore[operator]
    except DecodeError as error:
        return error.code


def test_a_whole_jpeg_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "inspect", None)
    assert glance(picture(0)) == ImageInfo("jpeg", 48, 32)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM"])
def test_it_says_what_inspect_says_of_whole_and_of_cut_files(kind: str) -> None:
    data = picture(1, kind=kind)
    for length in (0, 3, 20, len(data) // 2, len(data) - 40, len(data)):
        assert outcome(glance, data[:length]) == outcome(inspect, data[:length])


def test_a_jpeg_on_its_side_has_its_upright_size() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.open(io.BytesIO(picture(2))).save(buffer, "JPEG", exif=exif)
    assert glance(buffer.getvalue())[1:] == decode(buffer.getvalue()).size == (32, 48)


def test_the_pixel_limit_holds_without_decoding() -> None:
    with pytest.raises(DecodeError, match="too_many_pixels"):
        glance(picture(3), max_pixels=48 * 32 - 1)


def test_real_photographs_have_the_size_that_decoding_gives(shared: Path) -> None:
    files = sorted((shared / "real/photos/dreambooth").rglob("*.jpg"))[::7]
    assert len(files) > 8
    for file in files:
        assert glance(file.read_bytes()) == inspect(file.read_bytes())
