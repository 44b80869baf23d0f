"""GenEval's rule: whether what a judge finds in a picture is what its prompt asks for.

Source: Ghosh et al. 2023 (arXiv 2310.11513), evaluation/evaluate_images.py of djghosh13/geneval. Every clause of
``include`` has to hold and none of ``exclude``. Each clause looks at the surest things of its class by itself, so "a
red car and a blue car" asks two colours of one car; GenEval's prompts do not ask that, and the rule is kept as it is.
Unlike there, a colour is the likeliest that the judge says, a clause may lie relative to a later one, and what a judge
cannot know is an error and not a mistake of the picture. Decides nothing about thresholds.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from diptych.data.checks import Checks, Included, Position
from diptych.judges.contract import COLOUR, Box, Corners

# The prompt set by that name has these categories; its score is the mean over all six.
PROMPT_SET = "geneval"
CATEGORIES = ("single_object", "two_object", "counting", "colors", "position", "color_attr")
THRESHOLD, COUNTING_THRESHOLD = 0.3, 0.9  # what the detector is not surer of is not there

Reason = Literal["", "missing", "wrong_count", "wrong_colour", "wrong_position"]

MAX_OBJECTS = 16  # of one class that are looked at
POSITION_THRESHOLD = 0.1  # of both sizes together: closer than that is no relation
LEAST_SHARE = 0.5  # of the distance that has to lie along a direction
NO_DISTANCE = 1e-3


class Verdict(NamedTuple):
    """What is wrong with a picture.

    Attributes:
        reason: Of the first clause that fails. ``missing``: nothing of a class; ``wrong_count``: fewer than asked for,
            or as many as must not be; ``wrong_colour``: fewer of the surest ones than asked for have the colour;
            ``wrong_position``: not all of one clause lie to all of the other as asked for, or the other clause fails by
            itself. Empty if none fails.
        words: Of every clause that fails what was expected and what was found; empty if none does.
    """

    reason: Reason
    words: str


def judge(found: Sequence[Box], checks: Checks, *, threshold: float) -> Verdict:
    """Return what is wrong with a picture.

    Args:
        found: What is in it, in any order.
        checks: The objects that it should show.
        threshold: What is not surer than this is not there.

    >>> dogs = [Box("dog", 0.9, (0, 0, 8, 8)), Box("dog", 0.2, (8, 0, 16, 8))]
    >>> two = Checks.model_validate({"include": [{"class": "dog", "count": 2}]})
    >>> judge(dogs, two, threshold=0.3).words
    'dog: expected 2, found 1 at threshold 0.3'
    """
    by_label: dict[str, list[Box]] = {}
    for thing in sorted((one for one in found if one.score > threshold), key=lambda one: -one.score):
        by_label.setdefault(thing.label, []).append(thing)
    by_label = {label: things[:MAX_OBJECTS] for label, things in by_label.items()}
    failed = [*_judge_included(by_label, checks.include)]
    for excluded in checks.exclude:
        there = len(by_label.get(excluded.label, []))
        if there >= excluded.count:
            most = f"at most {excluded.count - 1}" if excluded.count > 1 else "none"
            failed.append(Verdict("wrong_count", f"{excluded.label}: expected {most}, found {there}"))
    if not failed:
        return Verdict("", "")
    return Verdict(failed[0].reason, f"{'; '.join(one.words for one in failed)} at threshold {threshold:g}")


def relative_position(box: Corners, other: Corners) -> frozenset[Position]:
    """Return how one box lies to another: none, one or two directions.

    >>> sorted(relative_position((0, 0, 10, 10), (30, 0, 40, 10)))
    ['left of']
    """
    (first, second), sizes = _centres_and_sizes(box, other)
    offset = first - second
    reduced = np.maximum(np.abs(offset) - POSITION_THRESHOLD * sizes, 0.0) * np.sign(offset)
    if (np.abs(reduced) < NO_DISTANCE).all():
        return frozenset()
    right, down = (reduced / np.linalg.norm(offset)).tolist()
    holds: dict[Position, bool] = {
        "left of": right < -LEAST_SHARE,
        "right of": right > LEAST_SHARE,
        "above": down < -LEAST_SHARE,
        "below": down > LEAST_SHARE,
    }
    return frozenset(name for name, is_so in holds.items() if is_so)


def _judge_included(by_label: Mapping[str, list[Box]], include: Sequence[Included]) -> Iterator[Verdict]:
    """Yield what is wrong with each clause that fails."""
    chosen = [by_label.get(clause.label, [])[: clause.count] for clause in include]
    found = [_judge_alone(things, clause) for things, clause in zip(chosen, include, strict=True)]
    for number, clause in enumerate(include):
        if clause.position and not found[number]:
            wanted, target = clause.position
            others = None if found[target] else chosen[target]
            expected = f"{clause.label}: expected {wanted} {include[target].label}"
            found[number] = _judge_position(chosen[number], wanted, others, expected)
    yield from filter(None, found)


def _judge_alone(things: list[Box], clause: Included) -> Verdict | None:
    """Return what is wrong with a clause but for its position."""
    wanted = f"{clause.label}: expected {clause.count}"
    if len(things) < clause.count:
        return Verdict("wrong_count" if things else "missing", f"{wanted}, found {len(things) or 'none'}")
    if clause.colour is not None and sum(_has_colour(thing, clause.colour) for thing in things) < clause.count:
        seen = (thing.likeliest(COLOUR) for thing in things)
        colours = ", ".join(one.value if one else "no colour" for one in seen)
        return Verdict("wrong_colour", f"{wanted} {clause.colour}, found {colours}")
    return None


def _has_colour(thing: Box, colour: str) -> bool:
    seen = thing.likeliest(COLOUR)
    return seen is not None and seen.value == colour


def _judge_position(things: list[Box], wanted: Position, others: list[Box] | None, expected: str) -> Verdict | None:
    """Return what is wrong with how things lie to others; those are None where they are not as asked for."""
    if others is None:
        return Verdict("wrong_position", f"{expected}, which is not as asked for")
    for places in (relative_position(thing.corners, other.corners) for thing in things for other in others):
        if wanted not in places:
            lies = f"{' and '.join(sorted(places))} it" if places else "at no clear side of it"
            return Verdict("wrong_position", f"{expected}, found {lies}")
    return None


def _centres_and_sizes(box: Corners, other: Corners) -> tuple[np.ndarray, np.ndarray]:
    """Return both centres (2, 2) and the sum of both sizes (2,), x before y."""
    ends = np.array([box, other], np.float64).reshape(2, 2, 2)
    return ends.mean(axis=1), np.abs(ends[:, 1] - ends[:, 0]).sum(axis=0)
