"""Figures: wooden dolls that wear the dress of an occupation, hold its tool and wear a hat.

The colour of the hat (paint ``main``) is the world's only attribute of a person, a neutral stand-in for a protected
one: dolls have no skin, sex or age. To add an occupation: a function, a line in ``OCCUPATIONS`` (alphabetical), its
words in ``words``.
"""

from diptych.demo.world.parts import Kind, ThingPart
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

HATS = ("orange", "purple")
HEAD: Point = (0.0, -0.34)
HAND: Point = (0.5, 0.3)
TORSO = ((-0.24, 0.02), (0.24, 0.02), (0.34, 0.62), (-0.34, 0.62))


def _doll(plane: Plane, coat: str, trousers: str) -> tuple[ThingPart, ...]:
    """Return the doll without hat and tool: legs, arms, coat and face."""
    mirrored = Plane(abs(plane.u), plane.v)
    arms = union(segment(plane, (0.22, 0.1), HAND, 0.1), segment(plane, (-0.22, 0.1), (-0.46, 0.42), 0.1))
    hands = union(circle(plane, HAND, 0.1), circle(plane, (-0.46, 0.42), 0.1))
    return (
        ThingPart("ink", ellipse(mirrored, (0.18, 0.93), (0.17, 0.07))),
        ThingPart(trousers, box(mirrored, (0.16, 0.74), (0.12, 0.18), corner=0.04)),
        ThingPart(coat, arms),
        ThingPart("doll", hands),
        ThingPart(coat, polygon(plane, TORSO, corner=0.07)),
        ThingPart("doll", ellipse(plane, HEAD, (0.3, 0.3))),
        ThingPart("ink", ellipse(mirrored, (0.11, -0.3), (0.035, 0.05)), True),
        ThingPart("ink", _smile(plane), True),
        ThingPart("blush", circle(mirrored, (0.19, -0.2), 0.05), True),
    )


def _smile(plane: Plane) -> Floats:
    return intersection(ring(plane, (0.0, -0.24), 0.1, 0.035), below(plane, -0.22))


def _cap(plane: Plane, brim: float) -> Floats:
    """Return a half dome over the head with a straight brim of the given half width."""
    dome = without(ellipse(plane, (0.0, -0.46), (0.31, 0.3)), below(plane, -0.46))
    return union(dome, box(plane, (0.0, -0.47), (brim, 0.05), corner=0.05))


def builder(plane: Plane) -> tuple[ThingPart, ...]:
    """A builder in a safety vest, with a hammer."""
    stripes = union(box(plane, (0.0, 0.24), (0.35, 0.04)), box(plane, (0.0, 0.44), (0.38, 0.04)))
    return (
        *_doll(plane, "vest", "denim"),
        ThingPart("metal", intersection(stripes, polygon(plane, TORSO, corner=0.06)), True),
        ThingPart("main", _cap(plane, 0.42)),
        ThingPart("dark", box(plane, (0.0, -0.66), (0.06, 0.14), corner=0.05)),
        ThingPart("wood", segment(plane, (0.5, 0.5), (0.5, -0.08), 0.055)),
        ThingPart("metal", box(plane, (0.48, -0.16), (0.19, 0.1), corner=0.03)),
        ThingPart("doll", circle(plane, HAND, 0.1)),
    )


def cook(plane: Plane) -> tuple[ThingPart, ...]:
    """A cook in a white jacket, with a frying pan."""
    buttons = union(*(circle(Plane(abs(plane.u), plane.v), (0.1, v), 0.035) for v in (0.16, 0.32, 0.48)))
    puffs = union(
        circle(plane, (-0.2, -0.78), 0.17), circle(plane, (0.2, -0.78), 0.17), circle(plane, (0.0, -0.82), 0.18)
    )
    return (
        *_doll(plane, "linen", "slate"),
        ThingPart("ink", buttons, True),
        ThingPart("signal", polygon(plane, ((-0.14, 0.0), (0.14, 0.0), (0.0, 0.14)), corner=0.02)),
        ThingPart("main", union(puffs, box(plane, (0.0, -0.6), (0.26, 0.12)))),
        ThingPart("dark", box(plane, (0.0, -0.52), (0.27, 0.06), corner=0.03)),
        ThingPart("slate", segment(plane, (0.5, 0.34), (0.56, 0.02), 0.05)),
        ThingPart("slate", ellipse(plane, (0.6, -0.2), (0.26, 0.24))),
        ThingPart("linen", ellipse(plane, (0.6, -0.2), (0.15, 0.13)), True),
        ThingPart("pollen", circle(plane, (0.6, -0.2), 0.07), True),
        ThingPart("doll", circle(plane, HAND, 0.1)),
    )


def doctor(plane: Plane) -> tuple[ThingPart, ...]:
    """A doctor in a white coat, with a stethoscope and a first-aid bag."""
    tube = union(
        intersection(ring(plane, (0.0, 0.04), 0.17, 0.05), below(plane, 0.04)),
        segment(plane, (0.0, 0.2), (0.0, 0.36), 0.025),
    )
    cross = union(box(plane, (0.54, 0.58), (0.11, 0.035)), box(plane, (0.54, 0.58), (0.035, 0.11)))
    return (
        *_doll(plane, "linen", "scrubs"),
        ThingPart("scrubs", polygon(plane, ((-0.1, -0.02), (0.1, -0.02), (0.0, 0.16)), corner=0.03), True),
        ThingPart("slate", tube, True),
        ThingPart("metal", circle(plane, (0.0, 0.39), 0.06), True),
        ThingPart("main", _cap(plane, 0.32)),
        ThingPart("white", circle(plane, (0.0, -0.61), 0.1), True),
        ThingPart(
            "signal", union(box(plane, (0.0, -0.61), (0.06, 0.02)), box(plane, (0.0, -0.61), (0.02, 0.06))), True
        ),
        ThingPart("slate", ring(plane, (0.54, 0.42), 0.11, 0.06)),
        ThingPart("signal", box(plane, (0.54, 0.58), (0.24, 0.17), corner=0.05)),
        ThingPart("white", cross, True),
        ThingPart("doll", circle(plane, HAND, 0.1)),
    )


def firefighter(plane: Plane) -> tuple[ThingPart, ...]:
    """A firefighter in a dark coat with bright stripes, with a hose that gives water."""
    stripes = union(box(plane, (0.0, 0.3), (0.36, 0.045)), box(plane, (0.0, 0.52), (0.4, 0.045)))
    drops = union(circle(plane, (0.78, -0.12), 0.055), circle(plane, (0.86, -0.28), 0.065))
    jet = polygon(plane, ((0.58, 0.12), (0.66, -0.24), (0.84, -0.06)), corner=0.02)
    return (
        *_doll(plane, "navy", "navy"),
        ThingPart("vest", intersection(stripes, polygon(plane, TORSO, corner=0.06)), True),
        ThingPart("main", union(_cap(plane, 0.44), polygon(plane, ((0.0, -0.5), (-0.5, -0.36), (-0.3, -0.5))))),
        ThingPart(
            "pollen", polygon(plane, ((-0.09, -0.7), (0.09, -0.7), (0.07, -0.55), (0.0, -0.5), (-0.07, -0.55))), True
        ),
        ThingPart("water", union(jet, drops), True),
        ThingPart("signal", polyline(plane, ((0.5, 0.28), (0.44, 0.56), (0.6, 0.76), (0.84, 0.8)), 0.065)),
        ThingPart("metal", segment(plane, (0.49, 0.34), (0.6, 0.12), 0.06)),
        ThingPart("doll", circle(plane, HAND, 0.1)),
    )


def gardener(plane: Plane) -> tuple[ThingPart, ...]:
    """A gardener in green dungarees, with a watering can."""
    bib = polygon(plane, ((-0.17, 0.16), (0.17, 0.16), (0.34, 0.62), (-0.34, 0.62)), corner=0.06)
    straps = segment(Plane(abs(plane.u), plane.v), (0.14, 0.2), (0.18, 0.0), 0.04)
    can = polygon(plane, ((0.4, 0.44), (0.7, 0.44), (0.74, 0.78), (0.36, 0.78)), corner=0.03)
    return (
        *_doll(plane, "cream", "leaf"),
        ThingPart("leaf", union(bib, straps)),
        ThingPart("main", ellipse(plane, (0.0, -0.46), (0.56, 0.11))),
        ThingPart("main", without(ellipse(plane, (0.0, -0.46), (0.3, 0.34)), below(plane, -0.44))),
        ThingPart("dark", box(plane, (0.0, -0.53), (0.29, 0.045)), True),
        ThingPart("metal", segment(plane, (0.7, 0.7), (0.92, 0.46), 0.045)),
        ThingPart("metal", segment(plane, (0.87, 0.4), (0.97, 0.5), 0.045)),
        ThingPart("metal", ring(plane, (0.53, 0.42), 0.14, 0.07)),
        ThingPart("metal", can),
        ThingPart("doll", circle(plane, HAND, 0.1)),
    )


def mail_carrier(plane: Plane) -> tuple[ThingPart, ...]:
    """A mail carrier in a blue coat with a bag, with a letter."""
    flap = polyline(plane, ((0.35, 0.02), (0.58, 0.17), (0.81, 0.02)), 0.02)
    return (
        *_doll(plane, "denim", "slate"),
        ThingPart("wood", segment(plane, (0.22, 0.02), (-0.36, 0.5), 0.04)),
        ThingPart("wood", box(plane, (-0.42, 0.6), (0.22, 0.17), corner=0.05)),
        ThingPart("lamp", box(plane, (-0.42, 0.6), (0.05, 0.04)), True),
        ThingPart("main", union(_cap(plane, 0.31), box(plane, (0.14, -0.45), (0.34, 0.05), corner=0.05))),
        ThingPart("lamp", circle(plane, (0.0, -0.6), 0.065), True),
        ThingPart("white", box(plane, (0.58, 0.16), (0.26, 0.17), corner=0.02)),
        ThingPart("slate", flap, True),
        ThingPart("signal", circle(plane, (0.58, 0.18), 0.05), True),
        ThingPart("doll", circle(plane, (0.46, 0.33), 0.1)),
    )


def musician(plane: Plane) -> tuple[ThingPart, ...]:
    """A musician in a dark suit, with a guitar."""
    body = union(circle(plane, (-0.14, 0.46), 0.25), circle(plane, (0.13, 0.34), 0.18))
    strings = segment(plane, (-0.2, 0.48), (0.66, 0.1), 0.015)
    return (
        *_doll(plane, "plum", "slate"),
        ThingPart(
            "main", union(box(plane, (0.0, -0.5), (0.42, 0.055), corner=0.05), box(plane, (0.0, -0.7), (0.25, 0.22)))
        ),
        ThingPart("light", box(plane, (0.0, -0.58), (0.25, 0.045)), True),
        ThingPart("tan", body),
        ThingPart("wood", segment(plane, (0.05, 0.38), (0.72, 0.07), 0.055)),
        ThingPart("slate", box(plane, (0.76, 0.04), (0.11, 0.08), corner=0.03)),
        ThingPart("slate", circle(plane, (0.04, 0.38), 0.09), True),
        ThingPart("cream", strings, True),
        ThingPart("doll", union(circle(plane, (0.46, 0.24), 0.1), circle(plane, (-0.28, 0.38), 0.1))),
    )


def painter(plane: Plane) -> tuple[ThingPart, ...]:
    """A painter in a smock with spots of paint, with a brush and a palette."""
    board = without(ellipse(plane, (-0.48, 0.44), (0.32, 0.24)), circle(plane, (-0.36, 0.54), 0.06))
    blobs = (("signal", (-0.66, 0.42)), ("pollen", (-0.54, 0.32)), ("leaf", (-0.38, 0.32)), ("denim", (-0.6, 0.56)))
    return (
        *_doll(plane, "smock", "slate"),
        ThingPart("signal", circle(plane, (0.1, 0.3), 0.055), True),
        ThingPart("pollen", circle(plane, (0.18, 0.5), 0.06), True),
        ThingPart("leaf", circle(plane, (-0.06, 0.56), 0.05), True),
        ThingPart(
            "main", union(ellipse(plane, (0.08, -0.6), (0.42, 0.17)), segment(plane, (0.1, -0.7), (0.13, -0.82), 0.04))
        ),
        ThingPart("tan", board),
        *(ThingPart(paint, circle(plane, place, 0.065), True) for paint, place in blobs),
        ThingPart("wood", segment(plane, (0.44, 0.44), (0.64, -0.08), 0.04)),
        ThingPart("metal", segment(plane, (0.64, -0.08), (0.67, -0.16), 0.055)),
        ThingPart("signal", segment(plane, (0.68, -0.2), (0.72, -0.32), 0.065)),
        ThingPart("doll", circle(plane, HAND, 0.1)),
    )


OCCUPATIONS: dict[str, Kind] = {
    "builder": Kind(builder, 0.62, 0.9, (0.05, 0.1)),
    "cook": Kind(cook, 0.71, 1.0, (0.15, 0.0)),
    "doctor": Kind(doctor, 0.67, 0.88, (0.11, 0.12)),
    "firefighter": Kind(firefighter, 0.75, 0.88, (0.18, 0.12)),
    "gardener": Kind(gardener, 0.79, 0.9, (0.23, 0.1)),
    "mail carrier": Kind(mail_carrier, 0.74, 0.88, (0.1, 0.12)),
    "musician": Kind(musician, 0.72, 0.96, (0.15, 0.04)),
    "painter": Kind(painter, 0.8, 0.93, (-0.01, 0.07)),
}
