"""DreamSim as vectors, against torch's own transformer layers, over random weights in upstream's format."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from drawn import picture
from safetensors.torch import save_file
from torch.nn.functional import conv2d, cosine_similarity, gelu, layer_norm

from diptych.data.images import decode
from diptych.encoders import make_encoder
from diptych.encoders.dreamsim import DreamSimEncoder
from diptych.encoders.dreamsim_networks import BACKBONES, ENSEMBLE, files_of
from diptych.errors import ConfigError, DataError
from diptych.pretrained import memory

WIDTH, DEPTH, PATCH, SPACE = 64, 2, 56, 16
LORA = {"r": 2, "lora_alpha": 3, "lora_dropout": 0.3, "bias": "none", "target_modules": ["qkv"], "use_dora": False}
DINO = "checkpoints/dino_vitbase16_pretrain.pth"


def random_state(seed: int, *, is_clip: bool) -> dict[str, torch.Tensor]:
    """Return a network of random weights, by the names of DINO's."""
    generator = torch.Generator().manual_seed(seed)
    layers = {"norm1": (WIDTH,), "norm2": (WIDTH,), "attn.proj": (WIDTH, WIDTH), "attn.qkv": (3 * WIDTH, WIDTH)}
    layers |= {"mlp.fc1": (4 * WIDTH, WIDTH), "mlp.fc2": (WIDTH, 4 * WIDTH)}
    shapes: dict[str, tuple[int, ...]] = {f"blocks.{n}.{k}": shape for n in range(DEPTH) for k, shape in layers.items()}
    shapes |= {
        "patch_embed.proj": (WIDTH, 3, PATCH, PATCH),
        "norm": (WIDTH,),
        **({"pos_drop": (WIDTH,)} if is_clip else {}),
    }
    every = {f"{name}.weight": shape for name, shape in shapes.items()}
    every |= {f"{name}.bias": shape[:1] for name, shape in shapes.items()}
    every |= {"cls_token": (1, 1, WIDTH), "pos_embed": (1, (224 // PATCH) ** 2 + 1, WIDTH)}
    every |= {"proj": (WIDTH, SPACE)} if is_clip else {}
    return {name: torch.randn(shape, generator=generator) * 0.1 for name, shape in every.items()}


def random_adapter(count: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(9)
    return {
        f"base_model.model.extractor_list.{number}.model.blocks.{block}.attn.qkv.lora_{part}.weight": torch.randn(
            shape, generator=generator
        )
        for number in range(count)
        for block in range(DEPTH)
        for part, shape in {"A": (LORA["r"], WIDTH), "B": (3 * WIDTH, LORA["r"])}.items()
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder as upstream's package fills it, for the ensemble and for DINO alone."""
    torch.set_num_threads(1)
    (tmp_path / "checkpoints").mkdir()
    for seed, name in enumerate(ENSEMBLE):
        state = random_state(seed, is_clip=BACKBONES[name].is_clip)
        torch.save({"state_dict": state} if BACKBONES[name].is_clip else state, tmp_path / BACKBONES[name].file)
    for place, count in (("ensemble_lora", 3), ("dino_vitb16_single_lora", 1)):
        (tmp_path / place).mkdir()
        (tmp_path / place / "adapter_config.json").write_text(json.dumps(LORA), "utf-8")
        save_file(random_adapter(count), tmp_path / place / "adapter_model.safetensors")
    return tmp_path


def made(folder: Path, **options: Any) -> DreamSimEncoder:
    encoder = make_encoder("dreamsim", {"weights": str(folder), "device": "cpu", **options})
    assert isinstance(encoder, DreamSimEncoder)
    return encoder


def prepared_of(encoder: DreamSimEncoder) -> list[Any]:
    return [encoder.prepare(decode(picture(seed, size))) for seed, size in enumerate(((100, 80), (60, 90), (224, 224)))]


def features(state: Mapping[str, torch.Tensor], pixels: torch.Tensor, *, is_clip: bool, is_quick: bool) -> torch.Tensor:
    """Return what a network says by torch's own layers of a transformer, whose attention has its matrices together."""
    mean, spread = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]).view(2, 1, 3, 1, 1)
    if is_clip:
        values = [[0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]]
        mean, spread = torch.tensor(values).view(2, 1, 3, 1, 1)
    patches = conv2d((pixels - mean) / spread, state["patch_embed.proj.weight"], state["patch_embed.proj.bias"], PATCH)
    tokens = torch.cat([state["cls_token"].expand(len(pixels), -1, -1), patches.flatten(2).mT], 1) + state["pos_embed"]
    eps = 1e-5 if is_clip else 1e-6
    if is_clip:
        tokens = layer_norm(tokens, (WIDTH,), state["pos_drop.weight"], state["pos_drop.bias"], eps)
    names = {"self_attn.in_proj_": "attn.qkv.", "self_attn.out_proj.": "attn.proj.", "linear1.": "mlp.fc1."}
    names |= {"linear2.": "mlp.fc2.", "norm1.": "norm1.", "norm2.": "norm2."}
    for block in range(DEPTH):
        act = (lambda x: x * torch.sigmoid(1.702 * x)) if is_quick else gelu
        layer = torch.nn.TransformerEncoderLayer(WIDTH, 1, 4 * WIDTH, 0.0, act, eps, batch_first=True, norm_first=True)
        own = {a + kind: state[f"blocks.{block}.{b}{kind}"] for a, b in names.items() for kind in ("weight", "bias")}
        layer.load_state_dict(own)
        tokens = layer.eval()(tokens)
    if not is_clip:
        return tokens[:, 0]
    return layer_norm(tokens[:, 0], (WIDTH,), state["norm.weight"], state["norm.bias"], eps) @ state["proj"]


@pytest.mark.reference
@pytest.mark.parametrize(("variant", "networks"), [("ensemble", ENSEMBLE), ("dino_vitb16", ("dino_vitb16",))])
def test_squared_distance_of_two_vectors_is_the_dreamsim_of_their_pictures(
    folder: Path, variant: str, networks: tuple[str, ...]
) -> None:
    encoder = made(folder, variant=variant)
    prepared = prepared_of(encoder)
    vectors = encoder.images(prepared).astype(np.float64)
    adapter, seen = random_adapter(len(networks)), []
    for number, name in enumerate(networks):
        state = random_state(number, is_clip=BACKBONES[name].is_clip)
        for block in range(DEPTH):
            place = f"base_model.model.extractor_list.{number}.model.blocks.{block}.attn.qkv.lora_"
            state[f"blocks.{block}.attn.qkv.weight"] += 1.5 * adapter[f"{place}B.weight"] @ adapter[f"{place}A.weight"]
        kind = {"is_clip": BACKBONES[name].is_clip, "is_quick": name.startswith("clip")}
        with torch.inference_mode():
            seen.append(features(state, torch.from_numpy(np.stack(prepared)), **kind))
    told = torch.cat(seen, 1)
    told = told - told.mean(1, keepdim=True)
    assert vectors.shape == (3, encoder.dim) == tuple(told.shape)
    for left in range(3):
        for right in range(3):
            expected = 1 - cosine_similarity(told[left], told[right], dim=0).item()
            assert ((vectors[left] - vectors[right]) ** 2).sum() == pytest.approx(expected, abs=2e-6)
            assert (expected > 1e-3) == (left != right)


def test_no_neighbour_changes_a_vector(folder: Path) -> None:
    encoder = made(folder)
    prepared = prepared_of(encoder)
    together = encoder.images(prepared)
    np.testing.assert_allclose(np.concatenate([encoder.images([one]) for one in prepared]), together, atol=1e-6)


def test_identity_is_that_of_the_files_and_of_no_place(folder: Path) -> None:
    before = made(folder).identity
    assert str(folder) not in json.dumps(before)
    assert set(before["files_sha256"]) == set(files_of(folder, "ensemble"))
    assert before != made(folder, variant="dino_vitb16").identity
    (folder / "ensemble_lora" / "adapter_config.json").write_text(json.dumps(LORA | {"r": 4}), "utf-8")
    assert made(folder).identity != before
    with pytest.raises(ConfigError, match="encoder 'dreamsim': embeds images only"):
        made(folder).texts(["a cat"])


def test_what_is_missing_is_named_before_anything_is_read(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"no file .*open_clip_vitb32_pretrain.pth.tar.* packs for open_clip_vitb32"):
        made(folder, variant="open_clip_vitb32")
    with pytest.raises(ConfigError, match="variant"):
        made(folder, variant="dinov2")
    (folder / DINO).unlink()
    with pytest.raises(ConfigError, match=f"no file .*{DINO}"):
        made(folder)


def broken_adapter(folder: Path, *, renamed: tuple[str, str] = ("", ""), **facts: Any) -> None:
    adapter = {name.replace(*renamed): value for name, value in random_adapter(3).items()}
    save_file(adapter, folder / "ensemble_lora" / "adapter_model.safetensors")
    (folder / "ensemble_lora" / "adapter_config.json").write_text(json.dumps(LORA | facts), "utf-8")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"use_dora": True}, "use_dora is set"),
        ({"r": 0}, "no configuration of an adapter with lora_alpha and r"),
        ({"renamed": ("lora_A", "lora_C")}, "lora_C.weight is none of the matrices"),
        ({"renamed": ("extractor_list.2", "extractor_list.3")}, "network 3, which ensemble does not have"),
        ({"renamed": ("blocks.1", "blocks.7")}, "tunes blocks.7.attn.qkv of network 0"),
    ],
)
def test_adapter_that_does_something_else_is_refused(folder: Path, change: dict[str, Any], said: str) -> None:
    broken_adapter(folder, **change)
    with pytest.raises(DataError, match=said):
        made(folder).images(prepared_of(made(folder))[:1])


def test_files_of_another_kind_are_refused(folder: Path) -> None:
    encoder = made(folder)
    for state, said in (
        ({"a": torch.zeros(1)}, "tunes blocks.0.attn.qkv of network 0"),
        (random_state(0, is_clip=True), "no such vision transformer: pos_drop.bias is too much or not there"),
        (random_state(0, is_clip=False) | {"pos_embed": torch.zeros(1, 5, WIDTH)}, "is not for pictures of 224 pixels"),
    ):
        torch.save(state, folder / DINO)
        with pytest.raises(DataError, match=said):
            encoder.images(prepared_of(encoder)[:1])
    (folder / DINO).write_text("no weights", "utf-8")
    with pytest.raises(DataError, match="no weights file that torch reads"):
        encoder.images(prepared_of(encoder)[:1])


def test_networks_that_do_not_fit_are_known_before_their_weights_are_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = made(folder).held_weights
    assert held.need("fp32") > sum(path.stat().st_size for path in held.files if path.suffix == ".tar")
    monkeypatch.setattr(memory, "free_memory", lambda device: 10)
    with pytest.raises(DataError, match="encoder 'dreamsim'"):
        memory.check_all_fit([held])
