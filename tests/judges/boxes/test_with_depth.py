"""Boxes with depth: a network of depth beside a detector, tiny and of random weights, and what is made of its map."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import own_judges
import pytest
import torch
import transformers
from noise import noise
from own_judges import FOUND
from PIL import Image
from tiny_judges import save_dpt

from diptych.errors import ConfigError
from diptych.judges import make_judge
from diptych.judges.boxes.with_depth import BoxesWithDepth, with_nearness
from diptych.judges.contract import NEARNESS, NEARNESS_SWAPPED, Box, Trait

SIZES = ((64, 64), (50, 100), (64, 64), (90, 70))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return save_dpt(tmp_path_factory.mktemp("dpt"))


@pytest.fixture(autouse=True)
def _own_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    """A detector that finds a boat and a fish in pictures 64 and 100 high, and nothing in others."""
    own_judges.install(monkeypatch)
    boxes = [Box("boat", 0.9, (4.0, 8.0, 30.0, 20.0), (Trait("colour", "red", 0.9),)), Box("fish", 0.8, (0, 0, 50, 50))]
    FOUND.update({64: boxes, 100: boxes})


def made(folder: Path, **options: Any) -> BoxesWithDepth:
    detector = {"kind": "own_boxes", "options": {}}
    judge = make_judge("boxes_with_depth", {"weights": str(folder), "detector": detector, **options})
    assert isinstance(judge, BoxesWithDepth)
    return judge


def nearness(boxes: list[Box] | None, name: str = NEARNESS) -> list[float]:
    return [trait.probability for box in boxes or [] for trait in box.traits if trait.name == name]


def test_boxes_are_the_detectors_with_two_traits_more(folder: Path) -> None:
    judge = made(folder)
    assert judge.labels == ("boat", "cook", "fish", "house")
    assert judge.least_score == 0.05
    assert {"colour", NEARNESS, NEARNESS_SWAPPED} <= set(judge.traits)
    first, tall, again, nothing = judge.boxes(noise(*SIZES))
    assert nothing == []
    for found in (first, tall, again):
        assert found is not None
        assert [(box.label, box.score) for box in found] == [("boat", 0.9), ("fish", 0.8)]
        assert [trait.name for trait in found[0].traits] == ["colour", NEARNESS, NEARNESS_SWAPPED]
        assert all(0.0 < value < 1.0 for value in nearness(found))


def test_no_neighbour_changes_how_near_things_are(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge, shown = made(folder), noise(*SIZES)
    together = judge.boxes(shown)
    monkeypatch.setattr("diptych.judges.boxes.with_depth.CHUNK", 1)
    for alone in (judge.boxes(shown), [judge.boxes([picture])[0] for picture in shown]):
        for found, again in zip(together, alone, strict=True):
            np.testing.assert_allclose(nearness(found), nearness(again), atol=1e-5)


@pytest.mark.reference
def test_nearness_is_that_of_the_library_called_by_hand(folder: Path) -> None:
    picture = noise((50, 100))[0]
    processor = transformers.DPTImageProcessorPil.from_pretrained(folder)
    network = transformers.DPTForDepthEstimation.from_pretrained(folder).eval()
    with torch.inference_mode():
        depth = network(**processor(images=picture, return_tensors="pt")).predicted_depth
    share = (depth - depth.min()) / (depth.max() - depth.min())
    near = torch.nn.functional.interpolate(share[None], (100, 50), mode="bilinear", align_corners=True)[0, 0]
    (found,) = made(folder).boxes([picture])
    assert nearness(found) == pytest.approx([near[8:20, 4:30].mean().item(), near[:50, :50].mean().item()], abs=1e-5)
    swapped = nearness(found, NEARNESS_SWAPPED)
    assert swapped == pytest.approx([near[4:30, 8:20].mean().item(), near[:50, :50].mean().item()], abs=1e-5)


def test_metres_are_turned_round(folder: Path) -> None:
    shown = noise((64, 64))
    near, far = (nearness(made(folder, larger_is=one).boxes(shown)[0]) for one in ("nearer", "farther"))
    assert near == pytest.approx([1.0 - value for value in far], abs=1e-5)


def test_picture_of_one_depth_has_nothing_near(folder: Path) -> None:
    judge = made(folder)
    flat = type("Flat", (), {"predicted_depth": torch.full((1, 8, 8), 3.0)})()

    def network(pixels: torch.Tensor) -> Any:
        return flat

    network.device, network.dtype = torch.device("cpu"), torch.float32  # type: ignore[attr-defined]  # as a module has
    judge.__dict__["_network"] = network
    assert nearness(judge.boxes(noise((64, 64)))[0]) == [0.0, 0.0]


def test_box_beyond_the_picture_with_its_axes_swapped_has_no_such_trait() -> None:
    near = np.ones((10, 40), np.float32)
    beyond = with_nearness(Box("cat", 0.9, (20, 0, 30, 10)), near)
    assert [trait.name for trait in beyond.traits] == [NEARNESS]
    assert with_nearness(Box("cat", 0.9, (3, 3, 3, 3)), near).traits == ()


def test_network_is_not_asked_where_nothing_is_found(folder: Path) -> None:
    judge = made(folder)
    assert judge.boxes([Image.new("RGB", (90, 70))]) == [[]]
    assert "_network" not in judge.__dict__


def test_identity_is_of_detector_and_network_and_of_no_place(folder: Path, tmp_path: Path) -> None:
    judge = made(folder)
    assert judge.identity["judge"] == "own_boxes_with_depth"
    assert judge.identity["detector"] == {"judge": "own_boxes", "plain": False, "free": False}
    assert str(folder) not in str(judge.identity)
    assert made(save_dpt(tmp_path / "other")).identity == judge.identity
    assert made(save_dpt(tmp_path / "seed", seed=1)).identity != judge.identity
    assert made(folder, larger_is="farther").identity != judge.identity
    assert made(folder, device="cpu").identity == judge.identity
    assert len(pickle.dumps(judge)) < 10_000


@pytest.mark.parametrize(
    ("detector", "message"),
    [
        ({"kind": "own_text"}, "detector: 'own_text' finds no boxes"),
        ({"options": {}}, "detector is {kind: ..., options: {...}}, not"),
        ({"kind": "own_boxes", "weights": "x"}, "detector is {kind"),
        ({"kind": "owlv3"}, "unknown judge 'owlv3'"),
    ],
)
def test_detector_that_is_none_is_refused(folder: Path, detector: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        made(folder, detector=detector)
