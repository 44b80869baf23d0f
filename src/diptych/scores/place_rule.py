"""T2I-CompBench's rules of places: how well one thing lies to another as its prompt says, by a detector's boxes.

Half of it is that both are there, a quarter of how sure the judge is of each; half is the place, by centres and
overlap, or by how near both are. Source: ``UniDet_eval/2D_spatial_eval.py`` and ``3D_spatial_eval.py`` of
Karine-Huang/T2I-CompBench at 1b70949 (Huang et al. 2023, arXiv 2307.06350, section 4.2). ``official`` is what these
count. ``corrected`` differs where they are mistaken: see ``CORRECTIONS``.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from diptych.data.checks import Place, Relation
from diptych.judges.contract import NEARNESS, NEARNESS_SWAPPED, Box, Corners

Counting = Literal["official", "corrected"]

CORRECTIONS = (
    "'on top of' is a place",
    "beside is near in both directions, not in one",
    "no score below a half becomes 0",
    "two things of a class are two boxes",
    "labels are equal to the class, and not those that contain it",
    "in front and behind are by nearness alone, whatever the boxes share",
    "nearness is of what is in the box",
)

DISTANCE = 150.0  # pixels of a picture of upstream's size: closer than that is beside
OVERLAP = 0.1  # of the union: what is apart shares less
OVERLAP_BEHIND = 0.5  # of the union: what is in front of another shares as much, as upstream has it
LEAST = 0.5  # what is lower is 0, as upstream has it of places in the plane
SHORT_SIDE, LONG_SIDE = 479, 480  # to which upstream scales a picture
BESIDE = ("near", "next to", "on side of")
IN_DEPTH = ("in front of", "behind", "hidden")


class Placed(NamedTuple):
    """How well a relation holds.

    Attributes:
        value: In [0, 1]; None where nobody knows how near the things are.
        words: What is wrong, empty where nothing is.
    """

    value: float | None
    words: str


class PairOfBoxes(NamedTuple):
    """The boxes that stand for the two things of a relation; None where one is not there."""

    first: Box | None
    second: Box | None


def judge_place(found: Sequence[Box], relation: Relation, size: tuple[int, int], counting: Counting) -> Placed:
    """Return how well a relation holds in a picture.

    Args:
        found: What the judge is sure of, in any order.
        relation: What is asked for.
        size: Width and height of the picture, in pixels.
        counting: By which rule.

    >>> boxes = [Box("cat", 0.8, (0, 0, 20, 20)), Box("dog", 0.6, (70, 0, 99, 20))]
    >>> judge_place(boxes, Relation(first="cat", place="on the left of", second="dog"), (100, 100), "official").value
    0.85
    """
    if counting == "official" and relation.misread_first is not None:
        relation = relation.model_copy(update={"first": relation.misread_first})
    sure = sorted(found, key=lambda one: -one.score)
    in_depth = relation.place in IN_DEPTH
    pair = _containing_pair(sure, relation) if in_depth and counting == "official" else _pair(sure, relation, counting)
    there = sum(0.25 * box.score for box in pair if box is not None)
    place = 0.0
    if pair.first is not None and pair.second is not None:
        if (known := _place(pair.first, pair.second, relation.place, size, counting)) is None:
            return Placed(None, "")
        place = known
    value = there + place / 2
    if not in_depth and counting == "official" and value < LEAST:
        value = 0.0
    return Placed(value, _what_is_wrong(pair, relation, place))


def _pair(sure: Sequence[Box], relation: Relation, counting: Counting) -> PairOfBoxes:
    """Return the surest box of each; of two things of a class, the first two unless upstream counts."""
    firsts, seconds = ([box for box in sure if box.label == name] for name in (relation.first, relation.second))
    if relation.first == relation.second and counting == "corrected":
        seconds = seconds[1:]
    return PairOfBoxes(firsts[0] if firsts else None, seconds[0] if seconds else None)


def _containing_pair(sure: Sequence[Box], relation: Relation) -> PairOfBoxes:
    """Return the boxes whose labels contain the classes, the last of each up to where both are found."""
    first = second = None
    both = all(any(name in box.label for box in sure) for name in (relation.first, relation.second))
    for box in sure:
        if relation.first in box.label and (both or first is None):
            first = box
        if relation.second in box.label and (both or second is None):
            second = box
        if first is not None and second is not None:
            break
    return PairOfBoxes(first, second)


def _place(first: Box, second: Box, place: Place, size: tuple[int, int], counting: Counting) -> float | None:
    """Return how well the place holds, in [0, 1]; None where nobody knows how near things are."""
    shared = overlap(first.corners, second.corners)  # the same at every scale
    if place in IN_DEPTH:
        return _in_depth(first, second, place, shared, counting)
    right, down = _between_centres(first.corners, second.corners, size)
    if place in BESIDE:
        together: Callable[[Sequence[bool]], bool] = any if counting == "official" else all
        if together([abs(right) < DISTANCE, abs(down) < DISTANCE]):
            return 1.0
        return min(1.0, DISTANCE / max(abs(right), abs(down)))
    if place == "on top of":
        if counting == "official":
            return 0.0
        place = "on the top of"
    along, across = (right, down) if place in ("on the left of", "on the right of") else (down, right)
    towards = along if place in ("on the left of", "on the top of") else -along
    if towards <= 0 or abs(along) <= abs(across):
        return 0.0
    return 1.0 if shared < OVERLAP else OVERLAP / shared


def _in_depth(first: Box, second: Box, place: Place, shared: float, counting: Counting) -> float | None:
    nearness = [box.likeliest(NEARNESS) for box in (first, second)]
    if any(one is None for one in nearness):
        return None
    looked_at = [box.likeliest(NEARNESS_SWAPPED) for box in (first, second)] if counting == "official" else nearness
    known = [one.probability for one in looked_at if one is not None]
    if len(known) < 2:  # beyond the picture, of which upstream has no mean
        return 0.0
    nearer = known[0] - known[1]
    if (nearer if place == "in front of" else -nearer) <= 0:
        return 0.0
    if counting == "corrected":
        return 1.0
    if shared > OVERLAP_BEHIND:
        return 1.0
    return shared / OVERLAP_BEHIND if shared < OVERLAP_BEHIND else 0.0  # upstream has no line for just a half


def _what_is_wrong(pair: PairOfBoxes, relation: Relation, place: float) -> str:
    asked = zip((relation.first, relation.second), pair, strict=True)
    missing = [name for name, box in asked if box is None]
    if missing:
        return "; ".join(f"{name}: expected, found none" for name in missing)
    if place == 1.0:
        return ""
    held = "is not so" if place == 0.0 else f"holds by {place:.2g}"
    return f"{relation.first} {relation.place} {relation.second} {held}"


def as_upstream_sees(corners: Corners, size: tuple[int, int]) -> Corners:
    """Return corners in the pixels of the picture to which upstream scales one, 479 or 480 a side.

    >>> as_upstream_sees((0, 0, 1024, 512), (1024, 1024))
    (0.0, 0.0, 479.0, 239.5)
    """
    x, y = _scale(size)
    left, top, right, bottom = corners
    return (left * x, top * y, right * x, bottom * y)


def _scale(size: tuple[int, int]) -> tuple[float, float]:
    short, long = min(size), max(size)
    ends = SHORT_SIDE, int(SHORT_SIDE * long / short)
    if ends[1] > LONG_SIDE:
        ends = int(LONG_SIDE * short / long), LONG_SIDE
    wide, high = (ends[1], ends[0]) if size[0] > size[1] else ends
    return wide / size[0], high / size[1]


def _between_centres(one: Corners, other: Corners, size: tuple[int, int]) -> tuple[float, float]:
    """Return how far right and down the centre of another box lies, in upstream's pixels.

    What is equal in the picture stays equal: one box under two labels has no distance, wherever it lies, and a box
    beyond the corner of another is as far right of it as down.
    """
    right, down = ((other[at] + other[at + 2]) / 2 - (one[at] + one[at + 2]) / 2 for at in (0, 1))
    x, y = _scale(size)
    return right * x, down * y


def overlap(one: Corners, other: Corners) -> float:
    """Return how much of their union two boxes share, in [0, 1]; 0 of two without an area.

    >>> overlap((0, 0, 10, 10), (0, 0, 10, 5))
    0.5
    """
    shared = _length(one[0], one[2], other[0], other[2]) * _length(one[1], one[3], other[1], other[3])
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    union = sum(areas) - shared
    return shared / union if union else 0.0


def _length(start: float, end: float, other_start: float, other_end: float) -> float:
    return max(0.0, min(end, other_end) - max(start, other_start))
