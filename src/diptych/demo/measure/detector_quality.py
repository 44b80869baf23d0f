"""How good the demo detector is, measured on scenes that nothing was trained on.

It is loaded as any other one is, and a picture counts as right only if it finds exactly what was drawn: one thing too
many is as wrong as one too few. Prints nothing and decides nothing about what is good enough.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from diptych.data.checks import Checks
from diptych.data.images import Image, decode
from diptych.demo.world.drawing import draw
from diptych.demo.world.faults import encoded
from diptych.demo.world.scenes import LAYOUTS, Layout, Scene, scene
from diptych.demo.world.seeds import DETECTOR_SCENES, PIPELINE_PROMPTS
from diptych.demo.world.specimens import specimen
from diptych.demo.world.truth import Truth, truth_of
from diptych.intervals import NORMAL_95, ShareEstimate, wilson
from diptych.judges.boxes.centre_point import ATTRIBUTE, centre_point
from diptych.judges.contract import COLOUR, Box, BoxJudge, Corners
from diptych.scores.geneval_rule import THRESHOLD, judge, relative_position
from diptych.scores.perceived_attribute import surest_trait

SIDE_PX = 64
ROWS = 500

# A few faults that soften and roughen a picture, as generative models do.
SPOILT: dict[str, int] = {"blurred": 1, "noisy": 1, "recompressed": 1, "tiny": 1}


class Looked(NamedTuple):
    """What is in a picture, and what of it was found above the threshold."""

    truth: Truth
    found: list[Box]


def measure_detector(folder: Path, *, rows: int = ROWS) -> dict[str, ShareEstimate]:
    """Return how often a detector finds exactly what was drawn, with intervals of 95 percent.

    Args:
        folder: Holds ``config.json`` and ``model.safetensors``.
        rows: Held-out scenes of each layout and each kind of picture.

    Returns:
        ``single_object``: one thing of the right kind and colour; ``count``: as many as there are of every kind;
        ``count_and_colour``: the same of every kind and colour; ``relation``: two things of the right kinds, colours
        and relation; ``occupation``: one figure of the right one; ``attribute``: the right hat, whatever the
        occupation; ``judged_right``: GenEval's rule on what was drawn, over all layouts; ``box_overlap``: mean
        intersection over union of the boxes drawn with those of their label that were found. All of them on clean
        pictures of 64 pixels, ``..._web`` on files as the demo web serves them, and ``..._spoilt`` on blurred, grainy,
        recompressed or tiny ones.
    """
    detector = centre_point(weights=str(folder))
    scenes = {layout: _scenes_of(layout, rows) for layout in LAYOUTS}
    figures = _figures(detector, scenes, _clean)
    for name, picture in (("web", _served), ("spoilt", _spoilt)):
        figures |= {f"{key}_{name}": value for key, value in _figures(detector, scenes, picture).items()}
    return figures


def overlap(box: Corners, other: Corners) -> float:
    """Return intersection over union of two boxes: in [0, 1].

    >>> overlap((0, 0, 2, 2), (1, 0, 3, 2))
    0.3333333333333333
    """
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    common = max(width, 0.0) * max(height, 0.0)
    area = (box[2] - box[0]) * (box[3] - box[1]) + (other[2] - other[0]) * (other[3] - other[1])
    return common / (area - common)


def checks_of(truth: Truth) -> Checks:
    """Return what a prompt for exactly this picture would ask for, in GenEval's terms."""
    include: list[dict[str, Any]] = [
        {"class": group.kind, "count": group.count, "color": group.colour} for group in truth.counts
    ]
    if truth.relation:
        include[0]["position"] = [truth.relation.name, truth.relation.object]
    if truth.figure:
        include.append({"class": truth.figure.occupation, "count": 1})
    exclude = [{"class": group["class"], "count": group["count"] + 1} for group in include]
    return Checks.model_validate({"include": include, "exclude": exclude})


def _clean(shown: Scene) -> Image:
    return decode(encoded(draw(shown, SIDE_PX), "png", 0))


def _served(shown: Scene) -> Image:
    return specimen(shown.seed, {"": 1}).image


def _spoilt(shown: Scene) -> Image:
    return specimen(shown.seed, SPOILT).image


def _scenes_of(layout: Layout, count: int) -> list[Scene]:
    """Return the first scenes of a layout; not ones drawn for it, so that their seeds alone give them again."""
    scenes = (scene(seed) for seed in range(DETECTOR_SCENES, PIPELINE_PROMPTS))
    return list(islice((shown for shown in scenes if shown.layout == layout), count))


def _figures(
    detector: BoxJudge, scenes: Mapping[Layout, Sequence[Scene]], picture: Callable[[Scene], Image]
) -> dict[str, ShareEstimate]:
    looked = {layout: _look(detector, shown, picture) for layout, shown in scenes.items()}
    groups = looked["count"] + looked["pair"]
    everything = [one for some in looked.values() for one in some]
    return {
        "single_object": _share(_is_exact, looked["single"]),
        "count": _share(_counts_hold, groups),
        "count_and_colour": _share(_is_exact, groups),
        "relation": _share(_relation_holds, looked["relation"]),
        "occupation": _share(_is_exact, looked["figure"]),
        "attribute": _share(_attribute_holds, looked["figure"]),
        "judged_right": _share(_is_judged_right, everything),
        "box_overlap": _mean([value for one in everything for value in _overlaps(one)]),
    }


def _look(detector: BoxJudge, scenes: Sequence[Scene], picture: Callable[[Scene], Image]) -> list[Looked]:
    images = [picture(shown) for shown in scenes]
    found = detector.boxes(images)
    return [
        Looked(truth_of(shown, image.width), [one for one in things or () if one.score > THRESHOLD])
        for shown, image, things in zip(scenes, images, found, strict=True)
    ]


def _share(is_right: Callable[[Looked], bool], looked: Sequence[Looked]) -> ShareEstimate:
    return wilson(sum(map(is_right, looked)) / len(looked), len(looked))


def _drawn(truth: Truth) -> list[tuple[str, str]]:
    """Return label and colour of everything in a picture; figures have no colour."""
    figures = [(truth.figure.occupation, "")] if truth.figure else []
    return [(thing.kind, thing.colour) for thing in truth.things] + figures


def _overlaps(one: Looked) -> list[float]:
    """Return the best overlap of each drawn box with a found one of its label."""
    drawn = [(thing.kind, thing.box) for thing in one.truth.things]
    drawn += [(one.truth.figure.occupation, one.truth.figure.box)] if one.truth.figure else []
    return [
        max((overlap(box, thing.corners) for thing in one.found if thing.label == label), default=0.0)
        for label, box in drawn
    ]


def _mean(values: Sequence[float]) -> ShareEstimate:
    mean, half = float(np.mean(values)), NORMAL_95 * float(np.std(values)) / sqrt(len(values))
    return ShareEstimate(mean, mean - half, mean + half, len(values))


def _is_exact(one: Looked) -> bool:
    return Counter(_drawn(one.truth)) == Counter((thing.label, _colour(thing)) for thing in one.found)


def _colour(thing: Box) -> str:
    colour = thing.likeliest(COLOUR)
    return colour.value if colour else ""


def _counts_hold(one: Looked) -> bool:
    return _labels(_drawn(one.truth)) == _labels((thing.label, "") for thing in one.found)


def _labels(things: Iterable[tuple[str, str]]) -> Counter[str]:
    return Counter(label for label, _ in things)


def _relation_holds(one: Looked) -> bool:
    relation = one.truth.relation
    if relation is None or not _is_exact(one):
        return False
    places = {thing.label: thing.corners for thing in one.found}
    first, second = (places[one.truth.things[number].kind] for number in (relation.subject, relation.object))
    return relation.name in relative_position(first, second)


def _attribute_holds(one: Looked) -> bool:
    seen = surest_trait(one.found, ATTRIBUTE)
    return one.truth.figure is not None and seen is not None and seen.trait.value == one.truth.figure.attribute


def _is_judged_right(one: Looked) -> bool:
    return not judge(one.found, checks_of(one.truth), threshold=THRESHOLD).reason
