import struct

import numpy as np
import PIL.Image
import pytest
from image_bytes import pixels, png, png_chunk, save


def test_transparency_is_laid_on_white() -> None:
    clear = PIL.Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    clear.putpixel((1, 0), (200, 0, 0, 128))
    grey = png((2, 1), 16, 0, struct.pack(">BHH", 0, 999, 40_000), png_chunk(b"tRNS", struct.pack(">H", 999)))
    palette = PIL.Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((1, 0), 1)
    for data, expected in (
        *((save(clear, kind, lossless=True), [[255] * 3, [227, 127, 127]]) for kind in ("PNG", "TIFF", "WEBP")),
        (save(clear.convert("LA"), "PNG"), [[255] * 3, [157] * 3]),
        (save(palette, "PNG", transparency=0), [[255] * 3, [40, 50, 60]]),
        (save(palette, "PNG", transparency=b"\xff\x00"), [[10, 20, 30], [255] * 3]),
        (save(palette, "GIF", transparency=1), [[10, 20, 30], [255] * 3]),
        (grey, [[255] * 3, [156] * 3]),
        (png((2, 1), 8, 2, b"\0\1\2\3\4\5\6", png_chunk(b"tRNS", struct.pack(">3H", 1, 2, 3))), [[255] * 3, [4, 5, 6]]),
    ):
        assert np.abs(pixels(data)[0].astype(int) - expected).max() <= 1


@pytest.mark.parametrize(("ink", "ground"), [(255, 0), (240, 0), (238, 255), (0, 255)])
def test_what_would_vanish_on_white_is_laid_on_black(ink: int, ground: int) -> None:
    icon = PIL.Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    icon.putpixel((1, 0), (ink, ink, 255, 255))
    assert pixels(save(icon, "PNG"))[0].tolist() == [[ground] * 3, [ink, ink, 255]]


def test_a_picture_that_is_seen_on_no_ground_is_white() -> None:
    assert pixels(save(PIL.Image.new("RGBA", (2, 1), (9, 9, 9, 0)), "PNG")).min() == 255
    assert pixels(save(PIL.Image.new("RGBA", (2, 1), (255, 255, 255, 255)), "PNG")).min() == 255
