"""Models that do not fit are refused before their weights are read, and those that nobody will load never."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from drawn import draw_folder
from tiny_dataset import good_rows, make_dataset
from tiny_generated import made_grid, make_generated
from tiny_judges import save_dpt, save_grounding_dino, save_mask2former, save_owlv2, save_rt_detr_v2, save_yolos
from tiny_pick import save_transformers_clip
from tiny_readers import save_florence2, save_trocr
from tiny_vlms import save_qwen2_5_vl
from tiny_vqa import save_blip_vqa, save_vilt_vqa

from diptych.cli import main
from diptych.encoders import make_encoder
from diptych.errors import DataError
from diptych.jobs.engine import Engine
from diptych.judges import make_judge
from diptych.pretrained.held import files_sha256_of
from diptych.scores.memory_ahead import check_memory_ahead
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset
from diptych.storage.location import Location

WEIGHTS = (".safetensors", ".pth", ".pt", ".bin")
TOO_LARGE = "judge 'object_detection': "
SCORES = {"objects": {"score": "object_accuracy", "judge": "large"}}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files of weights whose sha256 is asked for."""
    names: list[str] = []
    from diptych import assets

    hashed: Callable[..., str] = assets._file_sha256

    def noting(path: Path, stamp: tuple[int, ...]) -> str:
        if path.suffix in WEIGHTS:
            names.append(path.name)
        return hashed(path, stamp)

    monkeypatch.setattr(assets, "_file_sha256", noting)
    return names


def judges(folder: Path, seed: int = 0) -> dict[str, Any]:
    name = "yolos" if seed == 0 else "other"
    weights = save_yolos(folder / name) if seed == 0 else save_rt_detr_v2(folder / name)
    return {"large": {"kind": "object_detection", "options": {"weights": str(weights), "device": "cpu"}}}


def _ended(*given: object) -> None:
    raise KeyboardInterrupt


def plan(folder: Path, seed: int = 0, **rule: Any) -> ScorePlan:
    made = judges(folder, seed)["large"]
    scores = {"objects": ("object_accuracy", {"judge": "large", **rule})}
    return ScorePlan({}, scores, judges={"large": (made["kind"], made["options"])})


def leave_memory(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr("diptych.pretrained.memory.free_memory", lambda device: free)


def test_a_model_that_does_not_fit_is_refused_before_its_weights_are_read(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_dataset(tmp_path / "data", good_rows(3))
    leave_memory(monkeypatch, 1000)
    with pytest.raises(DataError, match=TOO_LARGE):
        score_dataset(tmp_path / "data", plan(tmp_path), progress="none")
    assert read == []


def test_beside_what_another_model_saw_it_is_refused_as_soon(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_dataset(tmp_path / "data", good_rows(3))
    score_dataset(tmp_path / "data", plan(tmp_path), progress="none")
    assert read
    read.clear()
    leave_memory(monkeypatch, 1000)
    with pytest.raises(DataError, match=TOO_LARGE):
        score_dataset(tmp_path / "data", plan(tmp_path, seed=1), progress="none")
    assert read == []


@pytest.mark.parametrize("is_sealed", [True, False])
def test_what_is_stored_is_not_refused(is_sealed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_dataset(tmp_path / "data", good_rows(3))
    if is_sealed:
        score_dataset(tmp_path / "data", plan(tmp_path), progress="none")
    else:
        with monkeypatch.context() as patch:
            patch.setattr("diptych.data.growing_sets.GrowingSet.seal", _ended)  # a kill behind the last shard
            with pytest.raises(KeyboardInterrupt):
                score_dataset(tmp_path / "data", plan(tmp_path), progress="none")
    leave_memory(monkeypatch, 0)
    score_dataset(tmp_path / "data", plan(tmp_path, threshold=0.7), progress="none")
    score_dataset(tmp_path / "data", plan(tmp_path), progress="none")


def test_a_dataset_without_rows_takes_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_dataset(tmp_path / "data", [])
    leave_memory(monkeypatch, 0)
    assert score_dataset(tmp_path / "data", plan(tmp_path), progress="none").shards_done == 0


def test_what_other_machines_load_is_left_to_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_memory(monkeypatch, 0)
    places = [Location.at(tmp_path / "data")]
    check_memory_ahead(plan(tmp_path), places, Engine(2, "ray"))
    with pytest.raises(DataError, match=TOO_LARGE):
        check_memory_ahead(plan(tmp_path), places, Engine(2))


@pytest.mark.parametrize("workers", [None, 2])
def test_a_gpu_is_not_touched_where_others_will_have_it(
    workers: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_memory(monkeypatch, 0)
    monkeypatch.setattr("diptych.scores.memory_ahead.count_gpus", lambda: 2)
    monkeypatch.setattr("diptych.pretrained.memory.torch_device", lambda name: pytest.fail(f"{name} was taken"))
    made = plan(tmp_path)
    kind, options = made.judges["large"]
    on_gpu = ScorePlan({}, made.scores, judges={"large": (kind, {**options, "device": "auto"})})
    check_memory_ahead(on_gpu, [Location.at(tmp_path / "data")], Engine(workers))


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["--progress", "none", *map(str, arguments)], catch_exceptions=False)


def write(path: Path, config: dict[str, Any]) -> Path:
    path.write_text(json.dumps(config) if path.suffix == ".json" else yaml.safe_dump(config, sort_keys=False))
    return path


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_an_evaluation_says_so_at_once_and_in_a_dry_run(
    more: list[str], tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_generated(tmp_path / "generated", made_grid())
    config = {
        "job": "evaluate",
        "name": "tiny",
        "store": str(tmp_path / "store.duckdb"),
        "datasets": {"generated": {"path": str(tmp_path / "generated"), "role": "generated"}},
        "judges": judges(tmp_path),
        "scores": SCORES,
    }
    file = write(tmp_path / "c.yaml", config)
    assert call("evaluate", "run", file, "--dry-run").exit_code == 0
    leave_memory(monkeypatch, 1000)
    result = call("evaluate", "run", file, *more)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert TOO_LARGE in result.stderr
    assert read == []


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_curation_says_so_before_it_fetches_anything_and_in_a_dry_run(
    more: list[str], tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {
        "job": "curate",
        "source": {"kind": "folder", "path": str(draw_folder(tmp_path / "images", 3))},
        "judges": judges(tmp_path),
        "scores": SCORES,
    }
    file = write(tmp_path / "c.yaml", config)
    assert call("curate", "run", file, "--out", tmp_path / "out", "--dry-run").exit_code == 0
    leave_memory(monkeypatch, 1000)
    result = call("curate", "run", file, "--out", tmp_path / "out", *more)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert TOO_LARGE in result.stderr
    assert read == []
    assert not (tmp_path / "out").exists()
    assert call("curate", "ingest", file, "--out", tmp_path / "out").exit_code == 0  # which takes no model


def test_a_dry_run_says_nothing_of_weights_that_are_not_here(tmp_path: Path) -> None:
    absent = ScorePlan(
        {"clip": ("open_clip", {"architecture": "ViT-L-14", "pretrained": "openai"})},
        {"objects": ("object_accuracy", {"judge": "large"}), "match": ("clip_similarity", {"encoder": "clip"})},
        judges={"large": ("object_detection", {"weights": "nobody/nothing", "encoder": "clip"})},
    )
    check_memory_ahead(absent, [Location.at(tmp_path)], is_trial=True)


JUDGES: dict[str, Callable[[Path], Path]] = {
    "blip_vqa": save_blip_vqa,
    "florence2": save_florence2,
    "grounding_dino": save_grounding_dino,
    "instance_segmentation": save_mask2former,
    "object_detection": save_rt_detr_v2,
    "owlv2": save_owlv2,
    "trocr": save_trocr,
    "vilt_vqa": save_vilt_vqa,
    "vision_language": save_qwen2_5_vl,
}


@pytest.mark.parametrize("kind", [*JUDGES, "boxes_with_depth"])
def test_an_identity_names_the_files_by_which_stored_evidence_is_known(kind: str, tmp_path: Path) -> None:
    encoder = make_encoder("transformers_clip", {"weights": str(save_transformers_clip(tmp_path / "clip"))})
    options: dict[str, Any] = {"weights": str((JUDGES.get(kind) or save_yolos)(tmp_path / "model"))}
    if kind == "boxes_with_depth":
        detector = {"kind": "object_detection", "options": options}
        options = {"detector": detector, "weights": str(save_dpt(tmp_path / "dpt"))}
    judge = make_judge(kind, options)
    for maker in (judge, encoder):
        said = [*files_sha256_of(maker)]
        assert said
        assert all(one in json.dumps(maker.identity) for one in said)
