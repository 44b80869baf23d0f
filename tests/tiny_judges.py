"""Tiny judges of random weights, saved as the libraries save real ones; their classes are the libraries' own."""

from pathlib import Path

import torch
import transformers

CLASSES = ("person", "sofa", "mouse", "N/A")


def with_classes(config: transformers.PretrainedConfig, classes: tuple[str, ...] = CLASSES) -> None:
    config.id2label = dict(enumerate(classes))
    config.label2id = {label: number for number, label in config.id2label.items()}


def save_rt_detr_v2(folder: Path, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    backbone = transformers.RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 8, 8, 8],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    config = transformers.RTDetrV2Config(
        backbone_config=backbone,
        encoder_hidden_dim=16,
        encoder_in_channels=[8, 8, 8],
        encoder_ffn_dim=16,
        d_model=16,
        decoder_in_channels=[16, 16, 16],
        decoder_ffn_dim=16,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        num_queries=10,
        num_labels=len(CLASSES),
        num_denoising=0,
    )
    with_classes(config)
    transformers.RTDetrV2ForObjectDetection(config).eval().save_pretrained(folder)
    transformers.RTDetrImageProcessor(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


def save_yolos(folder: Path, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    config = transformers.YolosConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=[64, 64],
        patch_size=16,
        num_detection_tokens=6,
        num_labels=len(CLASSES),
    )
    with_classes(config)
    transformers.YolosForObjectDetection(config).eval().save_pretrained(folder)
    transformers.YolosImageProcessor(size={"shortest_edge": 64, "longest_edge": 96}).save_pretrained(folder)
    return folder


def save_mask2former(folder: Path, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    backbone = transformers.SwinConfig(
        image_size=64,
        patch_size=4,
        embed_dim=8,
        depths=[1, 1, 1, 1],
        num_heads=[1, 1, 2, 2],
        window_size=4,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    config = transformers.Mask2FormerConfig(
        backbone_config=backbone,
        feature_size=32,
        mask_feature_size=32,
        hidden_dim=32,
        encoder_feedforward_dim=16,
        dim_feedforward=16,
        encoder_layers=1,
        decoder_layers=2,
        num_attention_heads=2,
        num_queries=6,
        num_labels=len(CLASSES),
    )
    with_classes(config)
    model = transformers.Mask2FormerForUniversalSegmentation(config).eval()
    model.save_pretrained(folder)
    processor = transformers.Mask2FormerImageProcessor(size={"shortest_edge": 64, "longest_edge": 128})
    processor.save_pretrained(folder)
    return folder
