"""Detectors that look for what they are asked for: tiny ones of random weights, saved and loaded again."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from noise import noise
from photo_runs import kill_and_resume, make_checked_dataset
from PIL import Image
from tiny_generated import Made, make_generated
from tiny_judges import save_dpt, save_grounding_dino, save_owlv2, save_yolos
from word_encoder import ByWord

from diptych.data.dataset import open_dataset
from diptych.errors import ConfigError, DataError
from diptych.judges import make_judge
from diptych.judges.boxes.colours import COLOURS
from diptych.judges.boxes.open_labels import OpenLabels
from diptych.judges.contract import Box
from diptych.judges.evidence import BOXES, read_evidence
from diptych.pretrained import memory
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset


def save_mm_grounding_dino(folder: Path) -> Path:
    return save_grounding_dino(folder, name="MMGroundingDino")


FAMILIES: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "grounding_dino": ("grounding_dino", save_grounding_dino),
    "mm_grounding_dino": ("grounding_dino", save_mm_grounding_dino),
    "owlv2": ("owlv2", save_owlv2),
}
JUDGES = ("grounding_dino", "owlv2")
SIZES = ((64, 64), (50, 100), (64, 64), (90, 70), (50, 100))
ASKED = (["cat", "dog"], ["dog"], ["red dog", "cat"], [], ["dog", "tv remote"])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    torch.set_num_threads(1)
    return {name: save(tmp_path_factory.mktemp(name)) for name, (_, save) in FAMILIES.items()}


def pictures() -> list[Image.Image]:
    return noise(*SIZES)


def made(folders: dict[str, Path], name: str, **options: Any) -> OpenLabels:
    judge = make_judge(FAMILIES[name][0], {"weights": str(folders[name]), "least_score": 0.0, **options})
    assert isinstance(judge, OpenLabels)
    return judge


def numbers(boxes: list[Box] | None, label: str = "") -> list[tuple[float, ...]]:
    """Return corners and score of boxes, only of one label if it is given."""
    return [(*box.corners, box.score) for box in boxes or [] if label in ("", box.label)]


def assert_same(found: list[tuple[float, ...]], expected: list[Any]) -> None:
    """Check that boxes are the same in any order, as rounding may move one before another that is as sure."""
    assert len(found) == len(expected)
    apart = np.abs(np.array(found).reshape(-1, 1, 5) - np.array(expected).reshape(1, -1, 5)).max(axis=2)
    assert not found or max(apart.min(axis=0).max(), apart.min(axis=1).max()) < 1e-3


@pytest.mark.parametrize("name", FAMILIES)
def test_only_what_is_asked_for_is_told_within_the_picture_the_surest_first(
    folders: dict[str, Path], name: str
) -> None:
    judge = made(folders, name)
    assert judge.labels is None
    for boxes, labels, (width, height) in zip(judge.boxes(pictures(), ASKED), ASKED, SIZES, strict=True):
        assert boxes is not None
        assert {box.label for box in boxes} == set(labels)
        assert [box.score for box in boxes] == sorted((box.score for box in boxes), reverse=True)
        for box in boxes:
            left, top, right, bottom = box.corners
            assert 0 <= left <= right <= width
            assert 0 <= top <= bottom <= height
        assert any(box.corners[2] - box.corners[0] > 1 for box in boxes) or not labels


@pytest.mark.parametrize("name", FAMILIES)
def test_no_neighbour_changes_what_is_found(
    folders: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, shown = made(folders, name), pictures()
    together = judge.boxes(shown, ASKED)
    for module in ("open_labels", "grounding_dino"):
        monkeypatch.setattr(f"diptych.judges.boxes.{module}.CHUNK", 1)
    alone = [judge.boxes([picture], [labels])[0] for picture, labels in zip(shown, ASKED, strict=True)]
    for found, again in zip(together, alone, strict=True):
        assert_same(numbers(found), numbers(again))


@pytest.mark.parametrize("name", FAMILIES)
def test_no_other_label_changes_what_is_said_of_one(folders: dict[str, Path], name: str) -> None:
    judge, shown = made(folders, name), pictures()[1]
    alone, beside, behind = judge.boxes([shown] * 3, [["dog"], ["dog", "cat", "hot dog"], ["hot dog", "dog"]])
    assert alone
    for found in (beside, behind):
        assert_same(numbers(found, "dog"), numbers(alone))


@pytest.mark.reference
def test_label_has_the_greatest_score_of_its_own_tokens(folders: dict[str, Path]) -> None:
    folder, picture = folders["grounding_dino"], pictures()[3]
    processor = transformers.GroundingDinoImageProcessorPil.from_pretrained(folder)
    tokens = transformers.BertTokenizer.from_pretrained(folder)("hot dog.", return_tensors="pt")
    network = transformers.GroundingDinoForObjectDetection.from_pretrained(folder).eval()
    with torch.inference_mode():
        output = network(**processor(images=picture, return_tensors="pt"), **tokens)
    shares = output.logits[0].sigmoid()
    assert tokens["input_ids"][0].tolist() == [101, 1033, 1031, 1012, 102]  # [CLS] hot dog . [SEP]
    x, y, width, height = (output.pred_boxes[0] * torch.tensor([90, 70, 90, 70])).T
    sides = [(x - width / 2).clamp(min=0), (y - height / 2).clamp(min=0)]
    sides += [(x + width / 2).clamp(max=90), (y + height / 2).clamp(max=70)]
    expected = torch.stack([*sides, shares[:, 1:3].amax(dim=1)], dim=1).tolist()
    (boxes,) = made(folders, "grounding_dino").boxes([picture], [["Hot dog"]])
    assert_same(numbers(boxes), expected)
    others = shares[:, [0, 3, 4]].amax(dim=1)
    assert (others > shares[:, 1:3].amax(dim=1)).any(), "the tokens around a label would score some box higher"


@pytest.mark.reference
def test_boxes_of_one_label_are_those_of_the_library_called_by_hand(folders: dict[str, Path]) -> None:
    folder, picture = folders["owlv2"], pictures()[1]
    pictured = transformers.Owlv2ImageProcessorPil.from_pretrained(folder)
    processor = transformers.Owlv2Processor(pictured, transformers.CLIPTokenizer.from_pretrained(folder))
    network = transformers.Owlv2ForObjectDetection.from_pretrained(folder).eval()
    with torch.inference_mode():
        output = network(**processor(images=picture, text=[["a photo of a cat"]], return_tensors="pt"))
    (found,) = processor.post_process_grounded_object_detection(output, threshold=0.0, target_sizes=[(100, 50)])
    inside = found["boxes"].clamp(min=0).minimum(torch.tensor([50.0, 100.0, 50.0, 100.0]))
    (boxes,) = made(folders, "owlv2").boxes([picture], [["cat"]])
    assert boxes is not None
    assert sorted(box.score for box in boxes) == pytest.approx(sorted(found["scores"].tolist()), abs=1e-5)
    expected = torch.cat([inside, found["scores"][:, None]], dim=1).tolist()
    assert_same(numbers(boxes), expected)


@pytest.mark.parametrize("name", JUDGES)
def test_label_is_looked_for_by_the_words_that_the_config_has_for_it(folders: dict[str, Path], name: str) -> None:
    picture = pictures()[0]
    (own,) = made(folders, name).boxes([picture], [["red dog"]])
    (renamed,) = made(folders, name, names={"tv remote": "red dog"}).boxes([picture], [["tv remote"]])
    assert {box.label for box in renamed or []} == {"tv remote"}
    assert numbers(renamed) == numbers(own) != []


@pytest.mark.parametrize(
    ("name", "label", "said"),
    [
        ("grounding_dino", "cat. dog", r"the label 'cat\. dog' is empty or has a sign '\.' or '\?'; write how to ask"),
        ("grounding_dino", "zebra", r"the label 'zebra' has a word that the model does not know; write how"),
        ("grounding_dino", "cat " * 12, r"has 15 tokens with those around it, and the model reads 12; write how"),
        ("owlv2", " ", r"the label ' ', asked as '', is empty; write how to ask for it in names: \{ : \.\.\.\}"),
        ("owlv2", "cat " * 9, r"has 38 tokens with those around it, and the model reads 24; write how"),
    ],
)
def test_label_that_cannot_be_asked_for_is_refused(folders: dict[str, Path], name: str, label: str, said: str) -> None:
    with pytest.raises(ConfigError, match=f"judge '{name}': .*{said}"):
        made(folders, name).boxes(pictures()[:1], [[label]])


@pytest.mark.parametrize("name", JUDGES)
def test_label_that_cannot_be_asked_for_stops_a_run_before_the_first_picture(
    folders: dict[str, Path], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is that of the last prompt, which lies in another shard; a detector with depth is asked the same."""
    looked: list[object] = []
    monkeypatch.setattr(OpenLabels, "boxes", lambda self, images, labels=None: looked.append(images))
    checks = [{"include": [{"class": label, "count": 1}]} for label in (*["dog"] * 8, "cat " * 30)]
    rows = [Made("one", number, checks=one, picture=number) for number, one in enumerate(checks)]
    make_generated(tmp_path / "data", rows)
    plain = (name, {"weights": str(folders[name]), "device": "cpu"})
    deep = {"weights": str(save_dpt(tmp_path / "depth")), "detector": {"kind": plain[0], "options": plain[1]}}
    for judge in (plain, ("boxes_with_depth", deep)):
        plan = ScorePlan({}, {"n": ("object_accuracy", {"judge": "eye"})}, judges={"eye": judge})
        with pytest.raises(ConfigError, match=r"the label 'cat .* has \d+ tokens .*, and the model reads"):
            score_dataset(tmp_path / "data", plan, progress="none")
    assert looked == []


@pytest.mark.parametrize("name", JUDGES)
def test_asked_for_nothing_it_looks_at_nothing(folders: dict[str, Path], name: str) -> None:
    judge = made(folders, name)
    assert judge.boxes(pictures()[:2], [[], []]) == [[], []]
    assert not {"_network", "_processor"} & set(vars(judge))
    with pytest.raises(ConfigError, match=f"judge '{name}': looks for what it is asked for, and nobody says what"):
        judge.boxes(pictures()[:1])


def test_picture_of_which_the_network_would_see_nothing_is_not_judged(folders: dict[str, Path]) -> None:
    shown = [Image.new("RGB", (2000, 3)), pictures()[0]]
    strip, whole = made(folders, "grounding_dino").boxes(shown, [["cat"], ["cat"]])
    assert strip is None
    assert whole


@pytest.mark.parametrize("name", JUDGES)
def test_colours_are_told_of_every_thing_where_an_encoder_is_named(folders: dict[str, Path], name: str) -> None:
    judge = made(folders, name, encoder=ByWord())
    assert judge.traits == {"colour": COLOURS}
    (boxes,) = judge.boxes(pictures()[:1], [["cat"]])
    told = [[trait.value for trait in box.traits] for box in boxes or []]
    assert list(COLOURS) in told
    assert judge.identity["colours"]["encoder"] == ByWord.identity
    assert made(folders, name).identity["colours"] is None


@pytest.mark.parametrize("name", JUDGES)
def test_making_one_loads_no_weights_and_it_can_be_sent_to_a_worker(folders: dict[str, Path], name: str) -> None:
    judge = made(folders, name)
    assert pickle.loads(pickle.dumps(judge)).identity == judge.identity
    assert "_network" not in vars(judge)


def test_identity_says_what_decides_a_number(folders: dict[str, Path], tmp_path: Path) -> None:
    other = save_owlv2(tmp_path / "other", 1)
    identities = [
        made(folders, "owlv2").identity,
        made(folders, "owlv2", names={"cat": "kitten"}).identity,
        made(folders, "owlv2", least_score=0.2).identity,
        made(folders, "owlv2", precision="bf16").identity,
        make_judge("owlv2", {"weights": str(other), "least_score": 0.0}).identity,
    ]
    assert all(one not in identities[:place] for place, one in enumerate(identities))
    assert (identities[0]["text"], identities[0]["labels_at_once"]) == ("a photo of a {}", 1)
    assert identities[0] == make_judge("owlv2", {"weights": str(folders["owlv2"]), "least_score": 0.0}).identity


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
@pytest.mark.parametrize("name", JUDGES)
def test_half_precision_finds_much_the_same(folders: dict[str, Path], name: str, precision: str) -> None:
    shown, asked = pictures()[:2], [["dog"], ["cat"]]
    full, half = (made(folders, name, precision=one).boxes(shown, asked) for one in ("fp32", precision))
    for found, again in zip(full, half, strict=True):
        assert max(box.score for box in found or []) == pytest.approx(max(box.score for box in again or []), abs=0.03)


@pytest.mark.parametrize("name", JUDGES)
def test_what_the_judge_is_less_sure_of_it_does_not_tell(folders: dict[str, Path], name: str) -> None:
    (every,) = made(folders, name).boxes(pictures()[:1], [["dog"]])
    least = sorted(box.score for box in every or [])[-2]
    (sure,) = made(folders, name, least_score=least).boxes(pictures()[:1], [["dog"]])
    assert sure == [box for box in every or [] if box.score >= least]
    assert len(every or []) > len(sure or []) >= 2
    with pytest.raises(ConfigError, match=f"judge '{name}': least_score is at least 0 and below 1, not 1.0"):
        made(folders, name, least_score=1.0)


def test_model_of_another_family_is_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"judge 'owlv2': weights: .* is a model of grounding-dino, not of owlv2"):
        make_judge("owlv2", {"weights": str(folders["grounding_dino"])})
    with pytest.raises(ConfigError, match="is a model of yolos, not of grounding-dino or mm-grounding-dino"):
        make_judge("grounding_dino", {"weights": str(save_yolos(tmp_path))})


@pytest.mark.slow  # the same machinery is killed for BLIP
def test_killed_run_of_two_workers_over_photographs_leaves_the_same_evidence(
    folders: dict[str, Path], tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each process computes on one thread, as the number of threads moves the last bits of a network this size."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    make_checked_dataset(tmp_path / "whole", shared, {"include": [{"class": "dog", "count": 1}]})
    judges = {name: (name, {"weights": str(folders[name]), "least_score": 0.0, "device": "cpu"}) for name in JUDGES}
    scores = {name: ("object_accuracy", {"judge": name, "threshold": 0.0}) for name in JUDGES}
    kill_and_resume(tmp_path, ScorePlan({}, scores, judges=judges))
    for evidence in open_dataset(tmp_path / "killed").column_sets("evidence"):
        every = [some for file in evidence.files for some in read_evidence(BOXES, file).records]
        assert len(every) == 7
        assert {box.label for some in every for box in some or []} == {"dog"}


@pytest.mark.parametrize("name", JUDGES)
def test_model_that_does_not_fit_says_so_before_its_weights_are_read(
    folders: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: 10)
    with pytest.raises(DataError, match=f"judge '{name}': weights: .* GB of memory in fp32 .* take a smaller model"):
        made(folders, name).boxes(pictures()[:1], [["dog"]])
