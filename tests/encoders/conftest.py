"""Tiny CLIPs as a folder, as a checkpoint, and under a name that open_clip knows."""

from pathlib import Path

import pytest
import torch
from open_clip.factory import _MODEL_CONFIGS
from open_clip.pretrained import _PRETRAINED
from tiny_clip import MODEL, SQUASHED, save_clip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_clip(tmp_path_factory.mktemp("models") / "tiny", preprocess=SQUASHED)


@pytest.fixture(scope="module")
def checkpoint(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of the folder as a torch checkpoint."""
    from safetensors.torch import load_file

    path = tmp_path_factory.mktemp("weights") / "tiny.pt"
    torch.save({"state_dict": load_file(folder / "open_clip_model.safetensors")}, path)
    return path


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch, checkpoint: Path) -> None:
    """The architectures Tiny and Tiny-quickgelu, with tags that need no download."""
    monkeypatch.setitem(_MODEL_CONFIGS, "Tiny", MODEL)
    monkeypatch.setitem(_MODEL_CONFIGS, "Tiny-quickgelu", {**MODEL, "quick_gelu": True})
    quick = {"file": str(checkpoint), "quick_gelu": True, **SQUASHED}
    monkeypatch.setitem(_PRETRAINED, "Tiny", {"openai": quick, "plain": {"file": str(checkpoint)}})
    monkeypatch.setitem(_PRETRAINED, "Tiny-quickgelu", {"openai": quick, "silent": {"file": str(checkpoint)}})
