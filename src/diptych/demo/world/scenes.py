"""What a scene is, and how one is drawn from a seed.

Everything about a scene is decided here and is true by construction: which things, how many, in which colours, where,
in which relation, on which background, in which style, who wears which hat. Words, pixels and boxes follow from it
elsewhere. All places are whole numbers of units, of which a picture is 1024 wide and high, so a scene has no size.

A seed stands for its scene for good: ``tests/golden/demo_scenes.json`` holds examples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, get_args

import numpy as np

from diptych.demo.world.backdrops import BACKDROPS, UNITS
from diptych.demo.world.figures import HATS, OCCUPATIONS
from diptych.demo.world.palette import COLOURS
from diptych.demo.world.styles import STYLES
from diptych.demo.world.things import KINDS

Choice = TypeVar("Choice")
Layout = Literal["single", "count", "pair", "relation", "figure"]
Relation = Literal["left of", "right of", "above", "below"]
Size = Literal["small", "normal", "large"]

LAYOUTS: tuple[Layout, ...] = get_args(Layout)
RELATIONS: tuple[Relation, ...] = get_args(Relation)
SIZES: tuple[Size, ...] = get_args(Size)
MAX_COUNT = 5
MARGIN = 36  # units around a thing that outlines, shadows and wobbling strokes may use
MAX_TILT = 6  # in 64ths of the tangent of half the angle: 10.7 degrees

# Share of its place that a thing fills, in percent.
FILL: dict[Size, int] = {"small": 46, "normal": 72, "large": 100}
FILL_OF_MANY = (86, 100)

# Ways to arrange n things: half the side of each place, and the centres.
ARRANGEMENTS: dict[int, tuple[tuple[int, tuple[tuple[int, int], ...]], ...]] = {
    1: ((440, ((512, 512),)),),
    2: (
        (250, ((258, 512), (766, 512))),
        (250, ((258, 330), (766, 694))),
        (250, ((258, 694), (766, 330))),
    ),
    3: (
        (220, ((258, 730), (766, 730), (512, 270))),
        (220, ((258, 290), (766, 290), (512, 740))),
        (168, ((172, 560), (512, 460), (852, 560))),
    ),
    4: (
        (220, ((262, 272), (762, 272), (262, 752), (762, 752))),
        (168, ((512, 180), (176, 512), (848, 512), (512, 844))),
    ),
    5: (
        (166, ((172, 300), (512, 260), (852, 300), (336, 724), (688, 724))),
        (166, ((172, 724), (512, 764), (852, 724), (336, 300), (688, 300))),
    ),
}
RELATION_HALF = 244


@dataclass(frozen=True)
class Thing:
    """One thing: ``x`` and ``y`` of its centre and the ``radius`` of its plane in units; ``tilt`` as in MAX_TILT."""

    kind: str
    colour: str
    size: Size
    x: int
    y: int
    radius: int
    tilt: int = 0
    is_mirrored: bool = False


@dataclass(frozen=True)
class Figure:
    """A doll with an occupation; ``hat`` is the colour of its hat, the attribute of an audit."""

    occupation: str
    hat: str
    x: int
    y: int
    radius: int
    is_mirrored: bool = False


@dataclass(frozen=True)
class Scene:
    """Everything that decides a picture.

    Attributes:
        seed: What it was drawn from.
        layout: Its plan.
        style: One of ``styles.STYLES``.
        background: One of ``backdrops.BACKDROPS``.
        horizon: Height of the ground, in units from the top.
        things: What is to be seen, none overlapping another.
        relation: How ``things[0]`` lies to ``things[1]``; None unless the layout is ``relation``.
        figure: The doll; None unless the layout is ``figure``.
    """

    seed: int
    layout: Layout
    style: str
    background: str
    horizon: int
    things: tuple[Thing, ...] = ()
    relation: Relation | None = None
    figure: Figure | None = None

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of things and the occupation in it."""
        names = {thing.kind for thing in self.things}
        return frozenset(names | ({self.figure.occupation} if self.figure else set()))


def _evenly() -> Mapping[str, int]:
    return dict.fromkeys(OCCUPATIONS, 50)


@dataclass(frozen=True)
class SceneRecipe:
    """What scenes are made of.

    Attributes:
        layouts: Weight of each layout.
        occupations: Weight of each occupation.
        orange_percent: How many of 100 figures of each occupation wear the orange hat; the others wear the purple one.
    """

    layouts: Mapping[Layout, int] = field(
        default_factory=lambda: {"single": 30, "count": 16, "pair": 16, "relation": 20, "figure": 18}
    )
    occupations: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(OCCUPATIONS, 1))
    orange_percent: Mapping[str, int] = field(default_factory=_evenly)


BALANCED = SceneRecipe()


class Dice:
    """Choices from a seed, through whole numbers alone: the same on every machine."""

    def __init__(self, *seeds: int) -> None:
        """Begin at one or more whole numbers, each at least 0."""
        self._generator = np.random.Generator(np.random.PCG64(seeds))

    def between(self, low: int, high: int) -> int:
        """Return a whole number in [low, high]."""
        return int(self._generator.integers(low, high + 1))

    def shuffled(self, choices: Sequence[Choice]) -> list[Choice]:
        """Return the choices in a random order."""
        left = list(choices)
        return [left.pop(int(self._generator.integers(0, len(left)))) for _ in choices]

    def pick(self, choices: Sequence[Choice]) -> Choice:
        """Return one of the choices, all equally likely."""
        return choices[int(self._generator.integers(0, len(choices)))]

    def weighted(self, weights: Mapping[Choice, int]) -> Choice:
        """Return one of the keys, as likely as its weight."""
        left = self.between(0, sum(weights.values()) - 1)
        for choice, weight in weights.items():
            left -= weight
            if left < 0:
                return choice
        raise AssertionError("weights add up to more than their sum")

    def chance(self, percent: int) -> bool:
        """Return True in ``percent`` of 100 cases."""
        return int(self._generator.integers(0, 100)) < percent


def scene(seed: int, *, layout: Layout | None = None, recipe: SceneRecipe = BALANCED) -> Scene:
    """Return the scene of a seed (at least 0).

    Args:
        seed: Any; equal arguments give the equal scene, on every machine.
        layout: The plan to draw by; None draws it from the recipe, too.
        recipe: How often each plan, occupation and hat occurs.
    """
    dice = Dice(seed)
    drawn = dice.weighted(recipe.layouts)
    plan = layout or drawn
    style, background = dice.pick(list(STYLES)), dice.pick(list(BACKDROPS))
    start = Scene(seed, plan, style, background, dice.between(640, 860))
    if plan == "figure":
        return _with(start, figure=_figure(dice, recipe))
    if plan == "relation":
        relation = dice.pick(RELATIONS)
        return _with(start, things=_related(dice, background, relation), relation=relation)
    return _with(start, things=_arranged(dice, background, plan))


def half_extents(thing: Thing | Figure) -> tuple[float, float]:
    """Return half the width and half the height in units that a thing takes up, without MARGIN."""
    if isinstance(thing, Figure):
        kind = OCCUPATIONS[thing.occupation]
        return kind.half_width * thing.radius, kind.half_height * thing.radius
    width, height = _turned_extents(thing.kind, thing.tilt)
    return width * thing.radius, height * thing.radius


def _with(start: Scene, **parts: Any) -> Scene:
    return Scene(start.seed, start.layout, start.style, start.background, start.horizon, **parts)


def _turned_extents(kind: str, tilt: int) -> tuple[float, float]:
    width, height = KINDS[kind].half_width, KINDS[kind].half_height
    tangent = abs(tilt) / 64.0
    cosine = (1.0 - tangent * tangent) / (1.0 + tangent * tangent)
    sine = 2.0 * tangent / (1.0 + tangent * tangent)
    return cosine * width + sine * height, sine * width + cosine * height


def _figure(dice: Dice, recipe: SceneRecipe) -> Figure:
    occupation = dice.weighted(recipe.occupations)
    hat = HATS[0] if dice.chance(recipe.orange_percent[occupation]) else HATS[1]
    radius = dice.between(280, 460)
    room = UNITS // 2 - MARGIN - 10
    kind = OCCUPATIONS[occupation]
    slack = [int(room - half * radius) for half in (kind.half_width, kind.half_height)]
    x, y = (UNITS // 2 + dice.between(-space, space) for space in slack)
    return Figure(occupation, hat, x, y, radius, dice.chance(50))


def _colour(dice: Dice, background: str) -> str:
    return dice.pick([name for name in COLOURS if name not in BACKDROPS[background].lost])


def _arranged(dice: Dice, background: str, plan: Layout) -> tuple[Thing, ...]:
    """Return the things of the layouts ``single``, ``count`` and ``pair``."""
    count = 1 if plan == "single" else dice.between(2, MAX_COUNT)
    first = 1 if plan == "single" else dice.between(1, count - 1) if plan == "pair" else count
    groups = [(dice.pick(list(KINDS)), _colour(dice, background))]
    if plan == "pair":
        others = [kind for kind in KINDS if kind != groups[0][0]]
        groups.append((dice.pick(others), _colour(dice, background)))
    half, centres = dice.pick(ARRANGEMENTS[count])
    places = list(centres)
    things = []
    for number in range(count):
        kind, colour = groups[0] if number < first else groups[1]
        place = places.pop(dice.between(0, len(places) - 1))
        size = dice.pick(SIZES) if plan == "single" else "normal"
        fill = FILL[size] if plan == "single" else dice.between(*FILL_OF_MANY)
        things.append(_placed(dice, (kind, colour, size), (*place, half), fill))
    return tuple(things)


def _related(dice: Dice, background: str, relation: Relation) -> tuple[Thing, ...]:
    """Return two things of which the first lies to the second as ``relation`` says, their boxes apart."""
    kind = dice.pick(list(KINDS))
    other = dice.pick([name for name in KINDS if name != kind])
    colours = _colour(dice, background), _colour(dice, background)
    offset = dice.between(-90, 90)
    near, far = 256, UNITS - 256
    if relation in ("left of", "right of"):
        centres = [(near, 512 + offset), (far, 512 - offset)]
    else:
        centres = [(512 + offset, near), (512 - offset, far)]
    if relation in ("right of", "below"):
        centres.reverse()
    things = []
    for name, colour, centre in zip((kind, other), colours, centres, strict=True):
        size = dice.pick(SIZES)
        fill = (FILL[size] + 100) // 2
        things.append(_placed(dice, (name, colour, size), (*centre, RELATION_HALF), fill))
    return tuple(things)


def _placed(dice: Dice, what: tuple[str, str, Size], place: tuple[int, int, int], fill: int) -> Thing:
    """Return a thing that fills ``fill`` percent of its place (x, y, half of the side) and lies anywhere within it."""
    kind, colour, size = what
    x, y, half = place
    tilt = dice.between(-MAX_TILT, MAX_TILT) if KINDS[kind].may_tilt else 0
    width, height = _turned_extents(kind, tilt)
    room = half - MARGIN
    radius = int(room * fill / 100.0 / max(width, height))
    # A small thing keeps to the middle of a large place.
    slack_x, slack_y = (int(min(room - extent * radius, 120.0)) for extent in (width, height))
    return Thing(
        kind,
        colour,
        size,
        x + dice.between(-slack_x, slack_x),
        y + dice.between(-slack_y, slack_y),
        radius,
        tilt,
        dice.chance(50),
    )
