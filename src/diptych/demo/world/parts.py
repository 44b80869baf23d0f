"""What a thing or a figure is made of: parts with a paint each, on a plane from -1 to 1."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from diptych.demo.world.shapes import Floats, Plane, Point


class ThingPart(NamedTuple):
    """One piece of a thing.

    Attributes:
        paint: ``main``, ``light`` and ``dark`` are the thing's own colour; others are named in ``palette.PAINTS``.
        distance: Signed distance on the plane.
        is_detail: Whether it is too small to be outlined or textured, as an eye is.
    """

    paint: str
    distance: Floats
    is_detail: bool = False


Draw: TypeAlias = Callable[[Plane], tuple[ThingPart, ...]]


class Kind(NamedTuple):
    """A kind of thing.

    Attributes:
        draw: From a plane to its parts, those behind first.
        half_width: It lies within this distance of its middle, left and right.
        half_height: The same, up and down.
        middle: Where on its plane that middle is.
        may_tilt: Whether it also looks right a little turned.
    """

    draw: Draw
    half_width: float
    half_height: float
    middle: Point
    may_tilt: bool = False

    def parts(self, plane: Plane) -> tuple[ThingPart, ...]:
        """Return its parts on a plane whose origin is to be its middle."""
        return self.draw(plane.moved(-self.middle[0], -self.middle[1]))
