"""Shapes that are nothing but themselves, as parts on a plane."""

from diptych.demo.world.parts import ThingPart
from diptych.demo.world.shapes import (
    Plane,
    Point,
    box,
    circle,
    ellipse,
    polygon,
    union,
)


def disc(plane: Plane) -> tuple[ThingPart, ...]:
    """A circle."""
    return (ThingPart("main", circle(plane, (0.0, 0.0), 0.9)),)


def heart(plane: Plane) -> tuple[ThingPart, ...]:
    """A heart."""
    mirrored = Plane(abs(plane.u), plane.v)
    lower = polygon(mirrored, ((-0.2, -0.3), (0.0, -0.42), (0.812, 0.007), (0.0, 0.88), (-0.2, 0.67)))
    return (
        ThingPart("main", union(circle(mirrored, (0.46, -0.32), 0.48), lower)),
        ThingPart("light", ellipse(plane, (-0.5, -0.42), (0.15, 0.2)), True),
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


def triangle(plane: Plane) -> tuple[ThingPart, ...]:
    """A triangle, its point up."""
    return (ThingPart("main", polygon(plane, ((0.0, -0.74), (0.84, 0.7), (-0.84, 0.7)), corner=0.08)),)
