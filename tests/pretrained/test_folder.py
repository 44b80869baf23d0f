"""Folders of models as Hugging Face's libraries save them, whole and damaged."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_judges import save_yolos

from diptych.errors import ConfigError, DataError
from diptych.pretrained.folder import find_pretrained

WHERE = "judge 'x': weights"
CLASS = "AutoModelForObjectDetection"


def change_config(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")


def test_model_loads_as_it_was_saved(tmp_path: Path) -> None:
    model = find_pretrained(str(save_yolos(tmp_path)), WHERE)
    assert model.labels == {0: "person", 1: "sofa", 2: "mouse", 3: "N/A"}
    assert model.facts["architecture"] == "YolosForObjectDetection"
    assert not model.load(CLASS, "fp32", "cpu").training


def test_pickled_weights_of_old_models_are_read(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    folder = save_yolos(tmp_path)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    model = find_pretrained(str(folder), WHERE)
    assert model.facts["weights_sha256"]
    model.load(CLASS, "fp32", "cpu")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere", "judge 'x': weights: no folder 'nowhere'; give a folder with config.json"),
        ("./nowhere", "judge 'x': weights: no folder 'nowhere'; give a folder with config.json"),
        ("a/b/c", "judge 'x': weights: no folder 'a/b/c'"),
        ("{folder}@main", "judge 'x': weights: no folder '.*@main'"),
        ("{folder}/config.json", "is a file; give the folder in which it lies"),
        ("{empty}", "has no config.json; give the folder of a model that transformers loads"),
    ],
)
def test_model_that_is_not_there_is_said(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    places = {"folder": save_yolos(tmp_path / "whole"), "empty": tmp_path / "empty"}
    with pytest.raises(ConfigError, match=message):
        find_pretrained(name.format(**places), WHERE)


def test_model_of_the_hub_that_is_not_cached_is_said_when_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DataError, match="facebook/nothing-here is not in the hub's cache whole, and downloads are off"):
        find_pretrained("facebook/nothing-here@v1", WHERE)


@pytest.mark.parametrize("content", ["{", "[]", "[" * 100_000, "\xff"])
def test_damaged_config_is_named(tmp_path: Path, content: str) -> None:
    folder = save_yolos(tmp_path)
    (folder / "config.json").write_text(content, "latin-1")
    with pytest.raises(DataError, match=r"config\.json: damaged: .*; fetch the model again"):
        _ = find_pretrained(str(folder), WHERE).labels


@pytest.mark.parametrize("labels", [{}, None, {"one": "person"}, ["person"]])
def test_classes_without_numbers_are_refused(tmp_path: Path, labels: Any) -> None:
    folder = save_yolos(tmp_path)
    change_config(folder, id2label=labels)
    with pytest.raises(DataError, match=r"config\.json: (names no classes|id2label: )"):
        _ = find_pretrained(str(folder), WHERE).labels


def test_cut_weights_are_refused_before_anything_is_looked_at(tmp_path: Path) -> None:
    folder = save_yolos(tmp_path)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"model\.safetensors: is cut"):
        _ = find_pretrained(str(folder), WHERE).facts
    weights.unlink()
    with pytest.raises(DataError, match=r"has no weights \(model\.safetensors\); fetch the model again"):
        _ = find_pretrained(str(folder), WHERE).facts


def test_weights_that_would_be_random_are_refused(tmp_path: Path) -> None:
    """Transformers draws what a file lacks and only warns."""
    from safetensors.torch import load_file, save_file

    folder = save_yolos(tmp_path)
    tensors = load_file(folder / "model.safetensors")
    without = {name: tensor for name, tensor in tensors.items() if not name.startswith("class_labels_classifier")}
    save_file(without, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        DataError, match="weights that YolosForObjectDetection needs are missing, such as 'class_labels"
    ):
        find_pretrained(str(folder), WHERE).load(CLASS, "fp32", "cpu")


def test_weights_of_another_shape_or_class_are_one_line(tmp_path: Path) -> None:
    folder = save_yolos(tmp_path)
    model = find_pretrained(str(folder), WHERE)
    with pytest.raises(DataError, match="does not load with transformers' AutoModelForUniversalSegmentation: ") as said:
        model.load("AutoModelForUniversalSegmentation", "fp32", "cpu")
    assert "\n" not in str(said.value)
    change_config(folder, hidden_size=32)
    with pytest.raises(DataError, match="does not load with transformers'"):
        find_pretrained(str(folder), WHERE).load(CLASS, "fp32", "cpu")


def test_code_that_a_model_brings_along_is_not_run(tmp_path: Path) -> None:
    folder = save_yolos(tmp_path)
    (folder / "own.py").write_text("raise SystemExit('run')", "utf-8")
    change_config(folder, auto_map={CLASS: "own.Model", "AutoConfig": "own.Config"}, model_type="own")
    with pytest.raises(DataError, match="does not load"):
        find_pretrained(str(folder), WHERE).load(CLASS, "fp32", "cpu")
