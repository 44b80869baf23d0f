import json
from dataclasses import replace

import pytest

from diptych.demo.world.scenes import scene
from diptych.demo.world.truth import Count, SeenFigure, SeenRelation, SeenThing, Truth, truth_of

SCENES = [scene(seed) for seed in range(200)]
THREE = Truth(
    size_px=100,
    things=(
        SeenThing("cup", "red", "small", (0, 10, 10, 30)),
        SeenThing("cup", "red", "small", (5, 40, 30, 60)),
        SeenThing("key", "blue", "small", (60, 40, 95, 100)),
    ),
    counts=(Count("cup", "red", 2), Count("key", "blue", 1)),
    relation=SeenRelation(1, "left of", 2),
    figure=None,
    style="flat",
    background="sky",
    seed=1,
    layout="relation",
)


def test_truth_survives_json() -> None:
    for drawn in SCENES:
        truth = truth_of(drawn, 96)
        read = json.loads(truth.to_json())
        assert [thing["kind"] for thing in read["things"]] == [thing.kind for thing in drawn.things]
        assert (read["style"], read["background"], read["size_px"]) == (drawn.style, drawn.background, 96)


def test_counts_add_up_to_the_things() -> None:
    for drawn in SCENES:
        truth = truth_of(drawn)
        assert sum(count.count for count in truth.counts) == len(drawn.things)
        for count in truth.counts:
            alike = [thing for thing in truth.things if (thing.kind, thing.colour) == (count.kind, count.colour)]
            assert len(alike) == count.count


def test_boxes_lie_in_the_picture_and_apart() -> None:
    for drawn in SCENES:
        things = truth_of(drawn, 256).things
        for number, thing in enumerate(things):
            left, top, right, bottom = thing.box
            assert 0 <= left < right <= 256
            assert 0 <= top < bottom <= 256
            for other in things[:number]:
                # Whole pixels may share the one in which both end.
                overlap_u = min(right, other.box[2]) - max(left, other.box[0])
                overlap_v = min(bottom, other.box[3]) - max(top, other.box[1])
                assert min(overlap_u, overlap_v) <= 1


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_relation_holds_for_the_boxes_in_pixels(is_mirrored: bool) -> None:
    for seed in range(100):
        truth = truth_of(scene(seed, layout="relation"), 128)
        truth = truth.mirrored() if is_mirrored else truth
        assert truth.relation is not None
        first, second = truth.things[truth.relation.subject].box, truth.things[truth.relation.object].box
        gaps = {
            "left of": second[0] - first[2],
            "right of": first[0] - second[2],
            "above": second[1] - first[3],
            "below": first[1] - second[3],
        }
        assert gaps[truth.relation.name] >= -1


def test_figure_is_told_with_occupation_and_attribute() -> None:
    drawn = scene(0, layout="figure")
    truth = truth_of(drawn)
    assert drawn.figure is not None
    assert truth.figure is not None
    assert (truth.figure.occupation, truth.figure.attribute) == (drawn.figure.occupation, drawn.figure.hat)


def test_mirrored_truth_exchanges_left_and_right() -> None:
    mirrored = THREE.mirrored()
    assert [thing.box for thing in mirrored.things] == [(90, 10, 100, 30), (70, 40, 95, 60), (5, 40, 40, 100)]
    assert mirrored.relation == SeenRelation(1, "right of", 2)
    assert mirrored.counts == THREE.counts


def test_mirrored_twice_is_the_truth() -> None:
    for drawn in SCENES:
        truth = truth_of(drawn, 96)
        assert truth.mirrored().mirrored() == truth


def test_boxes_end_at_the_edge_of_a_crop() -> None:
    cropped = THREE.cropped(8)
    assert cropped.size_px == 84
    assert [thing.box for thing in cropped.things] == [(0, 2, 2, 22), (0, 32, 22, 52), (52, 32, 84, 84)]
    assert (cropped.counts, cropped.relation) == (THREE.counts, THREE.relation)


def test_thing_that_is_cut_away_is_not_listed_or_counted() -> None:
    cropped = THREE.cropped(10)
    assert [thing.box for thing in cropped.things] == [(0, 30, 20, 50), (50, 30, 80, 80)]
    assert cropped.counts == (Count("cup", "red", 1), Count("key", "blue", 1))
    assert cropped.relation == SeenRelation(0, "left of", 1)


def test_relation_to_a_thing_that_is_cut_away_is_gone() -> None:
    assert THREE.cropped(30).relation is None


def test_figure_is_mirrored_and_cropped_like_a_thing() -> None:
    truth = replace(THREE, things=(), counts=(), relation=None, figure=SeenFigure("cook", "orange", (5, 10, 20, 90)))
    mirrored, cropped = truth.mirrored().figure, truth.cropped(10).figure
    assert mirrored == SeenFigure("cook", "orange", (80, 10, 95, 90))
    assert cropped == SeenFigure("cook", "orange", (0, 0, 10, 80))
    assert truth.cropped(20).figure is None


@pytest.mark.parametrize("margin", [-1, 50])
def test_crop_leaves_something(margin: int) -> None:
    with pytest.raises(ValueError, match=f"a margin of {margin} pixels"):
        THREE.cropped(margin)
