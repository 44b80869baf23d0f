import json

from diptych.demo.scenes import scene
from diptych.demo.truth import truth_of

SCENES = [scene(seed) for seed in range(200)]


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


def test_relation_holds_for_the_boxes_in_pixels() -> None:
    for seed in range(100):
        truth = truth_of(scene(seed, layout="relation"), 128)
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
