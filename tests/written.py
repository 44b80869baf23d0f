"""Pictures with something written in them."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from pylopdf_fonts_zh_cn import sans_path

LINE_PX = 60
MARGIN_PX = 20


def written(lines: Sequence[str], *, width: int = 620, size: int = 36) -> Image.Image:
    """Return black lines of text on white, one below the other."""
    image = Image.new("RGB", (width, LINE_PX * len(lines) + 2 * MARGIN_PX), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.truetype(str(sans_path()), size)
    for number, line in enumerate(lines):
        draw.text((MARGIN_PX, MARGIN_PX + LINE_PX * number), line, fill="black", font=font)
    return image
