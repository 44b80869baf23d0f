import io
import struct
import warnings
import zlib

import numpy as np
import PIL.Image
import pytest
from image_bytes import png_chunk, save, with_chunks

from diptych.data.images import decode
from diptych.data.plain import opens_plainly

PICTURE = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8))
JPEG, PNG, TIFF, WEBP = (save(PICTURE, kind) for kind in ("JPEG", "PNG", "TIFF", "WEBP"))
MANY = zlib.compress(bytes(2**21))  # more than Pillow takes of a profile or a text


def segment(kind: int, body: bytes) -> bytes:
    """Return a JPEG with one more segment."""
    return JPEG[:2] + struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body + JPEG[2:]


def with_tag(number: int, kind: int, count: int, value: int) -> bytes:
    """Return a TIFF whose directory has one more tag."""
    (start,) = struct.unpack_from("<I", TIFF, 4)
    (entries,) = struct.unpack_from("<H", TIFF, start)
    own = [TIFF[start + 2 + 12 * entry : start + 14 + 12 * entry] for entry in range(entries)]
    tags = sorted(
        [*own, struct.pack("<HHII", number, kind, count, value)], key=lambda tag: struct.unpack("<H", tag[:2])
    )
    return TIFF[:4] + struct.pack("<I", len(TIFF)) + TIFF[8:] + struct.pack("<H", len(tags)) + b"".join(tags) + bytes(4)


WRONG_SUM = png_chunk(b"gAMA", b"\0\0\xb1\x8f")[:-4] + bytes(4)
REFUSED = {
    "PNG, large profile": with_chunks(PNG, iCCP=b"a\0\0" + MANY),
    "PNG, large XMP": with_chunks(PNG, iTXt=b"XML:com.adobe.xmp\0\1\0\0\0" + MANY),
    "PNG, large text behind the picture": PNG[:-12] + png_chunk(b"zTXt", b"a\0\0" + MANY) + PNG[-12:],
    "PNG, damaged EXIF": with_chunks(PNG, eXIf=b"garbage"),
    "PNG, wrong checksum": PNG[:33] + WRONG_SUM + PNG[33:],
    "PNG, empty profile": with_chunks(PNG, iCCP=b""),
    "JPEG, short profile": segment(0xE2, b"ICC_PROFILE\0"),
    "JPEG, short JFIF": JPEG[:2] + b"\xff\xe0\0\x07JFIF\0" + JPEG[20:],
    "JPEG, short Adobe": segment(0xEE, b"Adobe"),
    "JPEG, short APP13": segment(0xED, b"Photoshop 3.0\x008BIM\4\4"),
    "JPEG, begun twice": JPEG[:2] + JPEG,
    "TIFF, tag beyond the file": with_tag(270, 2, 5_000, 10**8),
    "WebP, garbage for EXIF": save(PICTURE, "WEBP", exif=b"Exif\0\0garbage"),
}


def look_at(data: bytes) -> None:
    image = PIL.Image.open(io.BytesIO(data))
    image.load()
    image.getexif()


@pytest.mark.parametrize("kind", REFUSED)
def test_a_picture_that_pillow_refuses_for_what_is_beside_it_is_not_plain(kind: str) -> None:
    assert decode(REFUSED[kind]).size == (64, 48)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises((OSError, SyntaxError, ValueError)):
            look_at(REFUSED[kind])
        assert not opens_plainly(REFUSED[kind])


TURNED = PIL.Image.Exif()
TURNED[274], TURNED[271] = 6, "a camera"
PLAIN = {
    **{kind: save(PICTURE, kind) for kind in ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")},
    **{
        f"{kind}, turned": save(PICTURE, kind, exif=TURNED.tobytes())
        for kind in ("AVIF", "JPEG", "PNG", "TIFF", "WEBP")
    },
    "JPEG, of two pictures": save(PICTURE, "MPO", save_all=True, append_images=[PICTURE]),
    "JPEG, with more behind it": JPEG + b"more",
    "JPEG, odd EXIF that Pillow passes over": segment(0xE1, b"Exif\0\0garbage"),
    "PNG, with a text": with_chunks(PNG, tEXt=b"a\0b"),
    "PNG, animated": save(PICTURE, "PNG", save_all=True, append_images=[PICTURE.rotate(180)]),
}


@pytest.mark.parametrize("kind", PLAIN)
def test_a_picture_that_pillow_opens_is_plain(kind: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert opens_plainly(PLAIN[kind])


def test_heic_is_for_those_who_ask_for_it() -> None:
    assert opens_plainly(save(PIL.Image.new("RGB", (64, 64)), "HEIF"))
