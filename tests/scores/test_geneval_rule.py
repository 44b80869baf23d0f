from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.data.checks import Checks
from diptych.judges.contract import Box, Corners, Trait
from diptych.scores.geneval_rule import judge, relative_position


def thing(label: str, x: float = 0.0, y: float = 0.0, *, score: float = 0.8, colour: str = "red") -> Box:
    return Box(label, score, (x - 5, y - 5, x + 5, y + 5), (Trait("colour", colour, 0.9),))


def expect(*include: Mapping[str, Any], exclude: Sequence[Mapping[str, Any]] = ()) -> Checks:
    return Checks.model_validate({"include": include, "exclude": exclude})


def verdict(found: Sequence[Box], checks: Checks, threshold: float = 0.3) -> str:
    return judge(found, checks, threshold=threshold).reason


FISH = {"class": "fish", "count": 1}
BOAT = {"class": "boat", "count": 1}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], "missing"),
        ([thing("boat")], "missing"),
        ([thing("fish", score=0.3)], "missing"),
        ([thing("fish", score=0.31)], ""),
        ([thing("fish"), thing("fish"), thing("boat")], ""),
    ],
    ids=["nothing", "something else", "not sure enough", "just sure enough", "more than asked for"],
)
def test_an_object_has_to_be_there_and_others_may(found: list[Box], expected: str) -> None:
    assert verdict(found, expect(FISH)) == expected


def test_counting_takes_neither_fewer_nor_more() -> None:
    three = expect({"class": "fish", "count": 3}, exclude=[{"class": "fish", "count": 4}])
    verdicts = [verdict([thing("fish", 20 * n) for n in range(count)], three) for count in range(6)]
    assert verdicts == ["missing", "wrong_count", "wrong_count", "", "wrong_count", "wrong_count"]
    assert three.is_counting
    assert not expect(FISH).is_counting


def test_what_is_excluded_must_not_be_there() -> None:
    no_boat = expect(FISH, exclude=[{"class": "boat", "count": 1}])
    assert verdict([thing("fish")], no_boat) == ""
    assert verdict([thing("fish"), thing("boat")], no_boat) == "wrong_count"
    assert verdict([thing("fish"), thing("boat", score=0.2)], no_boat) == ""


def test_no_more_than_sixteen_of_a_class_are_looked_at() -> None:
    many = [thing("fish", 20 * n) for n in range(40)]
    assert verdict(many, expect(exclude=[{"class": "fish", "count": 17}])) == ""
    assert verdict(many, expect({"class": "fish", "count": 17})) == "wrong_count"


def test_the_surest_objects_have_the_colour() -> None:
    red = expect({**FISH, "color": "red"})
    two_red = expect({"class": "fish", "count": 2, "color": "red"})
    blue_and_red = [thing("fish", score=0.9, colour="blue"), thing("fish", score=0.8, colour="red")]
    assert verdict([thing("fish", colour="red")], red) == ""
    assert verdict([thing("fish", colour="blue")], red) == "wrong_colour"
    assert verdict(blue_and_red, red) == "wrong_colour"
    assert verdict(blue_and_red, two_red) == "wrong_colour"
    assert verdict([thing("fish", 0), thing("fish", 30)], two_red) == ""


@pytest.mark.parametrize("order", [1, -1])
def test_position_is_that_of_the_clause_and_not_of_its_target(order: int) -> None:
    boat_left = expect(FISH, {**BOAT, "position": ["left of", 0]})
    found = [thing("boat", 10, 50), thing("fish", 50, 52)][::order]
    assert verdict(found, boat_left) == ""
    assert verdict(found, expect({**FISH, "position": ["left of", 1]}, BOAT)) == "wrong_position"
    assert verdict(found, expect({**FISH, "position": ["right of", 1]}, BOAT)) == ""
    assert verdict(found, expect(FISH, {**BOAT, "position": ["above", 0]})) == "wrong_position"


def test_every_pair_has_to_lie_as_asked_for() -> None:
    two_left = expect(BOAT, {"class": "fish", "count": 2, "position": ["left of", 0]})
    boat = thing("boat", 50)
    assert verdict([boat, thing("fish", 10), thing("fish", 25)], two_left) == ""
    assert verdict([boat, thing("fish", 10), thing("fish", 90)], two_left) == "wrong_position"
    # The one that is too many is the least sure, and is not looked at.
    assert verdict([boat, thing("fish", 10), thing("fish", 25), thing("fish", 90, score=0.5)], two_left) == ""


def test_nothing_lies_relative_to_what_fails_by_itself() -> None:
    found = [thing("fish", 10, colour="blue"), thing("boat", 50)]
    both = expect({**FISH, "color": "red"}, {**BOAT, "position": ["right of", 0]})
    assert verdict(found, both) == "wrong_colour"
    chain = expect(
        FISH, {**BOAT, "position": ["left of", 0]}, {"class": "house", "count": 1, "position": ["right of", 1]}
    )
    assert verdict([*found, thing("house", 90)], chain) == "wrong_position"


def test_first_clause_that_fails_gives_the_reason() -> None:
    asked = expect({**FISH, "color": "red"}, BOAT)
    assert verdict([thing("fish", colour="blue")], asked) == "wrong_colour"
    assert verdict([thing("fish", colour="red")], asked) == "missing"


@pytest.mark.parametrize(
    ("found", "asked", "words"),
    [
        ([thing("fish")], [FISH], ""),
        ([], [FISH], "fish: expected 1, found none"),
        ([thing("fish"), thing("fish", score=0.2)], [{"class": "fish", "count": 2}], "fish: expected 2, found 1"),
        ([thing("fish", colour="blue")], [{**FISH, "color": "red"}], "fish: expected 1 red, found blue"),
        ([Box("fish", 0.9, (0, 0, 1, 1))], [{**FISH, "color": "red"}], "fish: expected 1 red, found no colour"),
        (
            [thing("fish"), thing("boat", 50, 50)],
            [FISH, {**BOAT, "position": ["left of", 0]}],
            "boat: expected left of fish, found below and right of it",
        ),
        (
            [thing("fish"), thing("boat")],
            [FISH, {**BOAT, "position": ["above", 0]}],
            "boat: expected above fish, found at no clear side of it",
        ),
        (
            [thing("boat")],
            [FISH, {**BOAT, "position": ["left of", 0]}],
            "fish: expected 1, found none; boat: expected left of fish, which is not as asked for",
        ),
    ],
)
def test_every_clause_that_fails_is_told_in_words(found: list[Box], asked: list[dict[str, Any]], words: str) -> None:
    told = judge(found, expect(*asked), threshold=0.3).words
    assert told == (f"{words} at threshold 0.3" if words else "")


def test_what_must_not_be_there_is_told_in_words() -> None:
    two = [thing("fish"), thing("fish", 20)]
    for count, words in ((2, "at most 1"), (1, "none")):
        told = judge(two, expect(exclude=[{"class": "fish", "count": count}]), threshold=0.9).words
        assert told == "", "not sure enough"
        told = judge(two, expect(exclude=[{"class": "fish", "count": count}]), threshold=0.5).words
        assert told == f"fish: expected {words}, found 2 at threshold 0.5"


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((-100, 0, -90, 10), {"left of"}),
        ((90, 0, 100, 10), {"right of"}),
        ((0, -100, 10, -90), {"above"}),
        ((0, 90, 10, 100), {"below"}),
        ((-100, -100, -90, -90), {"left of", "above"}),
        ((0, 0, 10, 10), set()),
        ((1.9, 0, 11.9, 10), set()),
        ((3, 0, 13, 10), set()),  # 3 - 0.1 x 20 is less than half of 3
        ((4.1, 0, 14.1, 10), {"right of"}),
        ((45, 90, 55, 100), {"below"}),  # 43 of 100 to the right
    ],
)
def test_relative_position_of_boxes(box: Corners, expected: set[str]) -> None:
    assert relative_position(box, (0, 0, 10, 10)) == expected


# The reference: evaluate() and relative_position() of djghosh13/geneval, evaluation/evaluate_images.py (MIT), with the
# colours of the boxes in the place of its colour classifier. ``objects``: class -> [(box, colour)], the surest first.
def geneval_relations(box: Corners, other: Corners) -> set[str]:
    boxes = np.array([box, other]).reshape(2, 2, 2)
    center_a, center_b = boxes.mean(axis=-2)
    dim_a, dim_b = np.abs(np.diff(boxes, axis=-2))[..., 0, :]
    offset = center_a - center_b
    revised = np.maximum(np.abs(offset) - 0.1 * (dim_a + dim_b), 0) * np.sign(offset)
    if np.all(np.abs(revised) < 1e-3):
        return set()
    dx, dy = revised / np.linalg.norm(offset)
    relations = set()
    if dx < -0.5:
        relations.add("left of")
    if dx > 0.5:
        relations.add("right of")
    if dy < -0.5:
        relations.add("above")
    if dy > 0.5:
        relations.add("below")
    return relations


def geneval_is_correct(objects: dict[str, list[tuple[Corners, str]]], metadata: Mapping[str, Any]) -> bool:  # noqa: C901
    correct, matched_groups = True, []
    for req in metadata["include"]:
        matched = True
        found = objects.get(req["class"], [])[: req["count"]]
        if len(found) < req["count"]:
            correct = matched = False
        else:
            if "color" in req and [colour for _, colour in found].count(req["color"]) < req["count"]:
                correct = matched = False
            if "position" in req and matched:
                expected, target = req["position"]
                if matched_groups[target] is None:
                    correct = matched = False
                else:
                    for box, _ in found:
                        for other, _ in matched_groups[target]:
                            if expected not in geneval_relations(box, other):
                                correct = matched = False
        matched_groups.append(found if matched else None)
    for req in metadata["exclude"]:
        if len(objects.get(req["class"], [])) >= req["count"]:
            correct = False
    return correct


LABELS, COLOURS = st.sampled_from(["boat", "fish"]), st.sampled_from(["blue", "red"])
PLACES = st.sampled_from([0.0, 6.0, 12.0, 40.0])
THINGS = st.lists(st.tuples(LABELS, PLACES, PLACES, COLOURS, st.integers(1, 9)), max_size=5, unique_by=lambda t: t[4])
CLAUSES = st.lists(
    st.fixed_dictionaries({"class": LABELS, "count": st.integers(1, 2)}, optional={"color": COLOURS}),
    min_size=1,
    max_size=3,
)
RELATIONS = st.sampled_from(["left of", "right of", "above", "below"])


@pytest.mark.reference
@settings(max_examples=300, deadline=None)
@given(THINGS, CLAUSES, st.lists(RELATIONS, min_size=3, max_size=3), st.booleans())
def test_rule_agrees_with_that_of_geneval(
    things: list[tuple[str, float, float, str, int]], clauses: list[dict[str, Any]], relations: list[str], none: bool
) -> None:
    for number, clause in enumerate(clauses[1:], 1):
        clause["position"] = [relations[number], number - 1]
    metadata = {"include": clauses, "exclude": [{"class": "boat", "count": 3}] if none else []}
    found = [thing(label, x, y, score=score / 10, colour=colour) for label, x, y, colour, score in things]
    objects: dict[str, list[tuple[Corners, str]]] = {}
    for one in sorted(found, key=lambda one: -one.score):
        if one.score > 0.3:
            objects.setdefault(one.label, []).append((one.corners, one.traits[0].value))
    checks = Checks.model_validate(metadata)
    assert (verdict(found, checks) == "") == geneval_is_correct(objects, metadata)
