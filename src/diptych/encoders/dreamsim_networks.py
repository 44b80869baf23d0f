"""The vision transformers of DreamSim, from the files that upstream publishes, with their low-rank adapters added.

All are stored as DINO stores its own. An adapter is what tuning added to some of the matrices, as the product of two
thin ones (LoRA, Hu et al. 2021, arXiv 2106.09685). Source: ``dreamsim`` of ssundaram21/dreamsim at db4d16c.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from diptych.errors import ConfigError, DataError, one_line

Variant = Literal["ensemble", "dino_vitb16", "clip_vitb32", "open_clip_vitb32"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)

SIDE = 224  # pixels of a picture
HEAD = 64  # numbers of a head of attention
ADAPTED = re.compile(r".*\bextractor_list\.(\d+)\.model\.(.+)\.lora_([AB])(?:\.default)?\.weight")
ADAPTERS = ("adapter_model.safetensors", "adapter_model.bin")
BLOCK = ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2")


class Backbone(NamedTuple):
    """What a network is tuned from.

    Attributes:
        file: In the folder.
        is_clip: Whether it is of a CLIP: it has a norm before its blocks, and what it says lies in the space of texts
            and pictures. Of DINO it is the first place as the last block leaves it.
        is_quick: Whether it has OpenAI's approximation of GELU.
    """

    file: str
    is_clip: bool = True
    is_quick: bool = False


BACKBONES: Mapping[str, Backbone] = {
    "dino_vitb16": Backbone("checkpoints/dino_vitbase16_pretrain.pth", is_clip=False),
    "clip_vitb16": Backbone("clip_vitb16_pretrain.pth.tar", is_quick=True),
    "clip_vitb32": Backbone("clip_vitb32_pretrain.pth.tar", is_quick=True),
    "open_clip_vitb16": Backbone("open_clip_vitb16_pretrain.pth.tar"),
    "open_clip_vitb32": Backbone("open_clip_vitb32_pretrain.pth.tar"),
}
ENSEMBLE = ("dino_vitb16", "clip_vitb16", "open_clip_vitb16")


@dataclass(frozen=True, eq=False)
class TunedTransformer:
    """One network.

    Attributes:
        backbone: What it is tuned from.
        state: Its weights by DINO's names, on its device.
    """

    backbone: Backbone
    state: Mapping[str, Any]

    @property
    def dim(self) -> int:
        """Length of what it says of a picture."""
        return int(self.state["proj" if self.backbone.is_clip else "cls_token"].shape[-1])

    def features(self, pixels: Any) -> Any:
        """Return tensor (N, dim) of pictures (N, 3, 224, 224) in [0, 1]."""
        import torch
        from torch.nn.functional import conv2d

        patches = self.state["patch_embed.proj.weight"]
        seen = conv2d(self._even(pixels), patches, self.state["patch_embed.proj.bias"], stride=patches.shape[-1])
        first = self.state["cls_token"].expand(len(seen), -1, -1)
        seen = torch.cat([first, seen.flatten(2).transpose(1, 2)], dim=1) + self.state["pos_embed"]
        if self.backbone.is_clip:
            seen = self._norm("pos_drop", seen)
        for number in range(depth_of(self.state)):
            seen = self._block(f"blocks.{number}", seen)
        return self._norm("norm", seen[:, 0]) @ self.state["proj"] if self.backbone.is_clip else seen[:, 0]

    def _block(self, name: str, seen: Any) -> Any:
        from torch.nn.functional import gelu, scaled_dot_product_attention

        count, places, width = seen.shape
        parts = self._linear(f"{name}.attn.qkv", self._norm(f"{name}.norm1", seen))
        parts = parts.reshape(count, places, 3, heads_of(width), -1).permute(2, 0, 3, 1, 4)
        looked = scaled_dot_product_attention(*parts).transpose(1, 2).reshape(count, places, width)
        seen = seen + self._linear(f"{name}.attn.proj", looked)
        inner = self._linear(f"{name}.mlp.fc1", self._norm(f"{name}.norm2", seen))
        inner = inner * (1.702 * inner).sigmoid() if self.backbone.is_quick else gelu(inner)
        return seen + self._linear(f"{name}.mlp.fc2", inner)

    def _linear(self, name: str, seen: Any) -> Any:
        from torch.nn.functional import linear

        return linear(seen, self.state[f"{name}.weight"], self.state[f"{name}.bias"])

    def _norm(self, name: str, seen: Any) -> Any:
        from torch.nn.functional import layer_norm

        weight, bias = self.state[f"{name}.weight"], self.state[f"{name}.bias"]
        return layer_norm(seen, weight.shape, weight, bias, 1e-5 if self.backbone.is_clip else 1e-6)

    def _even(self, pixels: Any) -> Any:
        """Return pixels as the network was trained on them: of CLIP's mean and spread, or of ImageNet's."""
        import torch

        mean, spread = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        if self.backbone.is_clip:
            mean, spread = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
        shift, scale = (torch.tensor(one, device=pixels.device).view(1, 3, 1, 1) for one in (mean, spread))
        return (pixels - shift) / scale


def backbones_of(variant: Variant) -> list[Backbone]:
    """Return what the networks of a variant are tuned from, in the order of their numbers in the adapter."""
    return [BACKBONES[name] for name in (ENSEMBLE if variant == "ensemble" else (variant,))]


def files_of(folder: Path, variant: Variant) -> dict[str, Path]:
    """Return the files that a variant needs, by their names in the folder.

    Raises:
        ConfigError: If one is not there.
    """
    tuned = "ensemble_lora" if variant == "ensemble" else f"{variant}_single_lora"
    adapters = [f"{tuned}/{name}" for name in ADAPTERS if (folder / tuned / name).is_file()]
    names = [each.file for each in backbones_of(variant)]
    names += [f"{tuned}/adapter_config.json", *(adapters[:1] or [f"{tuned}/{ADAPTERS[0]}"])]
    for name in names:
        if not (folder / name).is_file():
            raise ConfigError(
                f"encoder 'dreamsim': weights: no file {str(folder / name)!r}; give the folder that the package "
                f"dreamsim fills, or put there what its release packs for {variant}"
            )
    return {name: folder / name for name in names}


def tuned_transformers(folder: Path, variant: Variant, device: Any) -> list[TunedTransformer]:
    """Return the networks of a variant on a device.

    Raises:
        DataError: If a file is no such file, or the files do not fit each other.
    """
    *paths, config, adapter = files_of(folder, variant).values()
    states = [_state(path) for path in paths]
    for number, name, added in _added(config, adapter):
        weight = f"{name}.weight"
        if number >= len(states) or weight not in states[number] or states[number][weight].shape != added.shape:
            raise DataError(f"{adapter}: tunes {name} of network {number}, which {variant} does not have")
        states[number][weight] = states[number][weight] + added
    networks = []
    for backbone, path, state in zip(backbones_of(variant), paths, states, strict=True):
        _check(backbone, path, state)
        networks.append(TunedTransformer(backbone, {name: value.to(device) for name, value in state.items()}))
    return networks


def depth_of(state: Mapping[str, Any]) -> int:
    """Return how many blocks a network has."""
    return len({name.split(".")[1] for name in state if name.startswith("blocks.")})


def heads_of(width: int) -> int:
    """Return how many heads look at once in a network of some width, which is a multiple of 64."""
    return width // HEAD


def _state(path: Path) -> dict[str, Any]:
    found = _read(path)
    return {name: value.float() for name, value in dict(found.get("state_dict", found)).items()}


def _check(backbone: Backbone, path: Path, state: Mapping[str, Any]) -> None:
    """Check that weights are those of such a network for pictures of 224 pixels.

    Raises:
        DataError: If they are not.
    """
    parts = ["patch_embed.proj", "norm", *(["pos_drop"] if backbone.is_clip else [])]
    parts += [f"blocks.{number}.{name}" for number in range(depth_of(state)) for name in BLOCK]
    needed = {"cls_token", "pos_embed", *(["proj"] if backbone.is_clip else [])}
    needed |= {f"{name}.{kind}" for name in parts for kind in ("weight", "bias")}
    if different := sorted(needed ^ set(state)):
        raise DataError(f"{path}: no such vision transformer: {different[0]} is too much or not there")
    places = (SIDE // state["patch_embed.proj.weight"].shape[-1]) ** 2
    if state["pos_embed"].shape[1] != places + 1 or state["pos_embed"].shape[2] % HEAD:
        raise DataError(f"{path}: is not for pictures of {SIDE} pixels, or not of a width that is a multiple of {HEAD}")


def _added(config: Path, adapter: Path) -> Iterator[tuple[int, str, Any]]:
    """Yield what tuning added: the number of the network, the name of the layer and the matrix.

    Raises:
        DataError: If the adapter does more than to add such matrices.
    """
    try:
        facts = json.loads(config.read_text("utf-8"))
        scale = facts["lora_alpha"] / facts["r"]
    except (ArithmeticError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{config}: no configuration of an adapter with lora_alpha and r: {one_line(error)}") from error
    more = ("use_rslora", "use_dora", "fan_in_fan_out", "rank_pattern", "alpha_pattern", "modules_to_save")
    if other := [name for name in more if facts.get(name)]:
        raise DataError(f"{config}: {other[0]} is set, which the adapters that DreamSim published do not have")
    pairs: dict[tuple[int, str], dict[str, Any]] = {}
    for name, value in _read(adapter).items():
        found = ADAPTED.fullmatch(name)
        if found is None:
            raise DataError(f"{adapter}: {name} is none of the matrices that an adapter of DreamSim adds")
        pairs.setdefault((int(found[1]), found[2]), {})[found[3]] = value.float()
    for (number, name), both in pairs.items():
        if both.keys() != {"A", "B"}:
            raise DataError(f"{adapter}: of {name} of network {number} one of the two matrices is missing")
        yield number, name, scale * (both["B"] @ both["A"])


def _read(path: Path) -> Mapping[str, Any]:
    import torch
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever the libraries throw at such a file
        raise DataError(f"{path}: no weights file that torch reads: {one_line(error)}") from error
    if not isinstance(state, Mapping):
        raise DataError(f"{path}: no weights file: it holds no names")
    return state
