"""Image containers: the bytes that make pixels, the size that the header claims, orientation and colour profile.

Only bytes are read here; nothing is decoded. ``diptych.data.images`` hands the result to a PIL plugin.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from diptych.errors import DecodeError

MAX_SCANS = 100  # of a JPEG; no encoder writes more, and each is a pass over the whole picture, however small the file
MAX_ICC_BYTES = 4 * 1024**2


class Essentials(NamedTuple):
    """The bytes that make pixels; beside them the size that the header claims, EXIF block and colour profile."""

    data: bytes
    size: tuple[int, int] | None = None
    exif: bytes = b""
    icc: bytes = b""


def jpeg_essentials(data: bytes) -> Essentials:
    """Keep the segments before the first scan that bear on decoding, and all after it (ITU-T T.81, annex B)."""
    kept, size, exif, icc, position = [b"\xff\xd8"], None, b"", dict[bytes, bytes](), 2
    segments = re.compile(rb"\xff[^\xff\0\x01\xd0-\xd8]")  # not fill bytes, nor markers that stand alone
    while (marker := segments.search(data, position)) and marker[0] not in {b"\xff\xd9", b"\xff\xda"}:
        position = marker.end() + max(2, int.from_bytes(data[marker.end() : marker.end() + 2], "big"))
        kind, body = marker[0][1], data[marker.end() + 2 : position]
        if kind == 0xE1 and body.startswith(b"Exif\0\0"):
            exif = exif or body
        elif kind == 0xE2 and body.startswith(b"ICC_PROFILE\0"):
            icc[body[12:13]] = body[14:]
        elif not 0xE0 <= kind <= 0xEF or re.match(rb"JFIF\0.{9}|Adobe.{7}", body, re.DOTALL):
            kept.append(data[marker.start() : position])
        if 0xC0 <= kind <= 0xCF and kind not in {0xC4, 0xC8, 0xCC} and len(body) >= 5:
            size = int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big")
    scans = (kind for kind, _, _ in _jpeg_segments(data) if kind == 0xDA)
    if next(islice(scans, MAX_SCANS, None), None):
        raise DecodeError("corrupt", f"jpeg: more than {MAX_SCANS} scans")
    kept.append(data[marker.start() :] if marker else b"")
    return Essentials(b"".join(kept), size, exif, b"".join(icc[part] for part in sorted(icc)))


def jpeg_head(data: bytes) -> tuple[tuple[int, int] | None, bytes]:
    """Return size and EXIF block as the segments before the frame header give them; copies nothing else.

    The size is None where the segments do not follow each other as they should (ITU-T T.81, annex B).
    """
    exif, position = b"", 2
    while position + 9 <= len(data) and data[position] == 0xFF:
        kind = data[position + 1]
        if kind == 0xFF:  # fill byte
            position += 1
            continue
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, position + 5)
            return (width, height), exif
        if kind in (0x00, 0xD8, 0xD9, 0xDA):
            break
        stop = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if kind == 0xE1 and not exif and data.startswith(b"Exif\0\0", position + 4):
            exif = data[position + 4 : stop]
        position = stop
    return None, exif


class JpegScan(NamedTuple):
    """What a scan of a JPEG holds: components, first and last coefficient, and how many bits it leaves to later ones.

    The coefficients are those of a block in zigzag order, 0 to 63.
    """

    components: frozenset[int]
    first: int
    last: int
    bits_left: int


def jpeg_scans(data: bytes) -> Iterator[JpegScan]:
    """Yield the scans of a JPEG, as their headers have them (ITU-T T.81, B.2.3); one is found when it is asked for."""
    for kind, start, stop in _jpeg_segments(data):
        body = data[start + 2 : stop]
        if kind == 0xDA and body and len(body) == 2 * body[0] + 4:
            first, last, bits = body[-3:]
            yield JpegScan(frozenset(body[1:-3:2]), first, last, bits & 15)


def jpeg_components(data: bytes) -> frozenset[int]:
    """Return the components that the frame header of a JPEG promises (ITU-T T.81, B.2.2); none where there is none."""
    for kind, start, stop in _jpeg_segments(data):
        if 0xC0 <= kind <= 0xCF and kind not in {0xC4, 0xC8, 0xCC}:
            return frozenset(data[start + 8 : stop : 3])
    return frozenset()


def jpeg_has_end(data: bytes) -> bool:
    """Return whether a JPEG has an end marker."""
    return any(kind == 0xD9 for kind, _, _ in _jpeg_segments(data))


def jpeg_end(data: bytes) -> int:
    """Return where the last scan of a JPEG ends; data behind its end marker, a second picture, is not looked at."""
    end = next((start for kind, start, _ in _jpeg_segments(data) if kind == 0xD9), len(data))
    return len(data[:end].rstrip(b"\xff"))  # without fill bytes


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield kind, start and end of each segment, from its length on; of the end marker its own place, and no more."""
    marker, position = re.compile(rb"\xff[^\xff\0\x01\xd0-\xd8]"), 2  # no stuffed byte, none that stands alone
    while found := marker.search(data, position):
        kind, start = found[0][1], found.end()
        if kind == 0xD9:
            yield kind, found.start(), start
            return
        position = start + max(2, int.from_bytes(data[start : start + 2], "big"))
        yield kind, start, position


def png_essentials(data: bytes) -> Essentials:
    """Keep the chunks that make the default image (PNG, third edition, chapter 11); of an APNG that is the cover.

    Raises:
        DecodeError: If the checksum of one is wrong: what it holds may decode, but is not what was written.
    """
    kept, exif, icc, start = [data[:8]], b"", b"", 8
    while start < len(data) and kept[-1][4:8] != b"IEND":
        length, kind = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8]
        body, end = slice(start + 8, start + 8 + length), start + 12 + length
        if kind in {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}:
            if not png_chunk_is_whole(data, start, end):
                raise DecodeError("corrupt", f"png: the checksum of its {kind.decode()} is wrong")
            kept.append(data[start:end])
        elif not png_chunk_is_whole(data, start, end):
            pass
        elif kind == b"eXIf":
            exif = data[body]
        elif kind == b"iCCP":
            with suppress(zlib.error):
                icc = zlib.decompressobj().decompress(data[body].partition(b"\0")[2][1:], MAX_ICC_BYTES)
        start = end
    return Essentials(b"".join(kept), struct.unpack_from(">II", data, 16), exif, icc)


def png_chunk_is_whole(data: bytes, start: int, end: int) -> bool:
    """Return whether the checksum of a chunk of a PNG is right; one that the data cuts short has none."""
    return end > len(data) or zlib.crc32(data[start + 4 : end - 4]) == int.from_bytes(data[end - 4 : end], "big")


def gif_essentials(data: bytes) -> Essentials:
    """Find the size of the canvas, which the first frame may widen (GIF89a, sections 18 and 20)."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    position = 13 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0)
    while data[position] == 0x21:
        position += 2
        while data[position]:
            position += 1 + data[position]
        position += 1
    if data[position] == 0x2C:
        left, top, frame_width, frame_height = struct.unpack_from("<HHHH", data, position + 1)
        width, height = max(width, left + frame_width), max(height, top + frame_height)
    return Essentials(data, (width, height))


def avif_essentials(data: bytes) -> Essentials:
    """Rename the EXIF item: the container's own orientation is the one that counts (ISO/IEC 23000-22, 7.3.6.7)."""
    return Essentials(re.sub(rb"(infe(?:\x02.{7}|\x03.{9}))Exif", rb"\1skip", data, flags=re.DOTALL))


def pnm_essentials(data: bytes) -> Essentials:
    """Find the size in the header."""
    size = re.match(rb"P\d\s*(?:#[^\n]*\n\s*)*(\d+)\s+(\d+)", data[:1024])
    return Essentials(data, (int(size[1]), int(size[2])) if size else None)


_TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_TIFF_SCALARS = {256, 257, 259, 262, 266, 277, 278, 284, 317, 322, 323, 512, 531}
_TIFF_LISTS = {258, 273, 279, 292, 293, 320, 324, 325, 338, 339, 347, 513, 514, 515, 519, 520, 521, 529, 530, 532}


class _Directory(NamedTuple):
    """A directory of a TIFF, which is also what an EXIF block is."""

    layout: tuple[str, str, str]  # struct codes: byte order, number of entries, offset
    span: slice
    tags: dict[int, tuple[int, int, bytes, memoryview]]  # type, count, field, value; cut short where the bytes end

    def scalar(self, tag: int) -> int:
        """Return the first value of a tag of integers, 0 where there is none."""
        kind, _, _, value = self.tags.get(tag, (1, 0, b"", memoryview(b"")))
        return int.from_bytes(value[: _TIFF_SIZES[kind]], "little" if self.layout[0] == "<" else "big")


def _read_directory(data: bytes, start: int | None = None) -> _Directory:
    """Return the entries of known type (TIFF 6.0, section 2, and BigTIFF) of the directory there, or the first one."""
    order = {b"II": "<", b"MM": ">"}[data[:2]]
    counter, word = ("Q", "Q") if 43 in data[2:4] else ("H", "L")
    if start is None:
        (start,) = struct.unpack_from(order + word, data, 8 if word == "Q" else 4)
    (count,) = struct.unpack_from(order + counter, data, start)
    entry = struct.Struct(f"{order}HH{word}{struct.calcsize(order + word)}s")
    first, tags = start + struct.calcsize(counter), dict[int, tuple[int, int, bytes, memoryview]]()
    there = min(count, (len(data) - first) // entry.size)
    for number, kind, length, field in entry.iter_unpack(data[first : first + there * entry.size]):
        size = length * _TIFF_SIZES.get(kind, 0)
        (offset,) = struct.unpack(order + word, field) if size > len(field) else (0,)
        value = memoryview(data if size > len(field) else field)[offset : offset + size]
        if size:
            tags.setdefault(number, (kind, length, field, value))
    return _Directory(
        (order, counter, word), slice(start, first + count * entry.size + struct.calcsize(order + word)), tags
    )


def tiff_essentials(data: bytes) -> Essentials:
    """Keep the tags that make pixels, with one value where one is due, and cut the chain to further pages."""
    (order, counter, word), span, tags = directory = _read_directory(data)
    if span.stop - 8 > len(data):
        raise DecodeError("truncated", "tiff: its directory lies beyond the end")
    entries, total = [], 0
    for number in sorted(tags.keys() & (_TIFF_SCALARS | _TIFF_LISTS)):
        kind, count, field, value = tags[number]
        if len(value) < count * _TIFF_SIZES[kind]:
            raise DecodeError("truncated", f"tiff: the value of tag {number} lies beyond the end")
        if number in _TIFF_SCALARS:
            count, field = 1, bytes(value[: len(field)]).ljust(len(field), b"\0")
        entries.append(struct.pack(f"{order}HH{word}", number, kind, count) + field)
        total += len(value)
    if total > len(data):
        raise DecodeError("corrupt", "tiff: its tags claim more bytes than the file has")
    page = struct.pack(order + counter, len(entries)) + b"".join(entries)
    kept = data[: span.start] + page.ljust(span.stop - span.start, b"\0") + data[span.stop :]
    icc = bytes(tags[34675][3]) if 34675 in tags else b""
    size = (directory.scalar(256), directory.scalar(257)) if {256, 257} <= tags.keys() else None
    return Essentials(kept, size, data, icc)


def exif_orientation(exif: bytes) -> int:
    """Return the orientation that an EXIF block gives, 1 (upright) where the block is damaged."""
    with suppress(KeyError, OverflowError, struct.error):
        return _read_directory(exif.removeprefix(b"Exif\0\0")).scalar(274)
    return 1


def exif_colour_space(exif: bytes) -> int:
    """Return the colour space that an EXIF block names (EXIF 2.32, 4.6.5, tag 40961): 1 is sRGB; 0 without one."""
    data = exif.removeprefix(b"Exif\0\0")
    with suppress(KeyError, OverflowError, struct.error):
        return _read_directory(data, _read_directory(data).scalar(34665)).scalar(40961)
    return 0


def exif_values(exif: bytes, tags: tuple[int, ...]) -> dict[int, bytes]:
    """Return the bytes of some tags of an EXIF block, the picture's before the camera's; none where it is damaged."""
    data, found = exif.removeprefix(b"Exif\0\0"), dict[int, bytes]()
    with suppress(KeyError, OverflowError, struct.error):
        picture = _read_directory(data)
        found = {tag: bytes(picture.tags[tag][3]) for tag in tags if tag in picture.tags}
        camera = _read_directory(data, picture.scalar(34665)) if 34665 in picture.tags else picture
        found |= {tag: bytes(camera.tags[tag][3]) for tag in tags if tag in camera.tags and tag not in found}
    return found


def exif_interoperability(exif: bytes) -> bytes:
    """Return the interoperability rule that an EXIF block names (EXIF 2.32, 4.6.3.3 and 4.6.8), empty without one."""
    data = exif.removeprefix(b"Exif\0\0")
    with suppress(KeyError, OverflowError, struct.error):
        camera = _read_directory(data, _read_directory(data).scalar(34665))
        if 40965 in camera.tags:
            return bytes(_read_directory(data, camera.scalar(40965)).tags[1][3])[:3]
    return b""
