"""Tiles of a compressed grid: what compression makes of equal ones is told from what different ones differ in."""

import io
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from diptych.generate.imported.tile_flaws import ALIKE, TiledGrid, hue_differs, luma_differs

PHOTOS = Path(__file__).parents[4] / "shared/real/photos/dreambooth"
SIZE = 256  # a whole number of the blocks of both formats
CODECS = [("JPEG", quality, {"subsampling": chroma}) for quality in (75, 95) for chroma in (0, 2)]
CODECS += [("WEBP", quality, {}) for quality in (75, 95)]
WORDS = ("SALE 10%", "SALE 70%", "SAIE 10%", "SALE 18%")
Tile = Callable[[int], Image.Image]


def page(text: str, place: tuple[int, int], *, size: int = 22, ink: tuple[int, int, int] = (0, 0, 0)) -> Image.Image:
    made = Image.new("RGB", (SIZE, SIZE), (240, 240, 235))
    ImageDraw.Draw(made).text(place, text, ink, ImageFont.load_default(size))
    return made


def sky(number: int) -> Image.Image:
    stars = np.random.default_rng(number).integers(2, SIZE - 3, (100, 2))
    levels = np.full((SIZE, SIZE, 3), (8, 8, 24), np.uint8)
    for top, left in stars:
        levels[top : top + 2, left : left + 2] = 255
    return Image.fromarray(levels)


def faint_sky(number: int) -> Image.Image:
    made = Image.new("RGB", (SIZE, SIZE), (8, 8, 24))
    made.putpixel((100 + 30 * number, 90), (170, 170, 180))
    return made


def scene(number: int) -> Image.Image:
    random = np.random.default_rng(number)
    made = Image.new("RGB", (SIZE, SIZE), tuple(random.integers(0, 256, 3).tolist()))
    for left, top, wide, *colour in random.integers(0, 256, (12, 6)).tolist():
        ImageDraw.Draw(made).ellipse((left, top, left + wide // 2, top + wide // 2), tuple(colour))
    return made


def noise(number: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(number).integers(0, 256, (SIZE, SIZE, 3), np.uint8))


DRAWN: dict[str, Tile] = {
    "skies": sky,
    "faint skies": faint_sky,
    "signs": lambda number: page(WORDS[number], (70, 120)),
    "small signs": lambda number: page(WORDS[number], (70, 120), size=11),
    "pale signs": lambda number: page(WORDS[number], (70, 120), ink=(200, 200, 195)),
    "signs of one luma": lambda number: page(
        "SALE", (70, 120), ink=[(200, 40, 40), (40, 126, 40), (40, 40, 200), (120, 80, 20)][number]
    ),
    "words at the outer edge": lambda number: page(f"page {number}", (3, 1), size=11),
    "words at the inner edge": lambda number: page(f"p {number}", (SIZE - 28, SIZE - 14), size=11),
    "scenes": scene,
    "noise": noise,
}


def grid(tiles: list[Image.Image]) -> Image.Image:
    width, height = tiles[0].size
    made = Image.new("RGB", (2 * width, 2 * height))
    for number, tile in enumerate(tiles):
        made.paste(tile, (number % 2 * width, number // 2 * height))
    return made


def compressed(picture: Image.Image, kind: str, quality: int, chroma: dict[str, int]) -> TiledGrid:
    file = io.BytesIO()
    picture.save(file, kind, quality=quality, **chroma)
    return TiledGrid(Image.open(file).convert("RGB"), 2, 2)


def flaws(grid: TiledGrid) -> list[str]:
    """Return the first word of what is wrong with each tile; empty where nothing is."""
    return [(grid.flaw(number) or "").partition(":")[0] for number in range(4)]


def differences(grid: TiledGrid) -> Iterator[float]:
    for one, other in combinations(range(4), 2):
        differing = grid.tile(one) - grid.tile(other)
        contrast = np.maximum(grid.contrast(one), grid.contrast(other))
        yield max(luma_differs(differing, contrast), hue_differs(differing))


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize(("kind", "quality", "chroma"), CODECS)
def test_small_differences_are_four_pictures_and_equal_tiles_one(
    name: str, kind: str, quality: int, chroma: dict[str, int]
) -> None:
    different = compressed(grid([DRAWN[name](number) for number in range(4)]), kind, quality, chroma)
    equal = compressed(grid([DRAWN[name](1)] * 4), kind, quality, chroma)
    assert flaws(different) == [""] * 4
    assert flaws(equal) == ["", *["repeated"] * 3]
    assert "the same picture as tile 0 of the grid" in (equal.flaw(3) or "")
    assert min(differences(different)) > 1.2 * ALIKE
    assert max(differences(equal)) < 0.95 * ALIKE


@pytest.mark.parametrize("size", [200, 250])
def test_equal_tiles_are_one_picture_where_blocks_lie_otherwise_in_each(size: int) -> None:
    for tile in (scene(3), sky(3)):
        pasted = grid([tile.resize((size, size))] * 4)
        assert flaws(compressed(pasted, "JPEG", 90, {"subsampling": 2})) == ["", *["repeated"] * 3]
        assert flaws(compressed(pasted, "WEBP", 85, {})) == ["", *["repeated"] * 3]


@pytest.mark.parametrize("size", [SIZE, 250])
@pytest.mark.parametrize(("kind", "quality", "chroma"), CODECS)
def test_what_neighbours_bleed_into_a_blank_tile_leaves_it_blank(
    size: int, kind: str, quality: int, chroma: dict[str, int]
) -> None:
    red = Image.new("RGB", (SIZE, SIZE), (230, 10, 10))
    for around in ([noise(1), noise(2), noise(3)], [red, sky(1), scene(2)]):
        tiles = [tile.resize((size, size)) for tile in (Image.new("RGB", (SIZE, SIZE), (255, 255, 255)), *around)]
        found = flaws(compressed(grid(tiles), kind, quality, chroma))
        assert found == ["one_coloured", "one_coloured" if around[0] is red else "", "", ""]


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="no photographs at ../shared")
def test_photographs_that_repeat_are_told_in_webp_too() -> None:
    for file in sorted(PHOTOS.glob("*/01.jpg"))[::3]:
        photo = Image.open(file).convert("RGB").resize((512, 512))
        assert max(differences(compressed(grid([photo] * 4), "WEBP", 75, {}))) < 0.95 * ALIKE, file
