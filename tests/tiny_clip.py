"""A CLIP small enough to be made for each test, saved as open_clip saves its models."""

import copy
import json
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors.torch import save_file

MODEL: dict[str, Any] = {
    "embed_dim": 32,
    "vision_cfg": {
        "image_size": 32,
        "patch_size": 16,
        "width": 64,
        "layers": 1,
        "head_width": 32,
        "patch_dropout": 0.5,
    },
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}
SQUASHED = {"mean": [0.5, 0.4, 0.3], "std": [0.5, 0.5, 0.5], "interpolation": "bilinear", "resize_mode": "squash"}
TEXTS = ["a cat", "", "ein Hund & ein Bär 🐻", "<b>bold</b> &amp; brave", "cat " * 100]


def save_clip(folder: Path, seed: int = 0, *, preprocess: dict[str, Any] | None = None, **changes: Any) -> Path:
    """Save a model with random weights as open_clip saves models in a folder."""
    folder.mkdir(parents=True)
    model = {**copy.deepcopy(MODEL), **changes}
    torch.manual_seed(seed)
    save_file(open_clip.CLIP(**copy.deepcopy(model)).state_dict(), folder / "open_clip_model.safetensors")
    config = {"model_cfg": model, "preprocess_cfg": preprocess or {}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    return folder
