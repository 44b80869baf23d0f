"""What people make, as parts on a plane."""

from diptych.demo.world.parts import ThingPart
from diptych.demo.world.shapes import (
    Plane,
    below,
    box,
    circle,
    ellipse,
    intersection,
    polygon,
    polyline,
    ring,
    union,
    without,
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


def boat(plane: Plane) -> tuple[ThingPart, ...]:
    """A sailing boat."""
    return (
        ThingPart("wood", box(plane, (0.0, -0.2), (0.05, 0.72))),
        ThingPart("white", polygon(plane, ((0.12, -0.86), (0.12, 0.2), (0.82, 0.2)))),
        ThingPart("light", polygon(plane, ((-0.12, -0.7), (-0.12, 0.2), (-0.66, 0.2)))),
        ThingPart("main", polygon(plane, ((-0.94, 0.34), (0.94, 0.34), (0.6, 0.84), (-0.6, 0.84)), corner=0.03)),
        ThingPart("dark", box(plane, (0.0, 0.38), (0.94, 0.07), corner=0.05)),
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


def cup(plane: Plane) -> tuple[ThingPart, ...]:
    """A cup with a handle on the right."""
    return (
        ThingPart("dark", ring(plane, (0.5, 0.08), 0.32, 0.15)),
        ThingPart("main", polygon(plane, ((-0.66, -0.42), (0.5, -0.42), (0.38, 0.7), (-0.54, 0.7)), corner=0.08)),
        ThingPart("light", polygon(plane, ((-0.52, -0.2), (-0.42, -0.2), (-0.36, 0.5), (-0.44, 0.5))), True),
        ThingPart("dark", ellipse(plane, (-0.08, -0.48), (0.66, 0.17))),
        ThingPart("coffee", ellipse(plane, (-0.08, -0.46), (0.54, 0.11)), True),
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
