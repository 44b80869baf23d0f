"""Detectors of transformers through the product's own path: tiny ones of random weights, saved and loaded again."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from noise import noise
from PIL import Image
from tiny_judges import save_mask2former, save_rt_detr_v2, save_yolos
from word_encoder import ByWord

from diptych.errors import ConfigError, DataError
from diptych.judges import make_judge
from diptych.judges.boxes.closed_labels import ClosedLabels
from diptych.judges.boxes.colours import COLOURS
from diptych.judges.boxes.detections import Prepared
from diptych.judges.boxes.instance_segmentation import FindsMasks
from diptych.judges.boxes.masks import box_around, filled
from diptych.judges.contract import Box

FAMILIES: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "rt_detr_v2": ("object_detection", save_rt_detr_v2),
    "yolos": ("object_detection", save_yolos),
    "mask2former": ("instance_segmentation", save_mask2former),
}
SIZES = ((64, 64), (50, 100), (64, 64), (90, 70), (50, 100))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    torch.set_num_threads(1)
    return {name: save(tmp_path_factory.mktemp(name)) for name, (_, save) in FAMILIES.items()}


def pictures() -> list[Image.Image]:
    return noise(*SIZES)


def made(folders: dict[str, Path], name: str, **options: Any) -> ClosedLabels:
    judge = make_judge(FAMILIES[name][0], {"weights": str(folders[name]), "least_score": 0.0, **options})
    assert isinstance(judge, ClosedLabels)
    return judge


def numbers(boxes: list[Box] | None) -> list[tuple[float, ...]]:
    return [(*box.corners, box.score) for box in boxes or []]


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_tells_boxes_within_the_picture_the_surest_first(folders: dict[str, Path], name: str) -> None:
    judge = made(folders, name)
    assert judge.labels == ("person", "couch", "computer mouse")
    for boxes, (width, height) in zip(judge.boxes(pictures()), SIZES, strict=True):
        assert boxes, name
        assert [box.score for box in boxes] == sorted((box.score for box in boxes), reverse=True)
        for box in boxes:
            left, top, right, bottom = box.corners
            assert 0 <= left <= right <= width
            assert 0 <= top <= bottom <= height
            assert box.label in judge.labels


@pytest.mark.parametrize("name", FAMILIES)
def test_no_neighbour_changes_what_is_found(
    folders: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, shown = made(folders, name), pictures()
    together = judge.boxes(shown)
    monkeypatch.setattr("diptych.judges.boxes.closed_labels.CHUNK", 1)
    for alone in (judge.boxes(shown), [judge.boxes([picture])[0] for picture in shown]):
        for found, again in zip(together, alone, strict=True):
            np.testing.assert_allclose(numbers(found), numbers(again), rtol=1e-4, atol=1e-3)


@pytest.mark.reference
def test_boxes_are_those_of_the_library_called_by_hand(folders: dict[str, Path]) -> None:
    picture = pictures()[1]
    processor = transformers.RTDetrImageProcessorPil.from_pretrained(folders["rt_detr_v2"])
    network = transformers.RTDetrV2ForObjectDetection.from_pretrained(folders["rt_detr_v2"]).eval()
    with torch.inference_mode():
        output = network(**processor(images=picture, return_tensors="pt"))
    (found,) = processor.post_process_object_detection(output, threshold=0.0, target_sizes=[(100, 50)])
    names = [network.config.id2label[number] for number in found["labels"].tolist()]
    kept = [name != "N/A" for name in names]
    (boxes,) = made(folders, "rt_detr_v2").boxes([picture])
    assert boxes is not None
    assert [box.score for box in boxes] == pytest.approx(found["scores"][kept].tolist(), abs=1e-6)
    inside = found["boxes"][kept].clamp(min=0).minimum(torch.tensor([50.0, 100.0, 50.0, 100.0]))
    np.testing.assert_allclose([box.corners for box in boxes], inside.numpy(), atol=1e-3)


def test_mask_lies_where_its_box_does_and_fills_the_picture(folders: dict[str, Path]) -> None:
    (boxes,) = made(folders, "mask2former").boxes([pictures()[3]])
    assert boxes
    for box in boxes:
        assert box.mask is not None
        assert box_around(filled(box.mask, 70, 90)) == box.corners


def test_mask_is_laid_on_the_picture_without_the_padding() -> None:
    """Half of the prepared picture is padding: what fills its upper half fills the picture."""
    pixels, mask = torch.zeros(3, 64, 64), torch.zeros(64, 64)
    mask[:32] = 1
    logits = torch.full((1, 16, 16), -9.0)
    logits[:, :8, :4] = 9.0  # the left quarter of what is no padding

    def network(**given: Any) -> Any:
        classes = torch.tensor([[[0.0, 9.0, 0.0]]])
        return transformers.modeling_outputs.ModelOutput(
            class_queries_logits=classes, masks_queries_logits=logits[None]
        )

    network.device, network.dtype = torch.device("cpu"), torch.float32  # type: ignore[attr-defined]  # as a module has
    ((thing,),) = FindsMasks().find(network, None, [Prepared(pixels, mask, (100, 200))], 0.1)
    assert thing.number == 1
    assert thing.score == pytest.approx(1.0, abs=0.02)
    np.testing.assert_allclose(thing.corners, (0, 0, 50, 100), atol=3)


def test_picture_of_which_the_network_would_see_nothing_is_not_judged(folders: dict[str, Path]) -> None:
    strip, whole = Image.new("RGB", (2000, 3)), pictures()[0]
    found = made(folders, "yolos").boxes([strip, whole], [["person"], []])
    assert found == [None, []]


def test_processor_that_takes_no_picture_is_no_fault_of_the_pictures(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = save_rt_detr_v2(tmp_path)
    config = folder / "preprocessor_config.json"
    config.write_text(config.read_text("utf-8").replace('"height": 64', '"height": -4'), "utf-8")
    with pytest.raises(DataError, match=r"judge 'object_detection': .*: its processor takes no picture: "):
        make_judge("object_detection", {"weights": str(folder)}).boxes([pictures()[0]])  # type: ignore[attr-defined]


def test_colours_are_told_of_every_thing_where_an_encoder_is_named(folders: dict[str, Path]) -> None:
    judge = made(folders, "mask2former", encoder=ByWord())
    assert judge.traits == {"colour": COLOURS}
    (boxes,) = judge.boxes([pictures()[0]])
    assert boxes
    assert all([trait.value for trait in box.traits] == list(COLOURS) for box in boxes[:16])
    assert judge.identity["colours"]["encoder"] == ByWord.identity
    assert made(folders, "mask2former").identity["colours"] is None


def test_class_is_called_what_the_config_says(folders: dict[str, Path]) -> None:
    judge = made(folders, "rt_detr_v2", names={"sofa": "settee"})
    assert judge.labels == ("person", "settee", "computer mouse")
    assert judge.identity["classes"] == ["person", "settee", "computer mouse", None]
    with pytest.raises(ConfigError, match="names: unknown class of the model 'sofe'; did you mean 'sofa'"):
        made(folders, "rt_detr_v2", names={"sofe": "settee"})


def test_making_one_loads_no_weights_and_it_can_be_sent_to_a_worker(folders: dict[str, Path]) -> None:
    judge = made(folders, "yolos")
    again = pickle.loads(pickle.dumps(judge))
    assert again.identity == judge.identity
    assert "_network" not in vars(judge)


def test_identity_says_no_place_and_follows_from_what_decides_a_number(tmp_path: Path) -> None:
    first, same, other = (save_yolos(tmp_path / name, seed) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    (same / "README.md").write_text("read me", "utf-8")
    identities = [make_judge("object_detection", {"weights": str(folder)}).identity for folder in (first, same, other)]
    assert identities[0] == identities[1] != identities[2]
    half = make_judge("object_detection", {"weights": str(first), "precision": "bf16"}).identity
    assert half != identities[0]
    config = same / "preprocessor_config.json"
    config.write_text(config.read_text("utf-8").replace("96", "80"), "utf-8")
    assert make_judge("object_detection", {"weights": str(same)}).identity != identities[0]


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_half_precision_finds_much_the_same(folders: dict[str, Path], precision: str) -> None:
    full, half = (made(folders, "yolos", precision=one).boxes(pictures()) for one in ("fp32", precision))
    for found, again in zip(full, half, strict=True):
        assert max(box.score for box in found or []) == pytest.approx(max(box.score for box in again or []), abs=0.02)


@pytest.mark.parametrize("least_score", [-0.1, 1.0])
def test_least_score_out_of_range_is_refused(folders: dict[str, Path], least_score: float) -> None:
    with pytest.raises(ConfigError, match="judge 'object_detection': least_score is at least 0 and below 1"):
        made(folders, "yolos", least_score=least_score)
