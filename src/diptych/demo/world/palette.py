"""The colours of the world: ten that captions name, their shades, and the paints that belong to things.

Decides which RGB triple a name stands for; values are sRGB in [0, 255], chosen by eye.
"""

from typing import NamedTuple, TypeAlias

Rgb: TypeAlias = tuple[float, float, float]

COLOURS: dict[str, Rgb] = {
    "black": (46, 42, 52),
    "blue": (62, 120, 204),
    "brown": (142, 92, 60),
    "green": (74, 158, 84),
    "orange": (242, 138, 40),
    "pink": (243, 142, 180),
    "purple": (136, 84, 176),
    "red": (216, 58, 54),
    "white": (252, 250, 245),
    "yellow": (250, 206, 62),
}

PAINTS: dict[str, Rgb] = {
    "beak": (238, 164, 72),
    "blush": (236, 146, 122),
    "coffee": (98, 66, 50),
    "cream": (250, 236, 210),
    "denim": (92, 130, 176),
    "doll": (222, 176, 130),
    "glass": (206, 230, 240),
    "ink": (62, 52, 62),
    "lamp": (255, 236, 158),
    "leaf": (104, 166, 92),
    "linen": (246, 244, 238),
    "metal": (196, 200, 208),
    "navy": (60, 70, 98),
    "paper": (252, 249, 240),
    "plum": (98, 78, 104),
    "pollen": (255, 226, 130),
    "scrubs": (140, 202, 196),
    "signal": (216, 74, 66),
    "slate": (88, 92, 104),
    "smock": (206, 222, 234),
    "tan": (214, 166, 104),
    "vest": (246, 222, 84),
    "water": (120, 190, 232),
    "white": (253, 252, 248),
    "wood": (156, 112, 76),
}

SHADE = 0.74
TINT = 0.5


class Shades(NamedTuple):
    """One named colour as a thing wears it."""

    main: Rgb
    dark: Rgb
    light: Rgb


def shades_of(name: str) -> Shades:
    """Return a colour with its darker and lighter neighbours.

    >>> shades_of("red").dark
    (159.84, 42.92, 39.96)
    """
    red, green, blue = COLOURS[name]
    return Shades(
        (red, green, blue),
        (red * SHADE, green * SHADE, blue * SHADE),
        (red + (255 - red) * TINT, green + (255 - green) * TINT, blue + (255 - blue) * TINT),
    )


def paint_of(name: str, shades: Shades) -> Rgb:
    """Return the colour of a paint: ``main``, ``dark`` and ``light`` are the thing's own, the rest is in ``PAINTS``."""
    if name in PAINTS:
        return PAINTS[name]
    rgb: Rgb = getattr(shades, name)
    return rgb
