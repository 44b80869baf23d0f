"""Animals, plants and what grows on them, as parts on a plane."""

from diptych.demo.world.parts import ThingPart
from diptych.demo.world.shapes import (
    Plane,
    Point,
    below,
    circle,
    ellipse,
    intersection,
    polygon,
    polyline,
    segment,
    union,
    without,
)


def apple(plane: Plane) -> tuple[ThingPart, ...]:
    """A round apple with a leaf."""
    body = union(ellipse(plane, (-0.3, 0.2), (0.58, 0.7)), ellipse(plane, (0.3, 0.2), (0.58, 0.7)))
    return (
        ThingPart("wood", segment(plane, (0.0, -0.4), (0.08, -0.82), 0.07)),
        ThingPart("leaf", intersection(circle(plane, (0.32, -0.36), 0.42), circle(plane, (0.38, -0.98), 0.42))),
        ThingPart("main", body),
        ThingPart("light", ellipse(plane, (-0.5, 0.0), (0.12, 0.22)), True),
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
