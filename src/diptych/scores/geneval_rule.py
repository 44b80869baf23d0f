"""GenEval's rule: whether what a judge finds in a picture is what its prompt asks for.

Source: Ghosh et al. 2023 (arXiv 2310.11513), evaluation/evaluate_images.py of djghosh13/geneval. Every clause of
``include`` has to hold and none of ``exclude``. Each clause looks at the surest things of its class by itself, so "a
red car and a blue car" asks two colours of one car; GenEval's prompts do not ask that, and the rule is kept as it is.
Unlike there, a colour is the likeliest that the judge says, a clause may lie relative to a later one, and what a judge
cannot know is an error and not a mistake of the picture. Decides nothing about thresholds.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from diptych.data.checks import Checks, Included, Position
from diptych.judges.contract import COLOUR, Box, Corners

# The prompt set by that name has these categories; its score is the mean over all six.
PROMPT_SET = "geneval"
CATEGORIES = ("single_object", "two_object", "counting", "colors", "position", "color_attr")
THRESHOLD, COUNTING_THRESHOLD = 0.3, 0.9  # what the detector is not surer of is not there

Verdict = Literal["", "missing", "wrong_count", "wrong_colour", "wrong_position"]

MAX_OBJECTS = 16  # of one class that are looked at
POSITION_THRESHOLD = 0.1  # of both sizes together: closer than that is no relation
LEAST_SHARE = 0.5  # of the distance that has to lie along a direction
NO_DISTANCE = 1e-3


def judge(found: Sequence[Box], checks: Checks, *, threshold: float) -> Verdict:
    """Return the first thing that is wrong with a picture, or an empty text.

    Args:
        found: What is in it, in any order.
        checks: The objects that it should show.
        threshold: What is not surer than this is not there.

    Returns:
        ``missing``: nothing of a class; ``wrong_count``: fewer than asked for, or as many as must not be;
        ``wrong_colour``: fewer of the surest ones than asked for have the colour; ``wrong_position``: not all of one
        clause lie to all of the other as asked for, or the other clause fails by itself.
    """
    by_label: dict[str, list[Box]] = {}
    for thing in sorted((one for one in found if one.score > threshold), key=lambda one: -one.score):
        by_label.setdefault(thing.label, []).append(thing)
    by_label = {label: things[:MAX_OBJECTS] for label, things in by_label.items()}
    chosen = [by_label.get(clause.label, [])[: clause.count] for clause in checks.include]
    verdicts = [_judge_alone(things, clause) for things, clause in zip(chosen, checks.include, strict=True)]
    for number, clause in enumerate(checks.include):
        if clause.position and not verdicts[number]:
            wanted, target = clause.position
            if verdicts[target] or not _all_lie(chosen[number], wanted, chosen[target]):
                verdicts[number] = "wrong_position"
    for excluded in checks.exclude:
        if len(by_label.get(excluded.label, [])) >= excluded.count:
            verdicts.append("wrong_count")
    return next((verdict for verdict in verdicts if verdict), "")


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


def _judge_alone(things: list[Box], clause: Included) -> Verdict:
    """Return what is wrong with a clause but for its position."""
    if not things:
        return "missing"
    if len(things) < clause.count:
        return "wrong_count"
    if clause.colour is not None and sum(_has_colour(thing, clause.colour) for thing in things) < clause.count:
        return "wrong_colour"
    return ""


def _has_colour(thing: Box, colour: str) -> bool:
    seen = thing.likeliest(COLOUR)
    return seen is not None and seen.value == colour


def _all_lie(things: list[Box], wanted: Position, others: list[Box]) -> bool:
    return all(wanted in relative_position(thing.corners, other.corners) for thing in things for other in others)


def _centres_and_sizes(box: Corners, other: Corners) -> tuple[np.ndarray, np.ndarray]:
    """Return both centres (2, 2) and the sum of both sizes (2,), x before y."""
    ends = np.array([box, other], np.float64).reshape(2, 2, 2)
    return ends.mean(axis=1), np.abs(ends[:, 1] - ends[:, 0]).sum(axis=0)
