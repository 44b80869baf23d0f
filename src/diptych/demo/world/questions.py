"""Questions about pictures of the drawn world, yes or no, and what the truth answers to each of them.

A scene is asked about as DSG does it: whether a thing is there, and hanging on that how many there are, in which colour
and where. All questions that there are can be listed, so that whoever answers needs no grammar. Decides nothing about
who answers or how answers count.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Any

from diptych.demo.world.figures import OCCUPATIONS
from diptych.demo.world.palette import COLOURS
from diptych.demo.world.scenes import MAX_COUNT, RELATIONS, Scene
from diptych.demo.world.things import KINDS
from diptych.demo.world.truth import Truth, truth_of
from diptych.demo.world.words import NUMBERS, plural_of, with_article

Answers = Callable[[Truth], bool]

# What two things that lie so to each other differ in: an axis of their boxes, and which of the two is further along it.
_AXES = {"left of": (0, -1), "right of": (0, 1), "above": (1, -1), "below": (1, 1)}


def questions_of(scene: Scene) -> list[dict[str, Any]]:
    """Return the questions that a picture of a scene answers with yes, as ``checks`` have them.

    >>> from diptych.demo.world.scenes import scene
    >>> [one["question"] for one in questions_of(scene(3, layout="single"))]
    ['Is there a boat?', 'Is there one boat?', 'Is every boat red?']
    """
    truth, found = truth_of(scene), list[dict[str, Any]]()

    def ask(question: str, *parents: str) -> str:
        name = str(len(found) + 1)
        found.append({"id": name, "question": question, "parents": list(parents)})
        return name

    named: dict[str, str] = {}
    for kind in dict.fromkeys(thing.kind for thing in truth.things):
        own = [thing for thing in truth.things if thing.kind == kind]
        named[kind] = ask(_there(kind))
        ask(_as_many(kind, len(own)), named[kind])
        if len({thing.colour for thing in own}) == 1:
            ask(_coloured(kind, own[0].colour), named[kind])
    if truth.relation:
        first, second = (truth.things[place].kind for place in (truth.relation.subject, truth.relation.object))
        ask(_lying(first, truth.relation.name, second), named[first], named[second])
    if truth.figure:
        ask(_there(truth.figure.occupation))
    return found


@lru_cache(maxsize=1)
def every_question() -> Mapping[str, Answers]:
    """Return every question that can be asked about the world, with what answers it."""
    return dict(_every_question())


def _every_question() -> Iterator[tuple[str, Answers]]:
    for kind in (*KINDS, *OCCUPATIONS):
        yield _there(kind), partial(_is_there, kind)
    for kind in KINDS:
        for count in range(1, MAX_COUNT + 1):
            yield _as_many(kind, count), partial(_are_as_many, kind, count)
        for colour in COLOURS:
            yield _coloured(kind, colour), partial(_are_coloured, kind, colour)
        for relation in RELATIONS:
            for other in KINDS:
                yield _lying(kind, relation, other), partial(_lies, kind, relation, other)


def _there(kind: str) -> str:
    return f"Is there {with_article(kind)}?"


def _as_many(kind: str, count: int) -> str:
    return f"Is there one {kind}?" if count == 1 else f"Are there {NUMBERS[count]} {plural_of(kind)}?"


def _coloured(kind: str, colour: str) -> str:
    return f"Is every {kind} {colour}?"


def _lying(kind: str, relation: str, other: str) -> str:
    return f"Is the {kind} {relation} the {other}?"


def _kinds(truth: Truth) -> list[str]:
    return [*(thing.kind for thing in truth.things), *([truth.figure.occupation] if truth.figure else [])]


def _is_there(kind: str, truth: Truth) -> bool:
    return kind in _kinds(truth)


def _are_as_many(kind: str, count: int, truth: Truth) -> bool:
    return _kinds(truth).count(kind) == count


def _are_coloured(kind: str, colour: str, truth: Truth) -> bool:
    return {thing.colour for thing in truth.things if thing.kind == kind} == {colour}


def _lies(kind: str, relation: str, other: str, truth: Truth) -> bool:
    """Return whether a thing of one kind and one of another lie so that the middles of their boxes are in that order.

    Of two directions that is the one in which they are further apart, so that of two things one alone holds.
    """
    axis, sign = _AXES[relation]
    for first in (thing for thing in truth.things if thing.kind == kind):
        for second in (thing for thing in truth.things if thing.kind == other and thing is not first):
            apart = [first.box[side] + first.box[side + 2] - second.box[side] - second.box[side + 2] for side in (0, 1)]
            if sign * apart[axis] > 0 and abs(apart[axis]) >= abs(apart[1 - axis]):
                return True
    return False
