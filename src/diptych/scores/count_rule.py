"""T2I-CompBench's rule of numbers: which of the things that a prompt names are there, and exactly so many.

Each class counts alike: half for that one is there, half for the exact number. A box of a class that shares most of one
before it is no other thing. Source: ``UniDet_eval/numeracy_eval.py`` of Karine-Huang/T2I-CompBench at 1b70949 (Huang
et al. 2025, T2I-CompBench++). ``official`` is what it counts: of a class that is not there every label that contains
its name is one (``cup`` in ``cupboard``); ``corrected`` takes labels that are equal.
"""

from collections.abc import Sequence
from typing import NamedTuple

from diptych.data.checks import Included
from diptych.judges.contract import Box, Corners
from diptych.scores.place_rule import Counting, as_upstream_sees

SAME = 0.9  # of the union, or of either box: as much is one thing seen twice


class Counted(NamedTuple):
    """Which share of what is named is there in its number, in [0, 1], and what is wrong, empty where nothing is."""

    value: float
    words: str


def judge_counts(
    found: Sequence[Box], wanted: Sequence[Included], size: tuple[int, int], counting: Counting
) -> Counted:
    """Return which share of what is named is there in its number.

    Args:
        found: What the judge is sure of, in any order.
        wanted: Classes, each with exactly how many; at least one.
        size: Width and height of the picture, in pixels.
        counting: By which rule.

    >>> cups = [Box("cup", 0.9, (0, 0, 20, 20)), Box("cup", 0.8, (50, 50, 90, 90))]
    >>> named = [Included.model_validate({"class": "cup", "count": 3})]
    >>> judge_counts(cups, named, (100, 100), "official")
    Counted(value=0.5, words='cup: expected 3, found 2')
    """
    labels = [box.label for box in _once(sorted(found, key=lambda one: -one.score), size)]
    value, wrong = 0.0, []
    for clause in wanted:
        if counting == "official" and clause.label not in labels:
            labels = [clause.label if clause.label in label else label for label in labels]
        there = labels.count(clause.label)
        value += ((there > 0) + (there == clause.count)) / 2 / len(wanted)
        if there != clause.count:
            wrong.append(f"{clause.label}: expected {clause.count}, found {there or 'none'}")
    return Counted(min(value, 1.0), "; ".join(wrong))


def _once(sure: Sequence[Box], size: tuple[int, int]) -> list[Box]:
    """Return the boxes, the surest first, without those of a thing that is there already."""
    kept: list[tuple[Box, Corners]] = []
    for box in sure:
        corners = as_upstream_sees(box.corners, size)
        if not any(other.label == box.label and _is_same(corners, at) for other, at in kept):
            kept.append((box, corners))
    return [box for box, _ in kept]


def _is_same(one: Corners, other: Corners) -> bool:
    """Return whether two boxes share most of their union or of either, in whole pixels as upstream counts them."""
    sides = [min(one[at + 2], other[at + 2]) - max(one[at], other[at]) + 1 for at in (0, 1)]
    shared = max(0.0, sides[0]) * max(0.0, sides[1])
    areas = [(box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (one, other)]
    return any(shared / whole > SAME for whole in (*areas, sum(areas) - shared))
