"""Places as T2I-CompBench counts them, and as it means to: one hand-made picture for each trap."""

import numpy as np
import pytest

from diptych.data.checks import Place, Relation
from diptych.judges.contract import NEARNESS, NEARNESS_SWAPPED, Box, Corners, Trait
from diptych.scores.place_rule import as_upstream_sees, judge_place, overlap

SIZE = (479, 479)  # upstream's own, so that a pixel is a pixel


def box(
    label: str, score: float, x: float, y: float, *, wide: float = 40, near: tuple[float, float] | None = None
) -> Box:
    """Return a square box around a centre; ``near`` is how near it is inside, and with swapped axes."""
    corners = (x - wide / 2, y - wide / 2, x + wide / 2, y + wide / 2)
    pairs = zip((NEARNESS, NEARNESS_SWAPPED), near or (), strict=False)
    return Box(label, score, corners, tuple(Trait(name, "near", value) for name, value in pairs))


def both(place: Place, *boxes: Box, first: str = "cat", second: str = "dog") -> tuple[float | None, float | None]:
    """Return what the picture is worth by the official and by the corrected rule."""
    relation = Relation(first=first, place=place, second=second)
    official, corrected = (judge_place(boxes, relation, SIZE, rule).value for rule in ("official", "corrected"))
    return official, corrected


def close(official: float, corrected: float) -> object:
    return pytest.approx((official, corrected))


CAT, DOG = box("cat", 0.8, 100, 100), box("dog", 0.6, 300, 130)


@pytest.mark.parametrize(
    ("place", "worth"),
    [
        ("on the left of", close(0.85, 0.85)),
        ("on the right of", close(0.0, 0.35)),  # what upstream cuts off counts by the things that are there
        ("on the top of", close(0.0, 0.35)),  # higher, but more to the left than above
        ("next to", close(0.85, 0.35 + 150 / 200 / 2)),  # near in one direction alone
    ],
)
def test_place_is_half_of_the_value_and_each_thing_a_quarter(place: Place, worth: object) -> None:
    assert both(place, CAT, DOG) == worth


def test_on_top_of_has_no_branch_upstream() -> None:
    above, below = box("cat", 1.0, 200, 100), box("dog", 0.9, 200, 300)
    assert both("on top of", above, below) == close(0.0, 0.975)
    assert both("on the top of", above, below) == close(0.975, 0.975)
    assert both("on the bottom of", below, above, first="dog", second="cat") == close(0.975, 0.975)


def test_things_that_are_sure_and_wrongly_placed_are_not_cut_at_just_a_half() -> None:
    assert both("on top of", box("cat", 1.0, 200, 100), box("dog", 1.0, 200, 300))[0] == pytest.approx(0.5)


def test_one_thing_alone_is_cut_off_and_nothing_is_nothing() -> None:
    assert both("near", CAT) == close(0.0, 0.2)
    assert both("near") == close(0.0, 0.0)


def test_overlap_from_a_tenth_on_costs() -> None:
    """Two boxes of 40 x 40 whose centres are 20 apart share a third of their union."""
    cat, dog = box("cat", 1.0, 100, 100), box("dog", 1.0, 120, 100)
    assert both("on the left of", cat, dog) == close(0.5 + 0.1 / (1 / 3) / 2, 0.5 + 0.1 / (1 / 3) / 2)


def test_just_diagonal_is_no_side() -> None:
    assert both("on the left of", box("cat", 1.0, 100, 100), box("dog", 1.0, 200, 200)) == close(0.5, 0.5)


def test_beside_is_measured_in_upstreams_pixels() -> None:
    relation = Relation(first="cat", place="near", second="dog")
    large = [Box(one.label, one.score, tuple(2 * end for end in one.corners)) for one in (CAT, DOG)]  # type: ignore[arg-type]
    for rule in ("official", "corrected"):
        small = judge_place([CAT, DOG], relation, SIZE, rule).value
        assert judge_place(large, relation, (958, 958), rule).value == pytest.approx(small)


@pytest.mark.parametrize(
    ("size", "scaled"),
    [((479, 479), (479, 479)), ((1024, 1024), (479, 479)), ((1024, 512), (480, 240)), ((512, 768), (320, 480))],
)
def test_picture_is_scaled_as_torchvision_does(size: tuple[int, int], scaled: tuple[int, int]) -> None:
    assert as_upstream_sees((0, 0, *size), size)[2:] == pytest.approx(scaled)


PLANE: tuple[Place, ...] = ("on the left of", "on the right of", "on the top of", "on the bottom of")


@pytest.mark.parametrize("size", [(768, 768), (1344, 768)])
@pytest.mark.parametrize("place", PLANE)
def test_one_box_under_two_labels_has_no_place(place: Place, size: tuple[int, int]) -> None:
    relation = Relation(first="cat", place=place, second="dog")
    corners = np.float32(np.random.default_rng(0).uniform(0.02, 0.5, (200, 4)) * [*size, *size])
    corners[:, 2:] += corners[:, :2]
    for left, top, right, bottom in corners.astype(float).tolist():
        at = (left, top, right, bottom)
        boxes = [Box("cat", 0.95, at), Box("dog", 0.9, at)]
        assert judge_place(boxes, relation, size, "corrected").value == pytest.approx(0.4625)
        assert judge_place(boxes, relation, size, "official").value == 0.0


def test_box_beyond_the_corner_of_another_is_neither_beside_nor_below_it() -> None:
    for step in range(1, 100):
        boxes = [Box("cat", 0.8, (10, 37, 110, 137)), Box("dog", 0.6, (10 + step, 37 + step, 110 + step, 137 + step))]
        for place in PLANE:
            relation = Relation(first="cat", place=place, second="dog")
            assert judge_place(boxes, relation, (1000, 1000), "corrected").value == pytest.approx(0.35)


def test_boxes_that_share_just_a_half_do_so_in_a_picture_of_any_size() -> None:
    for side in range(500, 700):
        near = (Trait(NEARNESS, "near", 0.9), Trait(NEARNESS_SWAPPED, "near", 0.9))
        far = (Trait(NEARNESS, "near", 0.1), Trait(NEARNESS_SWAPPED, "near", 0.1))
        boxes = [Box("cat", 0.8, (7, 7, 247, 247), near), Box("dog", 0.6, (7, 7, 247, 127), far)]
        relation = Relation(first="cat", place="in front of", second="dog")
        assert judge_place(boxes, relation, (side, side), "official").value == pytest.approx(0.35), side


def test_the_surest_of_a_class_counts_and_labels_are_equal() -> None:
    assert both("on the left of", box("cat", 0.6, 400, 100), CAT, DOG) == close(0.85, 0.85)
    assert both("on the left of", box("wildcat", 0.9, 100, 100), DOG) == close(0.0, 0.15)


FRONT, BEHIND = box("cat", 0.8, 100, 100, near=(0.9, 0.7)), box("dog", 0.6, 110, 100, near=(0.2, 0.1))
APART = box("dog", 0.6, 300, 100, near=(0.2, 0.1))


def test_in_front_counts_by_the_share_upstream_and_by_nearness_alone_corrected() -> None:
    assert overlap(FRONT.corners, BEHIND.corners) == pytest.approx(0.6)
    assert both("in front of", FRONT, BEHIND) == close(0.85, 0.85)
    assert both("in front of", FRONT, box("dog", 0.6, 120, 100, near=(0.2, 0.1))) == close(0.35 + 1 / 3, 0.85)
    assert both("in front of", FRONT, APART) == close(0.35, 0.85), "right, and boxes that do not touch"
    assert both("behind", FRONT, BEHIND) == close(0.35, 0.35), "no cut in depth"
    assert both("hidden", BEHIND, FRONT, first="dog", second="cat") == close(0.85, 0.85)


def test_boxes_that_share_just_a_half_fall_between_upstreams_lines() -> None:
    small = Box("dog", 0.6, (80, 80, 120, 100), (Trait(NEARNESS, "near", 0.2), Trait(NEARNESS_SWAPPED, "near", 0.1)))
    assert overlap(FRONT.corners, small.corners) == 0.5
    assert both("in front of", FRONT, small) == close(0.35, 0.85)


def test_nearness_is_looked_up_with_swapped_axes_upstream() -> None:
    swapped = box("cat", 0.8, 100, 100, near=(0.9, 0.05))
    assert both("in front of", swapped, BEHIND) == close(0.35, 0.85)
    beyond = box("cat", 0.8, 100, 100, near=(0.9,))  # type: ignore[arg-type]
    assert both("in front of", beyond, BEHIND) == close(0.35, 0.85), "swapped, it lies beyond the picture"


def test_label_that_contains_the_class_is_one_in_depth_upstream() -> None:
    hot = box("hot dog", 0.6, 110, 100, near=(0.2, 0.1))
    assert both("in front of", FRONT, hot) == close(0.85, 0.2)


def test_the_last_of_a_class_up_to_the_other_counts_in_depth_upstream() -> None:
    less = box("cat", 0.7, 300, 300, near=(0.9, 0.7))
    assert both("in front of", FRONT, less, BEHIND) == close(0.7 / 4 + 0.15, 0.85)


def test_two_things_of_a_class_are_one_box_upstream() -> None:
    cats = box("cat", 0.8, 100, 100, near=(0.9, 0.9)), box("cat", 0.6, 110, 100, near=(0.2, 0.2))
    assert both("in front of", *cats, second="cat") == close(0.4, 0.85)


def test_nobody_knows_what_is_in_front_without_nearness() -> None:
    assert both("in front of", CAT, DOG) == (None, None)
    assert both("in front of", CAT) == close(0.2, 0.2)


@pytest.mark.parametrize(
    ("boxes", "place", "words"),
    [
        ((CAT, DOG), "on the left of", ""),
        ((CAT, DOG), "on the right of", "cat on the right of dog is not so"),
        ((CAT, DOG), "near", "cat near dog holds by 0.75"),
        ((CAT,), "near", "dog: expected, found none"),
        ((), "near", "cat: expected, found none; dog: expected, found none"),
    ],
)
def test_what_is_wrong_is_said(boxes: tuple[Box, ...], place: Place, words: str) -> None:
    assert judge_place(boxes, Relation(first="cat", place=place, second="dog"), SIZE, "corrected").words == words


def test_empty_boxes_share_nothing() -> None:
    empty: Corners = (5.0, 5.0, 5.0, 5.0)
    assert overlap(empty, empty) == 0.0


def test_what_upstream_takes_for_the_first_thing_by_mistake_is_looked_for_by_the_official_rule_alone() -> None:
    relation = Relation(first="cat", place="on the left of", second="dog", misread_first="air")
    official, corrected = (judge_place((CAT, DOG), relation, SIZE, rule) for rule in ("official", "corrected"))
    assert (official.value, corrected.value) == (0.0, 0.85)
    assert "air: expected, found none" in official.words
    assert Relation(first="cat", place="on the left of", second="dog").model_dump(exclude_defaults=True).keys() == {
        "first",
        "place",
        "second",
    }
