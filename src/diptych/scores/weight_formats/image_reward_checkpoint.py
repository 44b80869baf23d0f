"""ImageReward's checkpoint as networks of transformers: a picture tower, a text encoder that looks at it, a head.

The file is a state dict of BLIP's own classes. The text encoder's keys are those of transformers; the picture tower's
are mapped. Sizes follow from the shapes, 64 channels to a head as in BLIP's. Of the head's five layers, which have no
activations between them, one is left. Source: THUDM/ImageReward at c1392c6, ImageReward.py and models/BLIP.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.errors import DataError, one_line
from diptych.pretrained.libraries import import_library
from diptych.scores.aesthetic import LinearHead, fold

PICTURES, WORDS, HEAD = "blip.visual_encoder.", "blip.text_encoder.", "mlp.layers."
HEAD_CHANNELS = 64
RENAMED = (
    (r"cls_token", "embeddings.class_embedding"),
    (r"pos_embed", "embeddings.position_embedding"),
    (r"patch_embed\.proj\.(\w+)", r"embeddings.patch_embedding.\1"),
    (r"norm\.(\w+)", r"post_layernorm.\1"),
    (r"blocks\.(\d+)\.norm([12])\.(\w+)", r"encoder.layers.\1.layer_norm\2.\3"),
    (r"blocks\.(\d+)\.attn\.qkv\.(\w+)", r"encoder.layers.\1.self_attn.qkv.\2"),
    (r"blocks\.(\d+)\.attn\.proj\.(\w+)", r"encoder.layers.\1.self_attn.projection.\2"),
    (r"blocks\.(\d+)\.mlp\.(fc[12])\.(\w+)", r"encoder.layers.\1.mlp.\2.\3"),
)
NO_WEIGHT = "embeddings.position_ids"  # counts from 0


@dataclass(frozen=True, eq=False)
class RewardNetwork:
    """The networks, ready to be asked.

    Attributes:
        pictures: ``BlipVisionModel``.
        words: ``BlipTextModel`` with attention to the picture.
        head: From the first token to the reward before it is standardised.
        side: Pixels of the side of its pictures.
        vocabulary: Number of its tokens.
    """

    pictures: Any
    words: Any
    head: LinearHead
    side: int
    vocabulary: int


def read_image_reward(path: Path, device: Any) -> RewardNetwork:
    """Read the checkpoint.

    Args:
        path: ``ImageReward.pt``.
        device: A ``torch.device``.

    Raises:
        DataError: If it cannot be read or is another kind of file.
        MissingExtra: If transformers is not installed.
    """
    import torch

    library = import_library("transformers", extra="evaluate")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        pictures, words, head = (_part(state, prefix) for prefix in (PICTURES, WORDS, HEAD))
        side, seen = _picture_tower(library, {_renamed(name): value for name, value in pictures.items()})
        read = _text_encoder(library, words)
        layers = sorted({int(name.partition(".")[0]) for name in head})
        pairs = [(head[f"{n}.weight"].double().numpy(), head[f"{n}.bias"].double().numpy()) for n in layers]
    except DataError:
        raise
    except Exception as error:  # whatever torch throws at such a file
        raise DataError(f"{path}: is no checkpoint of ImageReward: {one_line(error)}") from error
    vocabulary = len(words["embeddings.word_embeddings.weight"])
    return RewardNetwork(seen.to(device), read.to(device), fold(pairs, path), side, vocabulary)


def _part(state: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def _renamed(name: str) -> str:
    for pattern, new in RENAMED:
        if match := re.fullmatch(pattern, name):
            return match.expand(new)
    raise KeyError(name)


def _picture_tower(library: Any, state: Mapping[str, Any]) -> tuple[int, Any]:
    patches = state["embeddings.patch_embedding.weight"]
    width, patch = patches.shape[0], patches.shape[-1]
    side = patch * round((state["embeddings.position_embedding"].shape[1] - 1) ** 0.5)
    config = library.BlipVisionConfig(
        hidden_size=width,
        intermediate_size=state["encoder.layers.0.mlp.fc1.weight"].shape[0],
        num_hidden_layers=_depth(state, r"encoder\.layers\.(\d+)\."),
        num_attention_heads=width // HEAD_CHANNELS,
        image_size=side,
        patch_size=patch,
        layer_norm_eps=1e-6,
        hidden_act="gelu",
    )
    return side, _filled(library.BlipVisionModel(config), state)


def _text_encoder(library: Any, state: Mapping[str, Any]) -> Any:
    words, width = state["embeddings.word_embeddings.weight"].shape
    config = library.BlipTextConfig(
        vocab_size=words,
        hidden_size=width,
        encoder_hidden_size=state["encoder.layer.0.crossattention.self.key.weight"].shape[1],
        intermediate_size=state["encoder.layer.0.intermediate.dense.weight"].shape[0],
        num_hidden_layers=_depth(state, r"encoder\.layer\.(\d+)\."),
        num_attention_heads=width // HEAD_CHANNELS,
        max_position_embeddings=len(state["embeddings.position_embeddings.weight"]),
        layer_norm_eps=1e-12,
        hidden_act="gelu",
        is_decoder=True,  # has attention to the picture; it is not asked as a decoder
    )
    return _filled(library.BlipTextModel(config, add_pooling_layer=False), state)


def _depth(state: Mapping[str, Any], pattern: str) -> int:
    return 1 + max(int(match[1]) for name in state if (match := re.match(pattern, name)))


def _filled(network: Any, state: Mapping[str, Any]) -> Any:
    network.load_state_dict({name: value for name, value in state.items() if name != NO_WEIGHT})
    return network.float().eval().requires_grad_(False)
