"""A tiny CLIP of random weights, saved as transformers saves real ones, with a tokenizer that knows letters."""

import math
import string
from pathlib import Path

import torch
import transformers

CONTEXT = 16
SCALE = 40.0


def letter_tokenizer(longest: int = CONTEXT) -> transformers.CLIPTokenizer:
    """Return a tokenizer of letters, the end of a text its last token, as CLIP has it."""
    letters = [*string.ascii_lowercase, *(f"{letter}</w>" for letter in string.ascii_lowercase)]
    vocabulary = {token: number for number, token in enumerate([*letters, "<|startoftext|>", "<|endoftext|>"])}
    return transformers.CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=longest)


def save_transformers_clip(folder: Path, seed: int = 0) -> Path:
    tokenizer = letter_tokenizer()
    torch.manual_seed(seed)
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    end = tokenizer.eos_token_id
    config = transformers.CLIPConfig(
        text_config={
            **sizes,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": CONTEXT,
            "bos_token_id": end - 1,
            "eos_token_id": end,
            "pad_token_id": end,
        },
        vision_config={**sizes, "image_size": 32, "patch_size": 8},
        projection_dim=8,
        logit_scale_init_value=math.log(SCALE),
    )
    transformers.CLIPModel(config).eval().save_pretrained(folder)
    pictures = transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    transformers.CLIPProcessor(pictures, tokenizer).save_pretrained(folder)
    return folder
