"""Pixels to files: PNG and WebP without loss, fast rather than small, the same bytes for the same pixels."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image

Pixels = npt.NDArray[np.uint8]

# PNG level 1 takes a quarter of the time of Pillow's default and a sixth more bytes; WebP without loss at method 0 is
# four times as fast again and smaller.
OPTIONS: dict[str, dict[str, Any]] = {
    "png": {"compress_level": 1},
    "webp": {"lossless": True, "quality": 0, "method": 0},
}


def encode(pixels: Pixels, format: str) -> bytes:
    """Return the file of a picture.

    Args:
        pixels: RGB (height, width, 3).
        format: ``png`` or ``webp``.
    """
    return encode_image(PIL.Image.fromarray(pixels), format)


def encode_image(image: PIL.Image.Image, format: str) -> bytes:
    """Return the file of an RGB image, as ``encode`` does."""
    file = io.BytesIO()
    image.save(file, format.upper(), **OPTIONS[format])
    return file.getvalue()
