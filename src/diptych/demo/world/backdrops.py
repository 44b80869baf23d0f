"""Backgrounds: what lies behind the things, from a name, a horizon and a seed.

To add one: a line in ``BACKDROPS`` (alphabetical), its words in ``words``. Nothing in a background looks like a thing
that captions name, and each says which colours would be lost on it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from diptych.demo.world.palette import Rgb
from diptych.demo.world.shapes import Floats, Plane, circle, ellipse, union
from diptych.demo.world.styles import blend, covered

UNITS = 1024  # side of a picture in the units of scenes; a power of two, so that scaling to pixels is exact
STREAM = 102  # keeps the places of ornaments apart from the choices of the scene

Ornament = Callable[[Floats, Plane, list[tuple[int, int]]], None]


class Hill(NamedTuple):
    """Ground that rises to ``rise`` units above the horizon at ``peak`` (in [0, 1] of the width)."""

    rgb: Rgb
    rise: int
    peak: float


class Backdrop(NamedTuple):
    """A background.

    Attributes:
        top: Colour of the upper edge.
        bottom: Colour at the horizon; below it lie the hills, the first one behind.
        hills: The ground.
        ornament: What is strewn over it, from some random points in units.
        lost: Colours of things that cannot be told from it.
    """

    top: Rgb
    bottom: Rgb
    hills: tuple[Hill, ...]
    ornament: Ornament
    lost: frozenset[str] = frozenset()


def plane_of(size: int) -> Plane:
    """Return the centres of the pixels of a square picture in units: float64 (1, size) and (size, 1)."""
    centres = (np.arange(size, dtype=np.float64) + 0.5) * (UNITS / size)
    return Plane(centres[np.newaxis, :], centres[:, np.newaxis])


def draw_backdrop(name: str, size: int, horizon: int, seed: int) -> Floats:
    """Return a background as float64 (size, size, 3), sRGB in [0, 255].

    Args:
        name: One of ``BACKDROPS``.
        size: Side in pixels.
        horizon: Height of the ground in units from the top, in 600..900.
        seed: Where its ornaments lie.
    """
    backdrop = BACKDROPS[name]
    plane = plane_of(size)
    end = horizon if backdrop.hills else UNITS
    share = np.minimum(plane.v / end, 1.0)[:, :, np.newaxis]
    top, bottom = np.array(backdrop.top, np.float64), np.array(backdrop.bottom, np.float64)
    pixels = np.broadcast_to(top + (bottom - top) * share, (size, size, 3)).copy()
    scale = size / UNITS
    for hill in backdrop.hills:
        centre = (hill.peak * UNITS, horizon + 1400.0 - hill.rise)
        blend(pixels, hill.rgb, covered(ellipse(plane, centre, (2600.0, 1400.0)) * scale))
    points = np.random.Generator(np.random.PCG64((STREAM, seed))).integers(0, UNITS, (18, 2)).tolist()
    backdrop.ornament(pixels, plane, [(u, v) for u, v in points])
    return pixels


def _around(pixels: Floats, plane: Plane, point: tuple[int, int], reach: int) -> tuple[Floats, Plane]:
    """Return the pixels and the plane within ``reach`` units of a point."""
    size = len(pixels)
    left, top = (max(0, (place - reach) * size // UNITS) for place in point)
    right, bottom = (max(0, -(-(place + reach) * size // UNITS)) for place in point)
    window = Plane(plane.u[:, left:right], plane.v[top:bottom])
    return pixels[top:bottom, left:right], window


def _bare(_pixels: Floats, _plane: Plane, _points: list[tuple[int, int]]) -> None:
    """Strew nothing."""


def _clouds(pixels: Floats, plane: Plane, points: list[tuple[int, int]]) -> None:
    for u, v in points[:3]:
        place = (u, v // 3 + 40)
        window, near = _around(pixels, plane, place, 150)
        puffs = union(
            ellipse(near, place, (120.0, 34.0)),
            circle(near, (place[0] - 34, place[1] - 20), 40.0),
            circle(near, (place[0] + 36, place[1] - 12), 32.0),
        )
        blend(window, (255, 255, 255), 0.75 * covered(puffs * (len(pixels) / UNITS)))


def _discs(rgb: Rgb, radius: float, lowest: int, opacity: float) -> Ornament:
    """Return an ornament of small discs of a colour, none below ``lowest`` units."""

    def strew(pixels: Floats, plane: Plane, points: list[tuple[int, int]]) -> None:
        scale = len(pixels) / UNITS
        for number, (u, v) in enumerate(points):
            place = (u, v * lowest // UNITS)
            window, near = _around(pixels, plane, place, int(radius) + 16)
            size = radius * (0.55 + 0.15 * (number % 4))
            blend(window, rgb, opacity * covered(circle(near, place, size) * scale))

    return strew


def _dots(pixels: Floats, plane: Plane, points: list[tuple[int, int]]) -> None:
    scale = len(pixels) / UNITS
    step = 128.0
    u = (plane.u + points[0][0]) / step
    v = (plane.v + points[0][1]) / step
    # Every other row is moved by half a step.
    u = u + 0.5 * (np.floor(v) - 2.0 * np.floor(v / 2.0))
    cell = Plane((u - np.floor(u) - 0.5) * step, (v - np.floor(v) - 0.5) * step)
    blend(pixels, (255, 255, 255), 0.8 * covered(circle(cell, (0.0, 0.0), 26.0) * scale))


def _stripes(pixels: Floats, plane: Plane, points: list[tuple[int, int]]) -> None:
    scale = len(pixels) / UNITS
    step = 160.0
    place = (plane.u + plane.v + points[0][0]) / step
    from_middle = np.abs(place - np.floor(place) - 0.5) * step
    blend(pixels, (255, 255, 255), 0.55 * covered((from_middle - 40.0) * scale * 0.7))


BACKDROPS: dict[str, Backdrop] = {
    "beach": Backdrop(
        (190, 228, 244),
        (222, 242, 248),
        (Hill((142, 200, 218), 190, 0.5), Hill((248, 230, 188), 0, 0.2)),
        _bare,
        frozenset({"white"}),
    ),
    "dots": Backdrop((206, 232, 222), (206, 232, 222), (), _dots, frozenset({"white"})),
    "meadow": Backdrop(
        (198, 230, 246),
        (236, 246, 240),
        (Hill((190, 220, 150), 70, 0.75), Hill((168, 208, 128), 0, 0.2)),
        _clouds,
        frozenset({"white"}),
    ),
    "night": Backdrop(
        (30, 36, 74),
        (66, 68, 118),
        (Hill((44, 50, 88), 40, 0.3),),
        _discs((255, 244, 206), 7.0, 640, 0.9),
        frozenset({"black", "blue", "purple"}),
    ),
    "plain": Backdrop((240, 238, 248), (226, 225, 242), (), _bare, frozenset({"white"})),
    "sky": Backdrop((136, 196, 236), (214, 236, 248), (), _clouds, frozenset({"white"})),
    "snow": Backdrop(
        (188, 208, 230),
        (222, 232, 242),
        (Hill((236, 242, 248), 60, 0.8), Hill((250, 251, 253), 0, 0.25)),
        _discs((255, 255, 255), 13.0, 1000, 0.95),
        frozenset({"white"}),
    ),
    "stripes": Backdrop((248, 220, 212), (248, 220, 212), (), _stripes, frozenset({"white", "pink"})),
    "sunset": Backdrop(
        (246, 164, 134),
        (255, 222, 160),
        (Hill((176, 118, 128), 50, 0.7), Hill((136, 92, 112), -30, 0.2)),
        _bare,
        frozenset({"orange", "pink"}),
    ),
}
