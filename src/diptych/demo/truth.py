"""What is to be seen in a picture, and where in pixels: the answer key for every score, filter and metric."""

import json
from collections import Counter
from dataclasses import asdict, dataclass

from diptych.demo.backdrops import UNITS
from diptych.demo.scenes import MARGIN, Figure, Scene, Thing, half_extents

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class SeenThing:
    """One thing in a picture; ``box`` is left, top, right, bottom in pixels, right and bottom outside."""

    kind: str
    colour: str
    size: str
    box: Box


@dataclass(frozen=True)
class Count:
    """How many things of one kind and colour there are."""

    kind: str
    colour: str
    count: int


@dataclass(frozen=True)
class SeenRelation:
    """How ``things[subject]`` lies to ``things[object]``: left of, right of, above, below."""

    subject: int
    name: str
    object: int


@dataclass(frozen=True)
class SeenFigure:
    """A figure in a picture: its occupation, the colour of its hat (the attribute), its box in pixels."""

    occupation: str
    attribute: str
    box: Box


@dataclass(frozen=True)
class Truth:
    """Everything that is true of a picture.

    Attributes:
        size_px: Side of the picture that the boxes refer to.
        things: All things, none overlapping another.
        counts: The things, counted.
        relation: How two of them lie to each other, where the scene is about that.
        figure: The figure, where there is one.
        style: One of ``styles.STYLES``.
        background: One of ``backdrops.BACKDROPS``.
        seed: Seed of the scene.
        layout: Plan of the scene.
    """

    size_px: int
    things: tuple[SeenThing, ...]
    counts: tuple[Count, ...]
    relation: SeenRelation | None
    figure: SeenFigure | None
    style: str
    background: str
    seed: int
    layout: str

    def to_json(self) -> str:
        """Return the truth as one line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)


def truth_of(scene: Scene, size: int = 64) -> Truth:
    """Return what is true of ``draw(scene, size)``."""
    things = tuple(SeenThing(thing.kind, thing.colour, thing.size, pixel_box(thing, size)) for thing in scene.things)
    counted = Counter((thing.kind, thing.colour) for thing in scene.things)
    figure = scene.figure
    return Truth(
        size_px=size,
        things=things,
        counts=tuple(Count(kind, colour, count) for (kind, colour), count in counted.items()),
        relation=SeenRelation(0, scene.relation, 1) if scene.relation else None,
        figure=SeenFigure(figure.occupation, figure.hat, pixel_box(figure, size)) if figure else None,
        style=scene.style,
        background=scene.background,
        seed=scene.seed,
        layout=scene.layout,
    )


def pixel_box(thing: Thing | Figure, size: int) -> Box:
    """Return left, top, right, bottom in pixels of the box outside which nothing of a thing is to be seen."""
    half_width, half_height = half_extents(thing)
    scale = size / UNITS
    left = int((thing.x - half_width - MARGIN) * scale)
    top = int((thing.y - half_height - MARGIN) * scale)
    right = -int(-(thing.x + half_width + MARGIN) * scale // 1)
    bottom = -int(-(thing.y + half_height + MARGIN) * scale // 1)
    return max(left, 0), max(top, 0), min(right, size), min(bottom, size)
