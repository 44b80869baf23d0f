"""A tiny checkpoint of ImageReward of random weights, with the keys of the published one, and its formulas by hand."""

from pathlib import Path

import torch
from torch.nn.functional import conv2d, gelu, layer_norm, linear

State = dict[str, torch.Tensor]
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "blobs", "number", "a", "cat", "##s", "1", "2", "3")
WIDTH, SEEN, SIDE, PATCH, HIDDEN = 128, 64, 32, 16, 32  # two heads of 64 channels read, one sees
HEAD = (WIDTH, 16, 12, 8, 6, 1)
NUMBERS = (0, 2, 4, 6, 7)  # of the linear layers among the dropouts


def checkpoint(seed: int = 0) -> State:
    torch.manual_seed(seed)
    state: State = {}

    def linear_layer(name: str, inputs: int, outputs: int) -> None:
        state[f"{name}.weight"] = torch.randn(outputs, inputs) * inputs**-0.5
        state[f"{name}.bias"] = torch.randn(outputs) * 0.1

    def norm(name: str, width: int) -> None:
        state[f"{name}.weight"], state[f"{name}.bias"] = 1 + 0.1 * torch.randn(width), 0.1 * torch.randn(width)

    eye, mind = "blip.visual_encoder", "blip.text_encoder"
    state[f"{eye}.cls_token"] = torch.randn(1, 1, SEEN)
    state[f"{eye}.pos_embed"] = torch.randn(1, (SIDE // PATCH) ** 2 + 1, SEEN)
    state[f"{eye}.patch_embed.proj.weight"] = torch.randn(SEEN, 3, PATCH, PATCH) * 0.05
    state[f"{eye}.patch_embed.proj.bias"] = torch.randn(SEEN)
    norm(f"{eye}.norm", SEEN)
    for number in range(2):
        block = f"{eye}.blocks.{number}"
        norm(f"{block}.norm1", SEEN)
        norm(f"{block}.norm2", SEEN)
        for name, inputs, outputs in (
            ("attn.qkv", SEEN, 3 * SEEN),
            ("attn.proj", SEEN, SEEN),
            ("mlp.fc1", SEEN, HIDDEN),
            ("mlp.fc2", HIDDEN, SEEN),
        ):
            linear_layer(f"{block}.{name}", inputs, outputs)
    state[f"{mind}.embeddings.position_ids"] = torch.arange(64)[None]
    state[f"{mind}.embeddings.word_embeddings.weight"] = torch.randn(len(WORDS) + 2, WIDTH)
    state[f"{mind}.embeddings.position_embeddings.weight"] = torch.randn(64, WIDTH)
    norm(f"{mind}.embeddings.LayerNorm", WIDTH)
    for number in range(2):
        layer = f"{mind}.encoder.layer.{number}"
        for kind, width in (("attention", WIDTH), ("crossattention", SEEN)):
            for name, inputs in (("query", WIDTH), ("key", width), ("value", width)):
                linear_layer(f"{layer}.{kind}.self.{name}", inputs, WIDTH)
            linear_layer(f"{layer}.{kind}.output.dense", WIDTH, WIDTH)
            norm(f"{layer}.{kind}.output.LayerNorm", WIDTH)
        linear_layer(f"{layer}.intermediate.dense", WIDTH, HIDDEN)
        linear_layer(f"{layer}.output.dense", HIDDEN, WIDTH)
        norm(f"{layer}.output.LayerNorm", WIDTH)
    linear_layer("blip.vision_proj", SEEN, 8)
    linear_layer("blip.text_proj", WIDTH, 8)
    for number, inputs, outputs in zip(NUMBERS, HEAD, HEAD[1:], strict=False):
        linear_layer(f"mlp.layers.{number}", inputs, outputs)
    return state


def save_image_reward(folder: Path, seed: int = 0) -> dict[str, str]:
    """Save checkpoint and vocabulary, and return the options of the score."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(checkpoint(seed), folder / "ImageReward.pt")
    (folder / "vocab.txt").write_text("\n".join(WORDS), "utf-8")
    return {"weights": str(folder / "ImageReward.pt"), "vocabulary": str(folder / "vocab.txt")}


def reward_by_hand(state: State, pixels: torch.Tensor, ids: list[int]) -> float:
    """Return the reward of a picture (3, SIDE, SIDE) and the tokens of its prompt, without padding."""

    def through(name: str, values: torch.Tensor) -> torch.Tensor:
        return linear(values, state[f"{name}.weight"], state[f"{name}.bias"])

    def normed(name: str, values: torch.Tensor, epsilon: float) -> torch.Tensor:
        return layer_norm(values, values.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], epsilon)

    def attended(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        heads = [tensor.unflatten(-1, (-1, 64)).transpose(0, 1) for tensor in (query, key, value)]
        likely = (heads[0] @ heads[1].transpose(1, 2) / 8.0).softmax(dim=-1)
        return (likely @ heads[2]).transpose(0, 1).flatten(1)

    eye, mind = "blip.visual_encoder", "blip.text_encoder"
    patches = conv2d(
        pixels[None], state[f"{eye}.patch_embed.proj.weight"], state[f"{eye}.patch_embed.proj.bias"], stride=PATCH
    )
    seen = torch.cat([state[f"{eye}.cls_token"][0], patches[0].flatten(1).T]) + state[f"{eye}.pos_embed"][0]
    for number in range(2):
        block = f"{eye}.blocks.{number}"
        parts = through(f"{block}.attn.qkv", normed(f"{block}.norm1", seen, 1e-6)).chunk(3, dim=-1)
        seen = seen + through(f"{block}.attn.proj", attended(*parts))
        inner = gelu(through(f"{block}.mlp.fc1", normed(f"{block}.norm2", seen, 1e-6)))
        seen = seen + through(f"{block}.mlp.fc2", inner)
    seen = normed(f"{eye}.norm", seen, 1e-6)

    words = state[f"{mind}.embeddings.word_embeddings.weight"][ids]
    read = words + state[f"{mind}.embeddings.position_embeddings.weight"][: len(ids)]
    read = normed(f"{mind}.embeddings.LayerNorm", read, 1e-12)
    for number in range(2):
        layer = f"{mind}.encoder.layer.{number}"
        for kind, source in (("attention", None), ("crossattention", seen)):
            other = read if source is None else source
            query = through(f"{layer}.{kind}.self.query", read)
            key, value = (through(f"{layer}.{kind}.self.{name}", other) for name in ("key", "value"))
            told = through(f"{layer}.{kind}.output.dense", attended(query, key, value))
            read = normed(f"{layer}.{kind}.output.LayerNorm", told + read, 1e-12)
        inner = gelu(through(f"{layer}.intermediate.dense", read))
        read = normed(f"{layer}.output.LayerNorm", through(f"{layer}.output.dense", inner) + read, 1e-12)
    reward = read[0]
    for number in NUMBERS:
        reward = through(f"mlp.layers.{number}", reward)
    return (float(reward) - 0.16717362830052426) / 1.0333394966054072
