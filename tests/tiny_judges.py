"""Tiny judges of random weights, saved as the libraries save real ones; their classes are the libraries' own."""

from pathlib import Path

import torch
import transformers
from tiny_pick import letter_tokenizer

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


def save_dpt(folder: Path, seed: int = 0) -> Path:
    """Save a network that tells the depth of each pixel."""
    torch.manual_seed(seed)
    config = transformers.DPTConfig(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=64,
        patch_size=16,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[8, 8, 8, 8],
        fusion_hidden_size=8,
    )
    transformers.DPTForDepthEstimation(config).eval().save_pretrained(folder)
    transformers.DPTImageProcessor(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


def small_swin(*stages: str) -> transformers.SwinConfig:
    """Return a Swin that gives the maps of these stages."""
    return transformers.SwinConfig(
        image_size=64,
        patch_size=4,
        embed_dim=8,
        depths=[1, 1, 1, 1],
        num_heads=[1, 1, 2, 2],
        window_size=4,
        out_features=list(stages),
    )


def save_mask2former(folder: Path, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    config = transformers.Mask2FormerConfig(
        backbone_config=small_swin("stage1", "stage2", "stage3", "stage4"),
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


def save_grounding_dino(folder: Path, seed: int = 0, *, most_tokens: int = 12, name: str = "GroundingDino") -> Path:
    """Save one; the signs that end a label have the numbers that they have in BERT, as the networks know no others."""
    save_numbered_words(folder)
    torch.manual_seed(seed)
    words = transformers.BertConfig(
        vocab_size=1100,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        initializer_range=0.5,
    )
    config = getattr(transformers, f"{name}Config")(
        backbone_config=small_swin("stage2", "stage3", "stage4"),
        text_config=words,
        d_model=64,  # two channels to each group that is normalised, so that a map of one pixel is none of one value
        encoder_layers=1,
        decoder_layers=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        num_queries=6,
        num_feature_levels=4,
        max_text_len=most_tokens,
    )
    getattr(transformers, f"{name}ForObjectDetection")(config).eval().save_pretrained(folder)
    transformers.GroundingDinoImageProcessor(size={"shortest_edge": 64, "longest_edge": 96}).save_pretrained(folder)
    return folder


def save_numbered_words(folder: Path) -> None:
    """Save a tokenizer of words that has BERT's numbers of [CLS], [SEP], the full stop and the question mark."""
    tokens = [f"[unused{number}]" for number in range(1100)]
    tokens[0], tokens[100], tokens[101], tokens[102], tokens[103] = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
    tokens[1012], tokens[1029] = ".", "?"
    tokens[1030:1040] = ["cat", "dog", "red", "hot", "tv", "remote", "##s", "bench", "couch", "person"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(tokens), "utf-8")
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)


def save_owlv2(folder: Path, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    tokenizer = letter_tokenizer(24)
    tokenizer.save_pretrained(folder)
    config = transformers.Owlv2Config(
        text_config={
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 24,
            "initializer_range": 0.5,
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 8,
            "initializer_range": 0.5,
        },
        projection_dim=16,
    )
    model = transformers.Owlv2ForObjectDetection(config).eval()
    for weights in model.box_head.parameters():
        weights.data *= 0.1  # so that a box is about as large as its patch
    model.save_pretrained(folder)
    transformers.Owlv2ImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder
