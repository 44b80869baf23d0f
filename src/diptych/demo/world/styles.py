"""Drawing styles: how the parts of a thing, and the sheet below them, become pixels.

A style is two functions: ``prepare`` changes the finished background, ``paint`` lays one thing on it. To add one: the
two functions, a line in ``STYLES`` (alphabetical), its words in ``words``. The colours stay those that a caption names.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from diptych.demo.world.palette import PAINTS, Rgb
from diptych.demo.world.shapes import Floats, union
from diptych.demo.world.textures import Texture

SHADOW: Rgb = (70, 60, 80)


class PaintLayer(NamedTuple):
    """One part, ready to be painted: its colour, its signed distance in pixels (H, W), whether it is a detail."""

    rgb: Rgb
    distance: Floats
    is_detail: bool


class Sheet(NamedTuple):
    """A picture being drawn, or a window of it.

    Attributes:
        pixels: float64 (H, W, 3), sRGB in [0, 255]; painted in place.
        texture: The patterns of the paper, (H, W).
        pen: Thickness of a line in pixels.
    """

    pixels: Floats
    texture: Texture
    pen: float

    def window(self, rows: slice, columns: slice) -> "Sheet":
        """Return a window that paints on the same pixels."""
        return Sheet(self.pixels[rows, columns], self.texture.window(rows, columns), self.pen)


class Style(NamedTuple):
    """A way of drawing."""

    prepare: Callable[[Sheet], None]
    paint: Callable[[Sheet, Sequence[PaintLayer]], None]


def blend(pixels: Floats, rgb: Rgb, share: Floats) -> None:
    """Mix a colour into pixels (H, W, 3) by a share in [0, 1] per pixel (H, W), in place."""
    touched = share > 0.0
    rows, columns = np.flatnonzero(touched.any(axis=1)), np.flatnonzero(touched.any(axis=0))
    if not len(rows):
        return
    # Most parts touch a small piece of their window.
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    piece = pixels[window]
    piece += (np.array(rgb, np.float64) - piece) * share[window][:, :, np.newaxis]


def covered(distance: Floats) -> Floats:
    """Return how much of each pixel a shape covers, in [0, 1], from its signed distance in pixels."""
    return np.minimum(np.maximum(0.5 - distance, 0.0), 1.0)


def _leave(sheet: Sheet) -> None:
    """Change nothing."""


def _flat(sheet: Sheet, layers: Sequence[PaintLayer]) -> None:
    for layer in layers:
        blend(sheet.pixels, layer.rgb, covered(layer.distance))


def _outlined(sheet: Sheet, layers: Sequence[PaintLayer]) -> None:
    half = sheet.pen / 2.0
    for layer in layers:
        if not layer.is_detail:
            blend(sheet.pixels, PAINTS["ink"], covered(layer.distance - half))
        blend(sheet.pixels, layer.rgb, covered(layer.distance + (0.0 if layer.is_detail else half)))


def _crayon_sheet(sheet: Sheet) -> None:
    paper = np.array(PAINTS["paper"], np.float64)
    share = 0.3 + 0.55 * sheet.texture.tooth[:, :, np.newaxis]
    sheet.pixels[:] = paper + (sheet.pixels - paper) * share


def _crayon(sheet: Sheet, layers: Sequence[PaintLayer]) -> None:
    grain, tooth = sheet.texture.grain, sheet.texture.tooth
    wobble = sheet.pen * (0.25 * grain + 0.35 * sheet.texture.mottle)
    wax = 0.5 + 0.5 * tooth
    line = 0.35 + 0.55 * tooth
    for layer in layers:
        if layer.is_detail:
            blend(sheet.pixels, layer.rgb, covered(layer.distance) * (0.75 + 0.25 * tooth))
            continue
        edge = layer.distance + wobble
        inside = covered(edge)
        blend(sheet.pixels, PAINTS["paper"], 0.8 * inside)  # so that wax on wax stays legible
        blend(sheet.pixels, layer.rgb, wax * inside)
        dark = (layer.rgb[0] * 0.68, layer.rgb[1] * 0.68, layer.rgb[2] * 0.68)
        blend(sheet.pixels, dark, covered(np.abs(edge) - sheet.pen * 0.55) * line)


def _paper_cut_sheet(sheet: Sheet) -> None:
    sheet.pixels[:] += 5.0 * sheet.texture.fibre[:, :, np.newaxis]


def _paper_cut(sheet: Sheet, layers: Sequence[PaintLayer]) -> None:
    shift = max(1, int(0.7 * sheet.pen + 0.5))
    for layer in layers:
        if not layer.is_detail:
            shade = covered(layer.distance[:-shift, :-shift] / shift)
            blend(sheet.pixels[shift:, shift:], SHADOW, 0.4 * shade)
        blend(sheet.pixels, layer.rgb, covered(layer.distance))
    fibre = sheet.texture.fibre * covered(_silhouette(layers))
    sheet.pixels[:] += 6.0 * fibre[:, :, np.newaxis]


def _watercolour_sheet(sheet: Sheet) -> None:
    paper = np.array(PAINTS["paper"], np.float64)
    share = 0.68 + 0.24 * sheet.texture.mottle + 0.06 * sheet.texture.grain
    sheet.pixels[:] = paper + (sheet.pixels - paper) * share[:, :, np.newaxis]


def _watercolour(sheet: Sheet, layers: Sequence[PaintLayer]) -> None:
    pen, mottle = sheet.pen, sheet.texture.mottle
    wobble = pen * (0.6 * mottle + 0.15 * sheet.texture.grain)
    wash = 0.84 + 0.15 * mottle
    for layer in layers:
        if layer.is_detail:
            blend(sheet.pixels, layer.rgb, 0.85 * covered(layer.distance))
            continue
        edge = layer.distance + wobble
        from_rim = edge / (1.1 * pen)
        rim = 0.4 / (1.0 + from_rim * from_rim)  # pigment gathers where a wash dries last
        inside = covered(edge * 0.8)
        blend(sheet.pixels, PAINTS["paper"], 0.85 * inside)
        blend(sheet.pixels, layer.rgb, inside * np.minimum(wash + rim, 1.0))


def _silhouette(layers: Sequence[PaintLayer]) -> Floats:
    return union(*(layer.distance for layer in layers if not layer.is_detail))


# The order is that of the draw in ``scenes``: alphabetical, and part of what a seed stands for.
STYLES: dict[str, Style] = {
    "crayon": Style(_crayon_sheet, _crayon),
    "flat": Style(_leave, _flat),
    "outlined": Style(_leave, _outlined),
    "paper cut": Style(_paper_cut_sheet, _paper_cut),
    "watercolour": Style(_watercolour_sheet, _watercolour),
}
