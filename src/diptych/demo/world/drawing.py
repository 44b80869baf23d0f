"""From a scene to pixels, at any size, the same bytes on every machine."""

import numpy as np
import numpy.typing as npt

from diptych.demo.world.backdrops import UNITS, draw_backdrop, plane_of
from diptych.demo.world.figures import OCCUPATIONS
from diptych.demo.world.palette import paint_of, shades_of
from diptych.demo.world.scenes import Figure, Scene, Thing
from diptych.demo.world.shapes import Plane
from diptych.demo.world.styles import STYLES, PaintLayer, Sheet
from diptych.demo.world.textures import texture
from diptych.demo.world.things import KINDS
from diptych.demo.world.truth import pixel_box

MIN_SIZE = 16
PEN = 0.02  # thickness of a line as a share of the side


def draw(scene: Scene, size: int = 64) -> npt.NDArray[np.uint8]:
    """Return the picture of a scene: uint8 RGB (size, size, 3), sRGB in [0, 255].

    Outside the boxes of ``truth.truth_of`` it is the picture of the background alone.

    Raises:
        ValueError: If ``size`` is below 16.
    """
    if size < MIN_SIZE:
        raise ValueError(f"size {size} is too small to draw a scene; the least is {MIN_SIZE}")
    pixels = draw_backdrop(scene.background, size, scene.horizon, scene.seed)
    sheet = Sheet(pixels, texture(size, scene.seed % 8), max(PEN * size, 1.2))
    style = STYLES[scene.style]
    style.prepare(sheet)
    for thing in (*scene.things, *((scene.figure,) if scene.figure else ())):
        window, layers = _place(thing, sheet)
        style.paint(window, layers)
    return np.floor(np.minimum(np.maximum(pixels, 0.0), 255.0) + 0.5).astype(np.uint8)


def _place(thing: Thing | Figure, sheet: Sheet) -> tuple[Sheet, list[PaintLayer]]:
    """Return the window of the sheet that a thing lies in, and its parts there."""
    size = len(sheet.pixels)
    left, top, right, bottom = pixel_box(thing, size)
    whole = plane_of(size)
    plane = Plane((whole.u[:, left:right] - thing.x) / thing.radius, (whole.v[top:bottom] - thing.y) / thing.radius)
    if isinstance(thing, Thing) and thing.tilt:
        plane = plane.turned(thing.tilt / 64.0)
    if thing.is_mirrored:
        plane = plane.mirrored()
    if isinstance(thing, Figure):
        parts, shades = OCCUPATIONS[thing.occupation].parts(plane), shades_of(thing.hat)
    else:
        parts, shades = KINDS[thing.kind].parts(plane), shades_of(thing.colour)
    scale = thing.radius * size / UNITS
    window = sheet.window(slice(top, bottom), slice(left, right))
    return window, [PaintLayer(paint_of(part.paint, shades), part.distance * scale, part.is_detail) for part in parts]
