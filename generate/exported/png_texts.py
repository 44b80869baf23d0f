"""Texts put into a PNG; its other chunks, and so its pixels, stay as they are."""

import struct
import zlib
from collections.abc import Mapping

from diptych.data.images import decode
from diptych.generate.imported.tools.texts import BadText, image_texts
from diptych.generate.pictures import encode_image

HEAD = 33  # bytes of signature and header


def as_png(data: bytes) -> bytes:
    """Return a picture as PNG: itself if it is one, else its pixels without loss."""
    return data if data.startswith(b"\x89PNG\r\n\x1a\n") else encode_image(decode(data), "png")


def with_texts(data: bytes, texts: Mapping[str, str]) -> bytes:
    """Return a PNG with texts by their keys; one that has a key already keeps what it says there."""
    try:
        known = set(image_texts(data))
    except BadText:
        known = set()
    chunks = [_chunk(key, text) for key, text in texts.items() if key not in known]
    return data[:HEAD] + b"".join(chunks) + data[HEAD:]


def _chunk(key: str, text: str) -> bytes:
    """Return an iTXt chunk (PNG, third edition, 11.3.3.4): not compressed, no language, no translated key."""
    body = b"iTXt" + key.encode("latin-1") + b"\0\0\0\0\0" + text.encode()
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
