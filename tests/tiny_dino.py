"""Tiny vision transformers of DINO with random weights, written by transformers as real ones are."""

from pathlib import Path

import torch
import transformers

SIZES = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}


def save_dinov2(folder: Path, seed: int = 0) -> Path:
    """Save one that was trained, so to speak, at 518 pixels, as the real ones."""
    torch.manual_seed(seed)
    config = transformers.Dinov2Config(**SIZES, initializer_range=0.5, mlp_ratio=2, image_size=518, patch_size=14)
    model = transformers.Dinov2Model(config).eval()
    with torch.no_grad():
        model.embeddings.position_embeddings.normal_()
        model.embeddings.cls_token.normal_()
    model.save_pretrained(folder)
    return folder


def save_dinov3(folder: Path, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    config = transformers.DINOv3ViTConfig(**SIZES, intermediate_size=32, image_size=224, patch_size=16)
    transformers.DINOv3ViTModel(config).eval().save_pretrained(folder)
    return folder
