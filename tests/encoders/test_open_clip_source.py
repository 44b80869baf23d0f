import copy
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import save_file
from tiny_clip import MODEL, TEXTS

from diptych.encoders import make_encoder
from diptych.encoders.open_clip import open_clip_encoder
from diptych.encoders.open_clip_source import find_source
from diptych.errors import ConfigError, DataError


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
@pytest.mark.parametrize("damage", ["empty", "cut", "text", "other", "fewer", "code"])
def test_damaged_weights_are_one_line_that_names_the_file(
    tmp_path: Path, folder: Path, named: None, damage: str, suffix: str
) -> None:
    from safetensors.torch import load_file

    path = tmp_path / f"weights{suffix}"
    whole = (folder / "open_clip_model.safetensors").read_bytes()
    tensors = load_file(folder / "open_clip_model.safetensors")
    fewer = {name: value for name, value in tensors.items() if "visual" in name}
    write = save_file if suffix == ".safetensors" else torch.save
    if damage == "code" and suffix == ".pt":
        torch.save(open_clip.CLIP(**copy.deepcopy(MODEL)), path)
    elif damage in ("other", "fewer", "code"):
        write({"weight": torch.ones(3)} if damage == "other" else fewer, path)
    else:
        torch.save(tensors, path) if suffix == ".pt" else path.write_bytes(whole)
        path.write_bytes({"empty": b"", "cut": path.read_bytes()[:9000], "text": b"hello"}[damage])
    encoder = open_clip_encoder(architecture="Tiny", pretrained=str(path))
    with pytest.raises(DataError) as caught:
        encoder.texts(["a"])
    message = str(caught.value)
    assert message.startswith(f"{path}: does not load as the architecture Tiny: ")
    assert message.isprintable()
    assert len(message) < len(str(path)) + 350


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"architecture": "Tini", "pretrained": "plain"}, "unknown architecture 'Tini'; did you mean 'Tiny'"),
        ({"architecture": "Tiny"}, "Tiny: say which weights"),
        ({"architecture": "Tiny", "pretrained": "openay"}, "no checkpoint file 'openay' here and unknown tag 'openay'"),
        ({"architecture": "local-dir:/nowhere"}, "/nowhere: no open_clip_config.json there"),
        ({"architecture": "FOLDER", "pretrained": "openai"}, "brings its own weights; leave pretrained: openai out"),
        ({"architecture": "FOLDER", "preprocess": {"men": [0, 0, 0]}}, "unknown key 'men'; did you mean 'mean'?"),
        ({"architecture": "FOLDER", "preprocess": {"mean": [0, 0]}}, "preprocess: mean cannot be [0, 0]"),
        ({"architecture": "FOLDER", "preprocess": {"std": [1, 1, 0]}}, "preprocess: std cannot be [1, 1, 0]"),
        ({"architecture": "FOLDER", "preprocess": {"resize_mode": "crop"}}, "preprocess: resize_mode cannot be 'crop'"),
        ({"architecture": "FOLDER", "precision": "fp8"}, "option 'precision'"),
    ],
    ids=str,
)
def test_what_cannot_be_is_told(folder: Path, named: None, options: dict[str, Any], message: str) -> None:
    options = {**options, "architecture": options["architecture"].replace("FOLDER", str(folder))}
    with pytest.raises(ConfigError) as caught:
        make_encoder("open_clip", options)
    assert message in str(caught.value)


@pytest.mark.parametrize("config", ["{", "[]", "{}", '{"model_cfg": 3}', '{"model_cfg": {"vision_cfg": {}}}'])
def test_a_folder_without_a_sound_configuration_is_refused(tmp_path: Path, config: str) -> None:
    (tmp_path / "open_clip_config.json").write_text(config)
    with pytest.raises(ConfigError, match=r"open_clip_config\.json: not an open_clip configuration"):
        open_clip_encoder(architecture=str(tmp_path))


def test_a_folder_without_weights_says_what_is_looked_for(tmp_path: Path, folder: Path) -> None:
    shutil.copy(folder / "open_clip_config.json", tmp_path)
    with pytest.raises(ConfigError, match=r"no weights there; open_clip looks for open_clip_model\.safetensors"):
        open_clip_encoder(architecture=str(tmp_path))


def test_a_device_that_is_not_there_is_told(folder: Path) -> None:
    for device in ("warp", "cuda:99"):
        with pytest.raises(ConfigError, match=f"device '{device}': cannot be used here"):
            open_clip_encoder(architecture=str(folder), device=device).texts(["a"])


@pytest.mark.parametrize(
    "options",
    [{"architecture": "ViT-B-32", "pretrained": "laion2b_s34b_b79k"}, {"architecture": "hf-hub:nobody/nothing"}],
    ids=str,
)
def test_weights_that_cannot_be_downloaded_are_one_line(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    monkeypatch.setattr("diptych.encoders.open_clip_source.is_offline", lambda: False)
    with pytest.raises(
        DataError, match=r"not cached and cannot be downloaded: \S.*[^.]; download \w+ elsewhere"
    ) as caught:
        make_encoder("open_clip", options)
    assert "\n" not in str(caught.value)
    assert "..." not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"architecture": "ViT-B-32", "pretrained": "openai"},
            "the weights timm/vit_base_patch32_clip_224.openai are not in the hub's cache, and downloads are off "
            "(DIPTYCH_OFFLINE=yes); download them elsewhere and give the path of the file as the encoder's option "
            "pretrained",
        ),
        (
            {"architecture": "hf-hub:nobody/nothing"},
            "hf-hub:nobody/nothing is not in the hub's cache whole, and downloads are off (DIPTYCH_OFFLINE=yes); "
            "download it elsewhere and give the path of the folder as the encoder's option architecture",
        ),
    ],
    ids=["tag", "hub"],
)
def test_weights_that_are_missing_while_downloads_are_off_are_said_in_a_whole_sentence(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], said: str
) -> None:
    monkeypatch.setenv("DIPTYCH_OFFLINE", "yes")
    with pytest.raises(DataError, match=f"^{re.escape(said)}$"):
        make_encoder("open_clip", options)


def test_weights_in_the_cache_of_the_hub_are_found_while_downloads_are_off(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    for name in ("own--tiny", "timm--vit_base_patch32_clip_224.openai"):
        cached = tmp_path / f"models--{name}"
        shutil.copytree(folder, cached / "snapshots" / "0123")
        (cached / "refs").mkdir()
        (cached / "refs" / "main").write_text("0123")
    hub = find_source("hf-hub:own/tiny", None, {})
    assert (hub.label, hub.weights.parent.name) == ("hf-hub:own/tiny", "0123")
    assert find_source("ViT-B-32", "openai", {}).weights.parent.parent.parent.name.endswith("clip_224.openai")


def test_a_hub_model_is_known_by_its_name_and_takes_its_tokenizer_from_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = open_clip.get_tokenizer
    monkeypatch.setattr("diptych.encoders.open_clip_source.is_offline", lambda: False)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda repository, name: str(folder / name))
    monkeypatch.setattr("open_clip.pretrained.download_pretrained_from_hf", lambda repository: None)
    monkeypatch.setattr(open_clip, "get_tokenizer", lambda name: (asked.append(name), real(f"local-dir:{folder}"))[1])
    encoder = open_clip_encoder(architecture="hf-hub:own/tiny")
    local = open_clip_encoder(architecture=str(folder))
    assert encoder.identity == {**local.identity, "architecture": "hf-hub:own/tiny"}
    assert np.array_equal(encoder.texts(TEXTS), local.texts(TEXTS))
    assert asked == ["hf-hub:own/tiny", f"local-dir:{folder}"]


def test_weights_that_were_fetched_by_url_are_found_without_downloads(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch, named: None
) -> None:
    tags = {"fetched": {"url": "https://example.invalid/tiny.pt"}, "other": {"url": "https://example.invalid/no.pt"}}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "Tiny", tags)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / ".cache/clip").mkdir(parents=True)
    shutil.copy(checkpoint, tmp_path / ".cache/clip/tiny.pt")
    assert find_source("Tiny", "fetched", {}).weights == tmp_path / ".cache/clip/tiny.pt"
    with pytest.raises(DataError, match=r"the weights https://example\.invalid/no\.pt are not in the hub's cache, and"):
        find_source("Tiny", "other", {})
