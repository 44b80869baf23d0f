import itertools
import struct
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageDraw
import pytest
from image_bytes import pixels, png, png_chunk, save

from diptych.data.images import decode
from diptych.scores.hashes import perceptual_hash


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


@pytest.mark.parametrize(("ink", "ground"), [(255, 0), (240, 0), (190, 0), (120, 255), (0, 255)])
def test_what_is_hardly_seen_on_white_is_laid_on_black(ink: int, ground: int) -> None:
    icon = PIL.Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    icon.putpixel((1, 0), (ink, ink, 255, 255))
    assert pixels(save(icon, "PNG"))[0].tolist() == [[ground] * 3, [ink, ink, 255]]


def test_a_picture_that_is_seen_on_no_ground_is_white() -> None:
    assert pixels(save(PIL.Image.new("RGBA", (2, 1), (9, 9, 9, 0)), "PNG")).min() == 255
    assert pixels(save(PIL.Image.new("RGBA", (2, 1), (255, 255, 255, 255)), "PNG")).min() == 255


def icon(shape: str, *, ink: int = 255, mark: tuple[int, int, int] | None = None, shadow: int = 0) -> bytes:
    """Draw a light shape on transparency, with a small mark or a shadow behind it."""
    image = PIL.Image.new("RGBA", (96, 96), (0, 0, 0, 0))
    draw = PIL.ImageDraw.Draw(image)
    for offset, colour in ((4, (0, 0, 0, shadow)), (0, (ink, ink, ink, 255))):
        box = (20 + offset, 20 + offset, 76 + offset, 76 + offset)
        if shape == "disc":
            draw.ellipse(box, fill=colour)
        elif shape == "square":
            draw.rectangle(box, fill=colour)
        else:
            draw.polygon(
                [(48 + offset, 20 + offset), (76 + offset, 76 + offset), (20 + offset, 76 + offset)], fill=colour
            )
    if mark is not None:
        draw.ellipse((45, 50, 51, 56), fill=(*mark, 255))
    return save(image, "PNG")


@pytest.mark.parametrize("more", [{}, {"mark": (30, 30, 30)}, {"mark": (220, 0, 0)}, {"shadow": 40}, {"shadow": 100}])
def test_white_icons_stay_different_with_a_dark_dot_or_a_shadow_too(more: dict[str, Any]) -> None:
    hashes = [perceptual_hash(decode(icon(shape, **more))) for shape in ("disc", "square", "triangle")]
    distances = [(one ^ other).bit_count() for one, other in itertools.combinations(hashes, 2)]
    assert min(distances) > 4, distances


def test_a_copy_of_a_light_grey_icon_lies_on_the_same_ground() -> None:
    for ink in range(230, 250):
        assert pixels(icon("disc", ink=ink))[0, 0].tolist() == [0, 0, 0]
