"""How the demo detector is measured, and how good the shipped one is."""

from dataclasses import replace
from pathlib import Path

import own_judges
import torch
from tiny_trainings import DETECTOR

import diptych.demo
from diptych.demo.measure import detector_quality
from diptych.demo.training.detector import save_detector
from diptych.demo.world.drawing import draw
from diptych.demo.world.scenes import scene
from diptych.demo.world.truth import truth_of
from diptych.judges.boxes.centre_net import CentreConfig, CentreNet

SHIPPED = Path(diptych.demo.__file__).parent / "models" / "detector"


def test_shipped_detector_finds_what_was_drawn() -> None:
    torch.set_num_threads(1)
    figures = detector_quality.measure_detector(SHIPPED, rows=60)
    assert figures["single_object"].n == 60
    for suffix in ("", "_web"):
        for name, least in (("single_object", 0.97), ("attribute", 0.97), ("occupation", 0.95), ("count", 0.95)):
            assert figures[f"{name}{suffix}"].value >= least, name + suffix
        for name, least in (("relation", 0.95), ("judged_right", 0.97), ("box_overlap", 0.8)):
            assert figures[f"{name}{suffix}"].value >= least, name + suffix
    assert figures["judged_right_spoilt"].value >= 0.9
    for figure in figures.values():
        assert figure.ci_low <= figure.value <= figure.ci_high


def test_detector_that_finds_nothing_is_never_right(tmp_path: Path) -> None:
    torch.manual_seed(0)
    save_detector(CentreNet(CentreConfig.model_validate(DETECTOR.model)), tmp_path)
    figures = detector_quality.measure_detector(tmp_path, rows=3)
    assert {figure.value for figure in figures.values()} == {0.0}


def test_one_thing_too_many_is_as_wrong_as_one_too_few() -> None:
    shown = scene(2_000_000_050, layout="single")
    (thing,) = truth_of(shown).things
    found = own_judges.box(thing.kind, 0.9, corners=thing.box, colour=thing.colour)
    looked = detector_quality.Looked(truth_of(shown), [found])
    assert detector_quality._is_exact(looked)
    assert detector_quality._is_judged_right(looked)
    assert detector_quality._overlaps(looked) == [1.0]
    other = own_judges.box(thing.kind, 0.9, corners=thing.box, colour="white" if thing.colour != "white" else "red")
    for wrong in ([], [found, found], [other], [replace(found, label="cook", traits=())]):
        assert not detector_quality._is_exact(looked._replace(found=wrong))
        assert not detector_quality._is_judged_right(looked._replace(found=wrong))


def test_relation_has_to_hold_between_the_right_things() -> None:
    shown = scene(2_000_000_007, layout="relation")
    truth = truth_of(shown)
    found = [own_judges.box(one.kind, 0.9, corners=one.box, colour=one.colour) for one in truth.things]
    swapped = [replace(found[0], corners=found[1].corners), replace(found[1], corners=found[0].corners)]
    assert detector_quality._relation_holds(detector_quality.Looked(truth, found))
    assert not detector_quality._relation_holds(detector_quality.Looked(truth, swapped))
    assert not detector_quality._relation_holds(detector_quality.Looked(truth, found[:1]))
    assert draw(shown).shape == (64, 64, 3)
