"""Picture files made by hand, and what they decode to."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from diptych.data.images import decode


def save(image: PIL.Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").from_pillow(image).save(buffer, **options)
    else:
        image.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(data: bytes) -> npt.NDArray[np.uint8]:
    image = decode(data)
    assert image.mode == "RGB"
    return np.asarray(image)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(size: tuple[int, int], depth: int, colour: int, rows: bytes, *chunks: bytes) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0))
    body = png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + body


SRGB_COLORANTS = ((28578, 14581, 910), (25240, 46982, 6364), (9378, 3971, 46799))


def linear_profile(
    space: bytes,
    colorants: tuple[tuple[int, ...], ...] = SRGB_COLORANTS,
    curve: bytes = b"curv" + bytes(8),
    name: bytes = b"linear",
) -> bytes:
    """Return an ICC profile, without gamma but by its curve: stored 128 means half the light, sRGB 188.

    Args:
        space: Of its channels.
        colorants: XYZ of red, green and blue at the white D50, in 65536ths; those of sRGB are the default.
        curve: The ``curv`` of all channels.
        name: What it calls itself.
    """
    matrix = dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), colorants, strict=True))
    white = struct.pack(">iii", 63190, 65536, 54061)
    tags = {tag: b"XYZ \0\0\0\0" + struct.pack(">iii", *row) for tag, row in matrix.items()} | {
        b"wtpt": b"XYZ \0\0\0\0" + white
    }
    tags |= dict.fromkeys([b"rTRC", b"gTRC", b"bTRC", b"kTRC"], curve)
    described = b"desc" + bytes(4) + struct.pack(">I", len(name) + 1) + name + bytes(80)
    tags |= {b"desc": described, b"cprt": b"text\0\0\0\0none"}
    table, body = struct.pack(">I", len(tags)), b""
    for tag, data in tags.items():
        table += tag + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(data))
        body += data.ljust(-(-len(data) // 4) * 4, b"\0")
    head = struct.pack(">I4sI4s4s4s", 0, b"", 0x02400000, b"mntr", space, b"XYZ ") + bytes(12) + b"acsp" + bytes(28)
    return struct.pack(">I", 128 + len(table + body)) + head[4:] + white + bytes(48) + table + body


def with_chunks(data: bytes, **chunks: bytes) -> bytes:
    """Return a PNG with further chunks behind its header."""
    return data[:33] + b"".join(png_chunk(kind.encode(), body) for kind, body in chunks.items()) + data[33:]


def with_nclx(data: bytes, primaries: int, transfer: int) -> bytes:
    """Return an AVIF or HEIC that says other codes of its colours."""
    place = data.index(b"nclx") + 4
    return data[:place] + struct.pack(">HH", primaries, transfer) + data[place + 4 :]
