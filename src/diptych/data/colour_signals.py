"""What a file says of its colours other than by a profile: codes of ITU-T H.273, numbers in a PNG, a letter in EXIF.

Only bytes are read here. What codes mean and how pictures are converted is the business of ``diptych.data.colour``.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from diptych.data.containers import exif_colour_space, exif_interoperability, png_chunk_is_whole

EXIF_SRGB = 1  # EXIF 2.32, 4.6.5, tag ColorSpace
UNSPECIFIED = 2  # ITU-T H.273
ADOBE_RGB = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)  # Adobe RGB (1998), 4.2.1 and 4.3.1.2
ADOBE_GAMMA = 563 / 256  # as above, 4.3.4.2


class ColourSignal(NamedTuple):
    """What a file says of its colours.

    Attributes:
        primaries: ColourPrimaries of ITU-T H.273, 8.1.
        transfer: TransferCharacteristics of ITU-T H.273, 8.2.
        gamma: Exponent that gives light from a value, where no code says it.
        chromaticities: x and y of white, red, green and blue, where no code says them.
        is_narrow: Whether black is at 16 and white at 235 of 255.
        goes_before_profile: Whether a colour profile beside it does not count.
    """

    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    gamma: float | None = None
    chromaticities: tuple[float, ...] | None = None
    is_narrow: bool = False
    goes_before_profile: bool = False


def png_signal(data: bytes) -> ColourSignal | None:
    """Return what the first of cICP, sRGB, or gAMA and cHRM says (PNG, third edition, 4.3); None for nothing.

    A cICP of which both codes are "unspecified" says nothing.
    """
    chunks: dict[bytes, bytes] = {}
    start = 8
    while start + 8 <= len(data) and b"IDAT" not in chunks:
        length, kind = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8]
        if png_chunk_is_whole(data, start, start + 12 + length):  # what a damaged one says is not believed
            chunks.setdefault(kind, data[start + 8 : start + 8 + min(length, 32)])
        start += 12 + length
    codes = chunks.get(b"cICP", b"")
    is_rgb = len(codes) == 4 and codes[2] == 0  # there is nothing else in a PNG
    if is_rgb and codes[:2] != bytes([UNSPECIFIED, UNSPECIFIED]):
        return ColourSignal(codes[0], codes[1], is_narrow=codes[3] == 0, goes_before_profile=True)
    if b"sRGB" in chunks:
        return None
    with suppress(struct.error, ZeroDivisionError):
        gamma = 100_000 / struct.unpack(">I", chunks[b"gAMA"])[0] if b"gAMA" in chunks else None
        points = struct.unpack(">8I", chunks[b"cHRM"]) if b"cHRM" in chunks else None
        chromaticities = tuple(value / 100_000 for value in points) if points else None
        return ColourSignal(gamma=gamma, chromaticities=chromaticities) if gamma or points else None
    return None


def exif_signal(exif: bytes) -> ColourSignal | None:
    """Return what the interoperability rule of an EXIF block says: ``R03`` is Adobe RGB (DCF 2.0, 3.4); None else.

    Not where the colour space beside it is sRGB: editors that convert a picture say so there and leave the rule.
    """
    is_adobe = exif_interoperability(exif) == b"R03" and exif_colour_space(exif) != EXIF_SRGB
    return ColourSignal(gamma=ADOBE_GAMMA, chromaticities=ADOBE_RGB) if is_adobe else None


def heif_signal(data: bytes) -> ColourSignal | None:
    """Return what the ``colr`` box of the primary item of an AVIF or HEIC says (ISO/IEC 14496-12, 12.1.5).

    A picture has its properties by association (ISO/IEC 23008-12, 9.3): those of its alpha or thumbnail are others.
    """
    with suppress(struct.error, StopIteration, IndexError):
        meta = next(box for box in _boxes(data) if box[0] == b"meta")[1][4:]
        parts = dict(_boxes(meta))
        primary = int.from_bytes(parts[b"pitm"][4:], "big") if b"pitm" in parts else 0
        properties = list(_boxes(parts.get(b"iprp", b"")))
        known = [box for kind, body in properties if kind == b"ipco" for box in _boxes(body)]
        for number in (one for kind, body in properties if kind == b"ipma" for one in _associated(body, primary)):
            kind, body = known[number - 1]
            if kind == b"colr" and body[:4] == b"nclx":
                return ColourSignal(*struct.unpack_from(">HH", body, 4))
    return None


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and content of the boxes that follow each other in ``data`` (ISO/IEC 14496-12, 4.2)."""
    start = 0
    while start + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1:
            (size,), head = struct.unpack_from(">Q", data, start + 8), 16
        stop = start + size if size else len(data)
        if stop < start + head:
            return
        yield kind, data[start + head : stop]
        start = stop


def _associated(body: bytes, item: int) -> Iterator[int]:
    """Yield the numbers, from 1 on, of the properties that an ``ipma`` box associates with an item."""
    version, is_wide, (count,) = body[0], body[3] & 1, struct.unpack_from(">I", body, 4)
    position = 8
    for _ in range(count):
        number, many = struct.unpack_from(">HB" if version < 1 else ">IB", body, position)
        position += 3 if version < 1 else 5
        found = struct.unpack_from(f">{many}{'H' if is_wide else 'B'}", body, position)
        position += many * (2 if is_wide else 1)
        if number == item:
            yield from (one & (0x7FFF if is_wide else 0x7F) for one in found)
