"""Numbers of things as T2I-CompBench++ counts them, and as it means to: one hand-made picture for each trap."""

import pytest

from diptych.data.checks import Included
from diptych.judges.contract import Box
from diptych.scores.count_rule import judge_counts

SIZE = (479, 479)


def things(label: str, count: int) -> list[Box]:
    return [Box(label, 0.9, (60.0 * number, 0.0, 60.0 * number + 40, 40.0)) for number in range(count)]


def both(boxes: list[Box], **wanted: int) -> tuple[float, float]:
    clauses = [Included.model_validate({"class": name, "count": count}) for name, count in wanted.items()]
    official, corrected = (judge_counts(boxes, clauses, SIZE, rule).value for rule in ("official", "corrected"))
    return official, corrected


def test_class_is_half_for_being_there_and_half_for_its_number() -> None:
    assert both(things("cup", 2), cup=2) == (1.0, 1.0)
    assert both(things("cup", 3), cup=2) == (0.5, 0.5)
    assert both([], cup=2) == (0.0, 0.0)
    assert both([*things("cup", 2), *things("dog", 1)], cup=2, dog=3) == (0.75, 0.75)
    assert both(things("cup", 1), cup=1, dog=1, car=1, bee=1) == pytest.approx((0.25, 0.25))


def test_label_that_contains_the_name_is_one_upstream_where_the_class_is_not_there() -> None:
    assert both(things("cupboard", 2), cup=2) == (1.0, 0.0)
    assert both([*things("cup", 2), *things("cupboard", 1)], cup=2) == (1.0, 1.0)


def test_renamed_label_is_no_other_class_afterwards_upstream() -> None:
    assert both(things("cupboard", 1), cup=1, board=1) == (0.5, 0.0)


def test_box_of_a_thing_that_is_there_already_is_not_counted() -> None:
    twice = [Box("cup", 0.9, (0, 0, 100, 100)), Box("cup", 0.8, (1, 1, 101, 101))]
    assert both(twice, cup=1) == (1.0, 1.0)
    inside = [Box("cup", 0.9, (0, 0, 300, 300)), Box("cup", 0.8, (100, 100, 140, 140))]
    assert both(inside, cup=2) == (0.5, 0.5), "a small thing before a large one of its class is no other thing"
    other = [Box("cup", 0.9, (0, 0, 100, 100)), Box("dog", 0.8, (1, 1, 101, 101))]
    assert both(other, cup=1, dog=1) == (1.0, 1.0)


def test_which_number_is_wrong_is_said() -> None:
    clauses = [Included.model_validate({"class": name, "count": 2}) for name in ("cup", "dog")]
    assert judge_counts(things("cup", 3), clauses, SIZE, "corrected").words == (
        "cup: expected 2, found 3; dog: expected 2, found none"
    )
