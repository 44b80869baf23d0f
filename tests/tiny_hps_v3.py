"""A tiny checkpoint of HPSv3 of random weights, with the keys of the published one, and its formulas by hand."""

from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import save_file
from tiny_vlms import SPECIAL, chat_template, qwen_pictures, special_ids, text_facts, tiny_tokenizer
from torch.nn.functional import linear, relu

HEAD = ((0, 32, 12), (3, 12, 6), (5, 6, 2))  # number, inputs, outputs
REWARD = "<|Reward|>"


def save_hps_v3(folder: Path, seed: int = 0) -> dict[str, str]:
    """Save a Qwen2-VL without weights and a checkpoint, and return the options of the score."""
    tokenizer = tiny_tokenizer()
    pictures, size = qwen_pictures(14)
    config = transformers.Qwen2VLConfig(
        text_config=text_facts(
            tokenizer,
            max_position_embeddings=4096,
            rope_parameters={"rope_type": "default", "mrope_section": [2, 1, 1], "rope_theta": 1e4},
        ),
        vision_config={
            "depth": 1,
            "embed_dim": 32,
            "hidden_size": 32,
            "num_heads": 4,
            "mlp_ratio": 2,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "initializer_range": 0.3,
        },
        **special_ids(tokenizer),
    )
    config.architectures = ["Qwen2VLForConditionalGeneration"]
    config.save_pretrained(folder / "qwen")
    transformers.Qwen2VLProcessor(
        pictures,
        tokenizer,
        transformers.Qwen2VLVideoProcessor(patch_size=14, size=size),
        chat_template=chat_template("".join(SPECIAL[word] for word in ("start", "image", "end"))),
    ).save_pretrained(folder / "qwen")
    config.text_config.vocab_size += 1  # the token at which the head reads
    torch.manual_seed(seed)
    network = transformers.Qwen2VLForConditionalGeneration(config)
    state = {_old(name): value.contiguous() for name, value in network.state_dict().items()}
    for number, inputs, outputs in HEAD:
        state[f"rm_head.{number}.weight"] = torch.randn(outputs, inputs)
        state[f"rm_head.{number}.bias"] = torch.randn(outputs)
    save_file(state, folder / "HPSv3.safetensors")
    return {
        "weights": str(folder / "HPSv3.safetensors"),
        "model": str(folder / "qwen"),
        "precision": "fp32",
        "device": "cpu",
    }


def _old(name: str) -> str:
    """Return what transformers 4.45 called a weight."""
    return name.replace("model.visual.", "visual.").replace("model.language_model.", "model.")


def head_by_hand(state: dict[str, torch.Tensor], knows: Any) -> Any:
    """Return the two numbers of the head of what the network knows at a token."""
    for number, _, _ in HEAD:
        value = linear(knows, state[f"rm_head.{number}.weight"], state[f"rm_head.{number}.bias"])
        knows = value if number == HEAD[-1][0] else relu(value)
    return knows
