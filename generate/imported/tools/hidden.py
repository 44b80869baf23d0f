"""Texts hidden in the lowest bits of a PNG's transparency, where NovelAI and extensions of A1111 write them.

They outlive what cuts the chunks of texts off. The lowest bit of each alpha value, column by column, spells a mark of
15 bytes, the number of bits that follow (four bytes, big-endian) and the text: UTF-8 behind ``stealth_pnginfo``,
gzip of it behind ``stealth_pngcomp``. It is an infotext, or the object of the texts by their keys (NovelAI).
Source: NovelAI/novelai-image-metadata, ``nai_meta.py``. Variants in the bits of red, green and blue are not read.
"""

import io
import zlib

import PIL.Image
from PIL import PngImagePlugin

from diptych.data.containers import png_essentials
from diptych.data.pixel_limit import MAX_PIXELS
from diptych.errors import DecodeError
from diptych.generate.imported.tools.said import json_object
from diptych.generate.imported.tools.texts import MAX_TEXT_BYTES, BadText

PLAIN, PACKED = b"stealth_pnginfo", b"stealth_pngcomp"
HEAD_BYTES = len(PLAIN) + 4
WITH_ALPHA = b"\x08\x06"  # bit depth 8, colour type 6: where the header of a PNG has them
GZIP = 31  # wbits of zlib: 32 KiB of window, behind a gzip header


def hidden_texts(data: bytes) -> dict[str, str]:
    """Return the texts that a picture's transparency hides, by their keys; none for a picture that hides none.

    Only a PNG of 8 bits with an alpha channel is decoded; one that does not decode hides nothing.

    Raises:
        BadText: If there is a mark and the text behind it is cut, damaged, or longer than anybody means.
    """
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[24:26] != WITH_ALPHA:
        return {}
    bits = _lowest_bits(data)
    head = _bytes(bits, 0, HEAD_BYTES)
    mark, size = head[: len(PLAIN)], int.from_bytes(head[len(PLAIN) :], "big") // 8
    if mark not in (PLAIN, PACKED):
        return {}
    body = _bytes(bits, HEAD_BYTES, min(size, MAX_TEXT_BYTES + 1))
    if len(body) < min(size, MAX_TEXT_BYTES + 1):
        raise BadText(f"{mark.decode()}: {len(body):,} of {size:,} bytes are there")
    text = _unpacked(body) if mark == PACKED else body
    if len(text) > MAX_TEXT_BYTES:
        raise BadText(f"{mark.decode()}: more than {MAX_TEXT_BYTES >> 20} MiB of text")
    return _by_key(text.decode("utf-8", "replace"))


def _lowest_bits(data: bytes) -> bytes:
    """Return the lowest bits of the alpha channel, a byte each, column by column; none if it does not decode."""
    try:
        essentials = png_essentials(data)
        width, height = essentials.size or (0, 0)
        if not 0 < width * height <= MAX_PIXELS:
            return b""
        image: PIL.Image.Image = PngImagePlugin.PngImageFile(io.BytesIO(essentials.data))
        image.load()
    except (DecodeError, OSError, SyntaxError, ValueError, zlib.error):
        return b""
    columns = image.getchannel("A").transpose(PIL.Image.Transpose.TRANSPOSE)
    return columns.point([value & 1 for value in range(256)]).tobytes()


def _bytes(bits: bytes, start: int, count: int) -> bytes:
    """Return some of the bytes that the bits spell, the highest bit first; fewer where they end."""
    part = bits[8 * start : 8 * (start + count)]
    spelt = part[: len(part) // 8 * 8].translate(bytes.maketrans(b"\0\1", b"01"))
    return int(spelt, 2).to_bytes(len(spelt) // 8, "big") if spelt else b""


def _unpacked(body: bytes) -> bytes:
    inflate = zlib.decompressobj(GZIP)
    try:
        found = inflate.decompress(body, MAX_TEXT_BYTES + 1)
    except zlib.error as error:
        raise BadText(f"{PACKED.decode()}: {error}") from error
    if not inflate.eof and len(found) <= MAX_TEXT_BYTES:
        raise BadText(f"{PACKED.decode()}: the gzip is cut")
    return found


def _by_key(text: str) -> dict[str, str]:
    """Return the texts of an object that says which program wrote it; of any other text, what A1111 would write."""
    try:
        said = json_object(text)
    except ValueError as error:
        raise BadText(f"hidden texts: {error}") from error
    if said is None or "Software" not in said:
        return {"parameters": text}
    return {key: value for key, value in said.items() if isinstance(value, str)}
