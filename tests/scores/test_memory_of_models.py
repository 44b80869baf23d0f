"""Models that do not fit the memory: told before anything is looked at, and never where the evidence lies there."""

from pathlib import Path
from types import SimpleNamespace

import own_judges
import pytest
from own_judges import SEEN
from tiny_dataset import good_rows, make_dataset
from tiny_judges import save_yolos

from diptych.errors import DataError
from diptych.judges import make_judge
from diptych.pretrained.folder import check_model_fits
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
    check_model_fits(with_depth)
    monkeypatch.setattr("diptych.pretrained.memory.free_memory", lambda device: 1000)
    with pytest.raises(DataError, match=r"judge 'object_detection': .* has 0.0 GB free"):
        check_model_fits(with_depth)
