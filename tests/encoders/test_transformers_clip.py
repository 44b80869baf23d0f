"""CLIPs of transformers through the product's own path: a tiny one of random weights, saved and loaded again."""

import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from noise import noise
from PIL import Image
from safetensors.torch import load_file
from tiny_pick import CONTEXT, SCALE, save_transformers_clip
from tiny_readers import save_trocr

from diptych.encoders import make_encoder
from diptych.encoders.transformers_clip import TransformersClip
from diptych.errors import ConfigError

TEXTS = ["cat", "", "a dog and a cat", "abcdefghijklmnopqrstuvwxyz"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return save_transformers_clip(tmp_path_factory.mktemp("clip"))


def made(folder: Path, **options: Any) -> TransformersClip:
    encoder = make_encoder("transformers_clip", {"weights": str(folder), **options})
    assert isinstance(encoder, TransformersClip)
    return encoder


def pictures() -> list[Image.Image]:
    return noise((50, 30), (50, 64), (50, 120))


@pytest.mark.reference
def test_vectors_and_scale_are_those_of_the_library_called_by_hand(folder: Path) -> None:
    """As PickScore's own example has it, but for the output object of transformers 5."""
    encoder = made(folder)
    processor = transformers.CLIPProcessor.from_pretrained(folder, backend="pil")
    network = transformers.CLIPModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        images = processor(images=pictures(), return_tensors="pt")
        texts = processor(text=TEXTS, padding=True, truncation=True, max_length=CONTEXT, return_tensors="pt")
        logits = network(**texts, pixel_values=images.pixel_values).logits_per_image
    vectors = encoder.images([encoder.prepare(picture) for picture in pictures()])
    assert vectors.shape == (3, encoder.dim)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(encoder.logit_scale * vectors @ encoder.texts(TEXTS).T, logits.numpy(), atol=1e-4)
    assert encoder.logit_scale == pytest.approx(SCALE)


def test_no_neighbour_changes_a_vector(folder: Path) -> None:
    encoder = made(folder)
    prepared = [encoder.prepare(picture) for picture in pictures()]
    alone = np.concatenate([encoder.images([one]) for one in prepared])
    np.testing.assert_allclose(encoder.images(prepared), alone, atol=1e-6)
    alone = np.concatenate([encoder.texts([text]) for text in TEXTS])
    np.testing.assert_allclose(encoder.texts(TEXTS), alone, atol=1e-6)


def test_text_over_the_context_is_cut_and_said_to_be(folder: Path) -> None:
    encoder = made(folder)
    fits, over = "abcdefghijklmn", "abcdefghijklmno"  # letters are tokens, beside start and end
    assert encoder.truncated([fits, over, "", over * 10**5]).tolist() == [False, True, False, True]
    assert encoder.truncated([]).shape == (0,)
    cut = encoder.texts([over, over + "pq"])
    np.testing.assert_allclose(cut[0], cut[1], atol=1e-6)


def test_identity_says_no_place_and_follows_from_what_decides_a_vector(tmp_path: Path) -> None:
    first, same, other = (
        save_transformers_clip(tmp_path / name, seed) for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    identities = [made(folder).identity for folder in (first, same, other)]
    assert identities[0] == identities[1] != identities[2]
    assert made(first, precision="bf16").identity != identities[0]
    again = pickle.loads(pickle.dumps(made(first)))
    assert again.identity == identities[0]
    assert "_network" not in vars(again)


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_half_precision_gives_nearly_the_same_vectors(folder: Path, precision: str) -> None:
    full, half = made(folder), made(folder, precision=precision)
    prepared = [full.prepare(picture) for picture in pictures()]
    np.testing.assert_allclose(half.images(prepared), full.images(prepared), atol=0.03)
    np.testing.assert_allclose(half.texts(TEXTS), full.texts(TEXTS), atol=0.03)
    assert half.logit_scale == full.logit_scale, "half precision rounds no scale"


def test_scale_of_old_weights_is_read_too(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    state = load_file(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").unlink()
    torch.save(state, tmp_path / "pytorch_model.bin")
    assert made(tmp_path).logit_scale == made(folder).logit_scale


def test_model_that_is_no_clip_is_refused(tmp_path: Path) -> None:
    said = "encoder 'transformers_clip': weights: .* is of the type 'vision-encoder-decoder', not 'clip'"
    with pytest.raises(ConfigError, match=said):
        made(save_trocr(tmp_path))
