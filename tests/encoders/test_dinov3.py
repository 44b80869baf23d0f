"""DINOv3 through the product's own path: a tiny one of random weights, saved and loaded again."""

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from noise import noise
from tiny_dino import save_dinov2, save_dinov3

from diptych.encoders import make_encoder
from diptych.encoders.dinov3 import Dinov3Encoder
from diptych.errors import ConfigError


def made(folder: Path) -> Dinov3Encoder:
    encoder = make_encoder("dinov3", {"weights": str(folder), "device": "cpu"})
    assert isinstance(encoder, Dinov3Encoder)
    return encoder


@pytest.mark.reference
def test_vectors_are_those_of_the_library_called_by_hand(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    encoder = made(save_dinov3(tmp_path))
    prepared = [encoder.prepare(picture) for picture in noise((300, 200), (100, 120))]
    network = transformers.DINOv3ViTModel.from_pretrained(tmp_path).eval()
    with torch.inference_mode():
        expected = network(torch.from_numpy(np.stack(prepared))).pooler_output.numpy()
    found = encoder.images(prepared)
    assert (found.shape, found.dtype) == ((2, encoder.dim), np.dtype(np.float32))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert encoder.identity["encoder"] == "dinov3"
    assert encoder.held_weights.files


def test_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is of the type 'dinov2', not 'dinov3_vit'"):
        made(save_dinov2(tmp_path))
