"""What is to be seen in a picture, and where in pixels: the answer key for every score, filter and metric."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from diptych.demo.world.backdrops import UNITS
from diptych.demo.world.scenes import MARGIN, Figure, Scene, Thing, half_extents

Box = tuple[int, int, int, int]
MIRRORED_RELATIONS = {"left of": "right of", "right of": "left of"}


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
        things: All things, none overlapping another; a figure is not among them.
        counts: The things, counted.
        relation: How two of them lie to each other, where the scene is about that.
        figure: The figure, where there is one; there are then no things and no counts.
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

    def mirrored(self) -> "Truth":
        """Return what is true of the picture when left and right are exchanged, names of relations included."""
        figure, relation = self.figure, self.relation
        return replace(
            self,
            things=tuple(replace(thing, box=_mirrored(thing.box, self.size_px)) for thing in self.things),
            relation=replace(relation, name=MIRRORED_RELATIONS.get(relation.name, relation.name)) if relation else None,
            figure=replace(figure, box=_mirrored(figure.box, self.size_px)) if figure else None,
        )

    def cropped(self, margin: int) -> "Truth":
        """Return what is true of the picture without ``margin`` pixels at each side.

        Boxes end where the picture does. What lies wholly outside is gone: from the things, the counts and the
        relation, or as the figure.

        Raises:
            ValueError: If the margins leave nothing or are negative.
        """
        side = self.size_px - 2 * margin
        if margin < 0 or side < 1:
            raise ValueError(f"a margin of {margin} pixels cannot be cut off a picture of {self.size_px}")
        boxes = [_cut(thing.box, margin, side) for thing in self.things]
        places = [number for number, box in enumerate(boxes) if not _is_empty(box)]
        things = tuple(replace(self.things[number], box=boxes[number]) for number in places)
        figure = replace(self.figure, box=_cut(self.figure.box, margin, side)) if self.figure else None
        return replace(
            self,
            size_px=side,
            things=things,
            counts=_counts(things),
            relation=_relation_among(places, self.relation),
            figure=figure if figure and not _is_empty(figure.box) else None,
        )


def truth_of(scene: Scene, size: int = 64) -> Truth:
    """Return what is true of ``draw(scene, size)``."""
    things = tuple(SeenThing(thing.kind, thing.colour, thing.size, pixel_box(thing, size)) for thing in scene.things)
    figure = scene.figure
    return Truth(
        size_px=size,
        things=things,
        counts=_counts(things),
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


def _counts(things: Iterable[SeenThing]) -> tuple[Count, ...]:
    counted = Counter((thing.kind, thing.colour) for thing in things)
    return tuple(Count(kind, colour, count) for (kind, colour), count in counted.items())


def _mirrored(box: Box, size: int) -> Box:
    left, top, right, bottom = box
    return size - right, top, size - left, bottom


def _cut(box: Box, margin: int, side: int) -> Box:
    """Return what a crop to ``side`` leaves of a box, which may be nothing."""
    left, top, right, bottom = (min(max(edge - margin, 0), side) for edge in box)
    return left, top, right, bottom


def _is_empty(box: Box) -> bool:
    left, top, right, bottom = box
    return right <= left or bottom <= top


def _relation_among(places: list[int], relation: SeenRelation | None) -> SeenRelation | None:
    """Return a relation between the things that are left, which lay at ``places``; None if one of the two is gone."""
    if relation is None or relation.subject not in places or relation.object not in places:
        return None
    return replace(relation, subject=places.index(relation.subject), object=places.index(relation.object))
