"""The texts in a file of a picture, of which no pixel is decoded.

They are the chunks of a PNG, the comments of a JPEG and of a GIF, and the EXIF of PNG, JPEG, WebP and AVIF.
"""

import io
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress

from PIL import AvifImagePlugin

from diptych.data.containers import exif_values, jpeg_head

MAX_TEXT_BYTES = 8 * 2**20  # of all texts of a picture; the graphs of ComfyUI may have a few
MAX_CHUNKS = 10_000
# Tag -> the name of the text: EXIF 2.32, 4.6.4 and 4.6.5. ComfyUI keeps its graphs in Make and Model.
EXIF_TAGS = {0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model", 0x0131: "Software", 0x9286: "UserComment"}
COMMENT = "Comment"  # the key of a comment without one: as PNG's, where the same programs write the same
CODES = {b"ASCII\0\0\0": "ascii", b"\0\0\0\0\0\0\0\0": "utf-8"}  # of UserComment, beside UNICODE

ORDER_MARK = "\ufeff"  # says how the bytes of a text are ordered, and is none of it
ORDERS = (b"\xff\xfe", b"\xfe\xff")  # that mark in UTF-16


class BadText(ValueError):
    """A text that cannot be read."""


def image_texts(data: bytes) -> dict[str, str]:
    """Return the texts of a picture by their keys; of those with one key, the first.

    Raises:
        BadText: If one is damaged, or all of them are longer than anybody means.
    """
    found: dict[str, str] = {}
    size = 0
    for key, text in _texts(data):
        size += len(text)
        if size > MAX_TEXT_BYTES:
            raise BadText(f"{key}: more than {MAX_TEXT_BYTES >> 20} MiB of text")
        found.setdefault(key, text.removeprefix(ORDER_MARK))
    return found


def _texts(data: bytes) -> Iterator[tuple[str, str]]:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        yield from _png_texts(data)
    elif data.startswith(b"\xff\xd8\xff"):
        try:
            exif = jpeg_head(data)[1]
        except struct.error as error:
            raise BadText("the head of the JPEG is cut") from error
        yield from _exif_texts(exif)
        yield from ((COMMENT, _latin_or_utf8(body).rstrip("\0")) for body in _jpeg_comments(data))
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        yield from _exif_texts(_webp_exif(data))
    elif data[:6] in (b"GIF87a", b"GIF89a"):
        yield from ((COMMENT, _latin_or_utf8(body)) for body in _gif_comments(data))
    elif data[4:8] == b"ftyp" and b"avi" in data[8:40]:
        yield from _exif_texts(_avif_exif(data))


def _jpeg_comments(data: bytes) -> Iterator[bytes]:
    """Yield the comments before the scans of a JPEG (ITU-T T.81, B.2.4.5)."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        kind = data[position + 1]
        if kind == 0xFF:  # fill byte
            position += 1
            continue
        stop = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if kind in (0xD9, 0xDA) or not position + 4 <= stop <= len(data):
            return
        if kind == 0xFE:
            yield data[position + 4 : stop]
        position = stop


def _gif_comments(data: bytes) -> Iterator[bytes]:
    """Yield the comments before the first picture of a GIF (GIF89a, section 24), each of its parts together."""
    position = 13 + (3 * 2 ** ((data[10] & 7) + 1) if len(data) > 10 and data[10] & 0x80 else 0)
    while data[position : position + 1] == b"!":
        label, parts, position = data[position + 1 : position + 2], list[bytes](), position + 2
        while length := int.from_bytes(data[position : position + 1], "big"):
            parts.append(data[position + 1 : position + 1 + length])
            position += 1 + length
        position += 1
        if label == b"\xfe" and position <= len(data):
            yield b"".join(parts)


def _avif_exif(data: bytes) -> bytes:
    """Return the EXIF of an AVIF, as its library finds it; none of a file that this cannot open."""
    try:
        with AvifImagePlugin.AvifImageFile(io.BytesIO(data)) as image:
            return bytes(image.info.get("exif", b""))
    except (OSError, SyntaxError, ValueError, RuntimeError):
        return b""


def _png_texts(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield the texts of a PNG (third edition, 11.3.3), behind the picture too."""
    start = 8
    for _ in range(MAX_CHUNKS):
        if start + 12 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, start)
        body = data[start + 8 : start + 8 + length] if kind in (b"tEXt", b"zTXt", b"iTXt", b"eXIf") else b""
        start += 12 + length
        if kind == b"eXIf":
            yield from _exif_texts(body)
        elif body:
            yield _png_text(kind, body)
    raise BadText(f"more than {MAX_CHUNKS:,} chunks in the PNG")


def _png_text(kind: bytes, body: bytes) -> tuple[str, str]:
    keyword, _, rest = body.partition(b"\0")
    key = keyword.decode("latin-1")
    if kind == b"tEXt":
        return key, _latin_or_utf8(rest)
    if kind == b"zTXt":
        return key, _latin_or_utf8(_inflated(key, rest[1:]))
    is_compressed = rest[:1] == b"\1"
    text = rest[2:].partition(b"\0")[2].partition(b"\0")[2]  # behind language and translated keyword
    return key, (_inflated(key, text) if is_compressed else text).decode("utf-8", "replace")


def _latin_or_utf8(body: bytes) -> str:
    """Return the text of bytes that should be Latin-1, and that some programs write as UTF-8, or as marked UTF-16."""
    if body.startswith(ORDERS):
        return body.decode("utf-16", "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _inflated(key: str, body: bytes) -> bytes:
    inflate = zlib.decompressobj()
    try:
        found = inflate.decompress(body, MAX_TEXT_BYTES + 1)
    except zlib.error as error:
        raise BadText(f"{key}: {error}") from error
    return found


def _webp_exif(data: bytes) -> bytes:
    start = 12
    for _ in range(MAX_CHUNKS):
        if start + 8 > len(data):
            break
        kind, length = struct.unpack_from("<4sI", data, start)
        if kind == b"EXIF":
            return data[start + 8 : start + 8 + length]
        start += 8 + length + length % 2
    return b""


def _exif_texts(exif: bytes) -> Iterator[tuple[str, str]]:
    for tag, value in exif_values(exif, tuple(EXIF_TAGS)).items():
        name = EXIF_TAGS[tag]
        text = _comment(value) if name == "UserComment" else value.decode("utf-8", "replace")
        yield name, text.rstrip("\0")


def _comment(value: bytes) -> str:
    """Return the text of a UserComment: eight bytes say how the rest is written.

    UNICODE is UTF-16 in either order of bytes, marked or not (EXIF 2.32), or UTF-8 (3.0); in UTF-16 every sign of ASCII
    has a byte that is zero.
    """
    head, body = value[:8], value[8:]
    if head != b"UNICODE\0":
        return body.decode(CODES[head], "replace") if head in CODES else value.decode("utf-8", "replace")
    if body.startswith(ORDERS):
        return body.decode("utf-16", "replace")
    if 0 not in body.rstrip(b"\0"):
        with suppress(UnicodeDecodeError):
            return body.decode("utf-8")
    is_little = body[1::2].count(0) > body[0::2].count(0)
    return body.decode("utf-16-le" if is_little else "utf-16-be", "replace")


def main_text(texts: Mapping[str, str]) -> str | None:
    """Return what programs of the family of A1111 write: ``parameters`` of a PNG, the comment of others."""
    return next((texts[key] for key in ("parameters", "UserComment", COMMENT) if key in texts), None)
