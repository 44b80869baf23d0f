"""Which of the properties in an AVIF or HEIC are those of its picture."""

import struct

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_bytes import save, with_nclx

from diptych.data.colour_signals import ColourSignal, heif_signal, png_signal


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def colr(primaries: int, transfer: int) -> bytes:
    return box(b"colr", b"nclx", struct.pack(">HHHB", primaries, transfer, 0, 128))


@pytest.mark.parametrize(("version", "flags"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_properties_are_those_that_are_associated_with_the_primary_item(version: int, flags: int) -> None:
    item = ">H" if version < 1 else ">I"
    index = "H" if flags else "B"
    essential = 0x8000 if flags else 0x80
    entries = [(1, [1, 2]), (2, [3, essential | 4])]
    listed = b"".join(
        struct.pack(item, number) + struct.pack(f">B{len(ones)}{index}", len(ones), *ones) for number, ones in entries
    )
    ipma = box(b"ipma", bytes([version, 0, 0, flags]), struct.pack(">I", len(entries)), listed)
    ipco = box(b"ipco", box(b"ispe", bytes(12)), colr(1, 13), box(b"ispe", bytes(12)), colr(12, 16))
    pitm = box(b"pitm", bytes(4), struct.pack(">H", 2))
    meta = box(b"meta", bytes(4), pitm, box(b"iprp", ipco, ipma))
    assert heif_signal(box(b"ftyp", b"avif") + meta) == ColourSignal(12, 16)
    large = struct.pack(">I4sQ", 1, b"free", 16 + 9) + bytes(9)
    assert heif_signal(box(b"ftyp", b"avif") + large + meta) == ColourSignal(12, 16)
    assert heif_signal(box(b"ftyp", b"avif") + meta.replace(b"nclx", b"prof")) is None


def test_the_codes_of_a_picture_are_not_those_of_its_alpha() -> None:
    image = PIL.Image.new("RGBA", (16, 16), (60, 200, 60, 128))
    data = with_nclx(save(image, "AVIF"), 12, 16)
    assert heif_signal(data) == ColourSignal(12, 16)


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", box(b"ftyp", b"avif")]))
def test_noise_says_nothing_or_something_but_never_fails(noise: bytes, head: bytes) -> None:
    for signal in (png_signal, heif_signal):
        assert isinstance(signal(head + noise), ColourSignal | None)
    pieces = [noise[at : at + 50] for at in range(0, len(noise), 50)]
    meta = box(b"meta", bytes(4), box(b"pitm", noise[:6]), box(b"iprp", box(b"ipco", *pieces), box(b"ipma", noise)))
    assert isinstance(heif_signal(meta), ColourSignal | None)
