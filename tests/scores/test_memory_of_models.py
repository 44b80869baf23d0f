"""Models that do not fit the memory: told before anything is looked at, and never where the evidence lies there."""

from pathlib import Path
from types import SimpleNamespace

import own_judges
import pytest
from own_judges import SEEN
from tiny_dataset import good_rows, make_dataset
from tiny_judges import save_yolos

from diptych.encoders import make_encoder
from diptych.errors import DataError
from diptych.judges import make_judge
from diptych.pretrained.held import weights_of
from diptych.pretrained.memory import check_all_fit
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScorePlan:
    """A judge that takes no memory, then one that has a model of a folder."""
    own_judges.install(monkeypatch)
    make_dataset(tmp_path / "data", good_rows(3))
    judges = {
        "first": ("own_text", {}),
        "large": ("object_detection", {"weights": str(save_yolos(tmp_path / "yolos")), "device": "cpu"}),
    }
    scores = {"text": ("written_text", {"judge": "first"}), "objects": ("object_accuracy", {"judge": "large"})}
    return ScorePlan({}, scores, judges=judges)


def test_a_judge_that_does_not_fit_says_so_before_another_has_looked(
    plan: ScorePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diptych.pretrained.memory.free_memory", lambda device: 1000)
    with pytest.raises(DataError, match=r"judge 'object_detection': .* has 0.0 GB free; take a smaller model"):
        score_dataset(tmp_path / "data", plan, progress="none")
    assert SEEN == []


def test_a_judge_that_has_looked_needs_no_memory(
    plan: ScorePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score_dataset(tmp_path / "data", plan, progress="none")
    monkeypatch.setattr("diptych.pretrained.memory.free_memory", lambda device: 0)
    other = ScorePlan({}, {"again": ("object_accuracy", {"judge": "large", "threshold": 0.7})}, judges=plan.judges)
    assert score_dataset(tmp_path / "data", other, progress="none").shards_done > 0


def test_a_detector_within_a_judge_has_to_fit_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = make_judge("object_detection", {"weights": str(save_yolos(tmp_path / "yolos")), "device": "cpu"})
    with_depth = SimpleNamespace(detector=detector)
    check_all_fit(weights_of(with_depth))
    monkeypatch.setattr("diptych.pretrained.memory.free_memory", lambda device: 1000)
    with pytest.raises(DataError, match=r"judge 'object_detection': .* has 0.0 GB free"):
        check_all_fit(weights_of(with_depth))


DEMO = "package:diptych.demo/models"
CLIP = ("open_clip", {"architecture": f"{DEMO}/clip", "device": "cpu"})
SCORES: dict[str, tuple[str, dict[str, object], str]] = {
    "vectors": ("decoded", {}, "encoder 'open_clip': from a folder"),
    "texts": ("clip_similarity", {"encoder": "clip"}, "encoder 'open_clip': from a folder"),
    "networks in ONNX": ("written_text", {"judge": "ocr"}, "judge 'rapidocr'"),
    "the demo's detector": ("object_accuracy", {"judge": "demo"}, "judge 'centre_point'"),
}


@pytest.mark.parametrize("name", SCORES)
def test_whatever_loads_weights_says_before_the_first_picture_that_they_do_not_fit(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diptych.pretrained.memory.free_memory", lambda device: 1000)
    monkeypatch.setattr("diptych.data.images.decode", lambda *given, **options: pytest.fail("a picture was opened"))
    score, options, whose = SCORES[name]
    judges = {"ocr": ("rapidocr", {}), "demo": ("centre_point", {"weights": f"{DEMO}/detector", "device": "cpu"})}
    embed = ("clip",) if name == "vectors" else ()
    plan = ScorePlan({"clip": CLIP}, {"it": (score, options)}, embed, judges).needed()
    make_dataset(tmp_path / "data", good_rows(2))
    with pytest.raises(DataError, match=rf"^{whose}: .* needs about 0.0 GB of memory in fp32 for its [\d,]+ weights"):
        score_dataset(tmp_path / "data", plan, progress="none")


def test_an_encoder_that_a_judge_asks_has_to_fit_too(tmp_path: Path) -> None:
    encoder = make_encoder(*CLIP)
    options = {"weights": str(save_yolos(tmp_path / "yolos")), "encoder": encoder}
    for judge in (make_judge("object_detection", options), make_judge("zero_shot", {"encoder": encoder})):
        assert "encoder 'open_clip': from a folder" in [held.where for held in weights_of(judge)]
