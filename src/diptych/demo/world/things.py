"""What each kind of thing looks like: its parts, in paints, on a plane from -1 to 1.

To add one: a function, a line in ``KINDS`` (alphabetical), its words in ``words``. Decides no colour (``main`` is the
colour that the caption names), no place and no style.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from diptych.demo.world.shapes import (
    Floats,
    Plane,
    Point,
    below,
    box,
    circle,
    ellipse,
    intersection,
    polygon,
    polyline,
    ring,
    segment,
    union,
    without,
)


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


def apple(plane: Plane) -> tuple[ThingPart, ...]:
    """A round apple with a leaf."""
    body = union(ellipse(plane, (-0.3, 0.2), (0.58, 0.7)), ellipse(plane, (0.3, 0.2), (0.58, 0.7)))
    return (
        ThingPart("wood", segment(plane, (0.0, -0.4), (0.08, -0.82), 0.07)),
        ThingPart("leaf", intersection(circle(plane, (0.32, -0.36), 0.42), circle(plane, (0.38, -0.98), 0.42))),
        ThingPart("main", body),
        ThingPart("light", ellipse(plane, (-0.5, 0.0), (0.12, 0.22)), True),
    )


def balloon(plane: Plane) -> tuple[ThingPart, ...]:
    """A balloon on its string."""
    string = polyline(plane, ((0.0, 0.42), (0.07, 0.62), (-0.07, 0.8), (0.0, 0.97)), 0.025)
    return (
        ThingPart("ink", string, True),
        ThingPart("main", polygon(plane, ((-0.12, 0.5), (0.12, 0.5), (0.0, 0.3)))),
        ThingPart("main", ellipse(plane, (0.0, -0.27), (0.6, 0.7))),
        ThingPart("light", ellipse(plane, (-0.24, -0.52), (0.1, 0.18)), True),
    )


def bird(plane: Plane) -> tuple[ThingPart, ...]:
    """A bird, looking right."""
    return (
        ThingPart("beak", segment(plane, (-0.12, 0.6), (-0.12, 0.86), 0.05)),
        ThingPart("beak", segment(plane, (0.16, 0.6), (0.16, 0.86), 0.05)),
        ThingPart("dark", polygon(plane, ((-0.4, 0.05), (-0.97, -0.3), (-0.9, 0.12), (-0.45, 0.4)))),
        ThingPart("beak", polygon(plane, ((0.66, -0.5), (0.66, -0.18), (0.98, -0.32)))),
        ThingPart("main", union(ellipse(plane, (-0.02, 0.16), (0.62, 0.52)), circle(plane, (0.4, -0.36), 0.4))),
        ThingPart("dark", ellipse(plane, (-0.16, 0.14), (0.34, 0.25))),
        ThingPart("white", circle(plane, (0.5, -0.42), 0.12), True),
        ThingPart("ink", circle(plane, (0.53, -0.42), 0.065), True),
    )


def boat(plane: Plane) -> tuple[ThingPart, ...]:
    """A sailing boat."""
    return (
        ThingPart("wood", box(plane, (0.0, -0.2), (0.05, 0.72))),
        ThingPart("white", polygon(plane, ((0.12, -0.86), (0.12, 0.2), (0.82, 0.2)))),
        ThingPart("light", polygon(plane, ((-0.12, -0.7), (-0.12, 0.2), (-0.66, 0.2)))),
        ThingPart("main", polygon(plane, ((-0.94, 0.34), (0.94, 0.34), (0.6, 0.84), (-0.6, 0.84)), corner=0.03)),
        ThingPart("dark", box(plane, (0.0, 0.38), (0.94, 0.07), corner=0.05)),
    )


def butterfly(plane: Plane) -> tuple[ThingPart, ...]:
    """A butterfly with open wings."""
    mirrored = Plane(abs(plane.u), plane.v)
    return (
        ThingPart("ink", polyline(mirrored, ((0.02, -0.4), (0.14, -0.68), (0.26, -0.78)), 0.03), True),
        ThingPart("dark", ellipse(mirrored, (0.42, 0.38), (0.38, 0.4))),
        ThingPart("main", ellipse(mirrored, (0.5, -0.26), (0.46, 0.46))),
        ThingPart("light", circle(mirrored, (0.54, -0.28), 0.19), True),
        ThingPart("light", circle(mirrored, (0.44, 0.42), 0.13), True),
        ThingPart("ink", segment(plane, (0.0, -0.4), (0.0, 0.52), 0.09)),
    )


def car(plane: Plane) -> tuple[ThingPart, ...]:
    """A car, driving right."""
    cabin = polygon(plane, ((-0.56, 0.06), (-0.36, -0.42), (0.24, -0.42), (0.56, 0.06)), corner=0.06)
    glass = union(
        polygon(plane, ((-0.4, 0.0), (-0.27, -0.3), (-0.07, -0.3), (-0.07, 0.0))),
        polygon(plane, ((0.06, 0.0), (0.06, -0.3), (0.19, -0.3), (0.38, 0.0))),
    )
    wheels = union(circle(plane, (-0.52, 0.36), 0.24), circle(plane, (0.52, 0.36), 0.24))
    hubs = union(circle(plane, (-0.52, 0.36), 0.1), circle(plane, (0.52, 0.36), 0.1))
    return (
        ThingPart("main", cabin),
        ThingPart("glass", glass, True),
        ThingPart("main", box(plane, (0.0, 0.18), (0.96, 0.24), corner=0.16)),
        ThingPart("lamp", ellipse(plane, (0.86, 0.12), (0.08, 0.08)), True),
        ThingPart("ink", wheels),
        ThingPart("metal", hubs, True),
    )


def cat(plane: Plane) -> tuple[ThingPart, ...]:
    """A sitting cat."""
    mirrored = Plane(abs(plane.u), plane.v)
    return (
        ThingPart("dark", polyline(plane, ((0.3, 0.8), (0.72, 0.72), (0.78, 0.36)), 0.1)),
        ThingPart("main", ellipse(plane, (0.0, 0.5), (0.5, 0.46))),
        ThingPart("light", ellipse(plane, (0.0, 0.6), (0.24, 0.3)), True),
        ThingPart("main", polygon(mirrored, ((0.06, -0.66), (0.48, -0.94), (0.56, -0.4)), corner=0.03)),
        ThingPart("main", ellipse(plane, (0.0, -0.28), (0.6, 0.48))),
        ThingPart("white", ellipse(mirrored, (0.25, -0.32), (0.13, 0.15)), True),
        ThingPart("ink", ellipse(mirrored, (0.24, -0.31), (0.07, 0.11)), True),
        ThingPart("ink", polygon(plane, ((-0.08, -0.14), (0.08, -0.14), (0.0, -0.04)), corner=0.01), True),
    )


def disc(plane: Plane) -> tuple[ThingPart, ...]:
    """A circle."""
    return (ThingPart("main", circle(plane, (0.0, 0.0), 0.9)),)


def cup(plane: Plane) -> tuple[ThingPart, ...]:
    """A cup with a handle on the right."""
    return (
        ThingPart("dark", ring(plane, (0.5, 0.08), 0.32, 0.15)),
        ThingPart("main", polygon(plane, ((-0.66, -0.42), (0.5, -0.42), (0.38, 0.7), (-0.54, 0.7)), corner=0.08)),
        ThingPart("light", polygon(plane, ((-0.52, -0.2), (-0.42, -0.2), (-0.36, 0.5), (-0.44, 0.5))), True),
        ThingPart("dark", ellipse(plane, (-0.08, -0.48), (0.66, 0.17))),
        ThingPart("coffee", ellipse(plane, (-0.08, -0.46), (0.54, 0.11)), True),
    )


def fish(plane: Plane) -> tuple[ThingPart, ...]:
    """A fish, swimming right."""
    return (
        ThingPart("dark", polygon(plane, ((-0.4, 0.0), (-0.92, -0.44), (-0.78, 0.0), (-0.92, 0.44)), corner=0.04)),
        ThingPart("dark", polygon(plane, ((-0.2, -0.3), (0.1, -0.62), (0.36, -0.3)), corner=0.05)),
        ThingPart("main", ellipse(plane, (0.16, 0.0), (0.78, 0.46))),
        ThingPart("light", ellipse(plane, (0.02, 0.08), (0.2, 0.12)), True),
        ThingPart("white", circle(plane, (0.58, -0.1), 0.14), True),
        ThingPart("ink", circle(plane, (0.61, -0.1), 0.075), True),
    )


PETALS: tuple[Point, ...] = ((0.0, -0.76), (0.437, -0.443), (0.27, 0.07), (-0.27, 0.07), (-0.437, -0.443))


def flower(plane: Plane) -> tuple[ThingPart, ...]:
    """A flower with five petals, a stem and two leaves."""
    leaves = union(ellipse(plane, (0.24, 0.66), (0.25, 0.12)), ellipse(plane, (-0.24, 0.76), (0.25, 0.12)))
    return (
        ThingPart("leaf", segment(plane, (0.0, 0.1), (0.0, 0.92), 0.055)),
        ThingPart("leaf", leaves),
        *(ThingPart("main", circle(plane, (0.86 * u, 0.86 * v - 0.08), 0.29)) for u, v in PETALS),
        ThingPart("pollen", circle(plane, (0.0, -0.37), 0.22)),
    )


def heart(plane: Plane) -> tuple[ThingPart, ...]:
    """A heart."""
    mirrored = Plane(abs(plane.u), plane.v)
    lower = polygon(mirrored, ((-0.2, -0.3), (0.0, -0.42), (0.812, 0.007), (0.0, 0.88), (-0.2, 0.67)))
    return (
        ThingPart("main", union(circle(mirrored, (0.46, -0.32), 0.48), lower)),
        ThingPart("light", ellipse(plane, (-0.5, -0.42), (0.15, 0.2)), True),
    )


def house(plane: Plane) -> tuple[ThingPart, ...]:
    """A house with a door and two windows."""
    windows = union(box(plane, (-0.36, 0.1), (0.15, 0.15)), box(plane, (0.36, 0.1), (0.15, 0.15)))
    return (
        ThingPart("dark", box(plane, (0.44, -0.6), (0.11, 0.28))),
        ThingPart("main", box(plane, (0.0, 0.36), (0.68, 0.55))),
        ThingPart("lamp", windows, True),
        ThingPart("wood", box(plane, (0.0, 0.6), (0.14, 0.31))),
        ThingPart("dark", polygon(plane, ((-0.9, -0.14), (0.0, -0.88), (0.9, -0.14)), corner=0.03)),
    )


def kite(plane: Plane) -> tuple[ThingPart, ...]:
    """A kite with a tail."""
    tail = polyline(plane, ((0.0, 0.34), (0.12, 0.52), (-0.1, 0.7), (0.06, 0.92)), 0.03)
    bows = union(
        polygon(plane, ((0.1, 0.52), (-0.08, 0.44), (-0.06, 0.62))),
        polygon(plane, ((0.1, 0.52), (0.3, 0.42), (0.28, 0.64))),
        polygon(plane, ((-0.08, 0.7), (-0.28, 0.6), (-0.28, 0.82))),
        polygon(plane, ((-0.08, 0.7), (0.12, 0.64), (0.1, 0.84))),
    )
    sail = polygon(plane, ((0.0, -0.94), (0.6, -0.3), (0.0, 0.4), (-0.6, -0.3)))
    return (
        ThingPart("ink", tail, True),
        ThingPart("dark", bows, True),
        ThingPart("main", sail),
        ThingPart("light", intersection(sail, plane.u, plane.v + 0.3), True),
        ThingPart("light", intersection(sail, -plane.u, -0.3 - plane.v), True),
    )


def mushroom(plane: Plane) -> tuple[ThingPart, ...]:
    """A mushroom with spots on its cap."""
    cap = without(ellipse(plane, (0.0, 0.1), (0.9, 0.94)), below(plane, 0.14))
    spots = union(
        circle(plane, (-0.42, -0.22), 0.15),
        circle(plane, (0.06, -0.5), 0.17),
        circle(plane, (0.46, -0.14), 0.14),
    )
    return (
        ThingPart("cream", polygon(plane, ((-0.22, 0.0), (0.22, 0.0), (0.3, 0.8), (-0.3, 0.8)), corner=0.07)),
        ThingPart("main", cap),
        ThingPart("white", spots, True),
    )


def square(plane: Plane) -> tuple[ThingPart, ...]:
    """A square with round corners."""
    return (ThingPart("main", box(plane, (0.0, 0.0), (0.82, 0.82), corner=0.1)),)


STAR: tuple[Point, ...] = (
    (0.0, -0.9),
    (0.247, -0.29),
    (0.856, -0.228),
    (0.4, 0.18),
    (0.529, 0.778),
    (0.0, 0.47),
    (-0.529, 0.778),
    (-0.4, 0.18),
    (-0.856, -0.228),
    (-0.247, -0.29),
)


def star(plane: Plane) -> tuple[ThingPart, ...]:
    """A star with five points."""
    return (ThingPart("main", polygon(plane, STAR, corner=0.05)),)


def tree(plane: Plane) -> tuple[ThingPart, ...]:
    """A tree with a round crown."""
    crown = union(
        circle(plane, (-0.38, -0.04), 0.42),
        circle(plane, (0.38, -0.04), 0.42),
        circle(plane, (0.0, -0.46), 0.46),
        circle(plane, (0.0, 0.0), 0.36),
    )
    return (
        ThingPart("wood", polygon(plane, ((-0.1, 0.2), (0.1, 0.2), (0.16, 0.92), (-0.16, 0.92)))),
        ThingPart("main", crown),
        ThingPart("light", ellipse(plane, (-0.18, -0.56), (0.14, 0.1)), True),
        ThingPart("light", ellipse(plane, (-0.5, -0.12), (0.12, 0.09)), True),
    )


def triangle(plane: Plane) -> tuple[ThingPart, ...]:
    """A triangle, its point up."""
    return (ThingPart("main", polygon(plane, ((0.0, -0.74), (0.84, 0.7), (-0.84, 0.7)), corner=0.08)),)


def umbrella(plane: Plane) -> tuple[ThingPart, ...]:
    """An open umbrella."""
    dome = without(circle(plane, (0.0, 0.04), 0.94), below(plane, 0.02))
    scallops = union(*(ellipse(plane, (u, 0.06), (0.32, 0.2)) for u in (-0.627, 0.0, 0.627)))
    panel = without(ellipse(plane, (0.0, 0.04), (0.32, 0.94)), below(plane, 0.02))
    canopy = without(dome, scallops)
    return (
        ThingPart("wood", polyline(plane, ((0.0, -0.2), (0.0, 0.78), (0.08, 0.88), (0.2, 0.84), (0.24, 0.72)), 0.05)),
        ThingPart("main", canopy),
        ThingPart("light", intersection(canopy, panel), True),
    )


KINDS: dict[str, Kind] = {
    "apple": Kind(apple, 0.88, 0.9, (0.0, 0.0), True),
    "balloon": Kind(balloon, 0.6, 0.99, (0.0, 0.01), True),
    "bird": Kind(bird, 0.98, 0.84, (0.0, 0.07)),
    "boat": Kind(boat, 0.97, 0.9, (0.0, -0.02), True),
    "butterfly": Kind(butterfly, 0.96, 0.8, (0.0, -0.02), True),
    "car": Kind(car, 0.96, 0.54, (0.0, 0.06)),
    "cat": Kind(cat, 0.74, 0.97, (0.14, 0.0)),
    "circle": Kind(disc, 0.9, 0.9, (0.0, 0.0)),
    "cup": Kind(cup, 0.82, 0.72, (0.08, 0.07)),
    "fish": Kind(fish, 0.95, 0.58, (-0.01, -0.09), True),
    "flower": Kind(flower, 0.67, 1.01, (0.0, -0.02), True),
    "heart": Kind(heart, 0.94, 0.84, (0.0, 0.04), True),
    "house": Kind(house, 0.93, 0.91, (0.0, 0.0)),
    "kite": Kind(kite, 0.6, 0.95, (0.0, 0.01), True),
    "mushroom": Kind(mushroom, 0.9, 0.86, (0.0, 0.02)),
    "square": Kind(square, 0.82, 0.82, (0.0, 0.0), True),
    "star": Kind(star, 0.91, 0.89, (0.0, -0.06), True),
    "tree": Kind(tree, 0.8, 0.92, (0.0, 0.0)),
    "triangle": Kind(triangle, 0.92, 0.8, (0.0, -0.02)),
    "umbrella": Kind(umbrella, 0.94, 0.92, (0.0, 0.01), True),
}
