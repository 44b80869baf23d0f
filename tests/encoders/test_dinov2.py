"""DINOv2 through the product's own path: a tiny one of random weights, saved and loaded again."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision.transforms as transforms
import transformers
from evaluate_configs import call_json, make_config, result_of, run
from noise import noise
from PIL import Image
from tiny_dino import save_dinov2, save_dinov3
from tiny_generated import made_grid, make_generated

from diptych.encoders import make_encoder
from diptych.encoders.dinov2 import Dinov2Encoder
from diptych.errors import ConfigError

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return save_dinov2(tmp_path_factory.mktemp("dinov2"))


def made(folder: Path, **options: Any) -> Dinov2Encoder:
    encoder = make_encoder("dinov2", {"weights": str(folder), "device": "cpu", **options})
    assert isinstance(encoder, Dinov2Encoder)
    return encoder


def pictures() -> list[Image.Image]:
    return noise((300, 200), (224, 224), (50, 120))


def embed(encoder: Any, shown: list[Image.Image]) -> np.ndarray:
    found: np.ndarray = encoder.images([encoder.prepare(image) for image in shown])
    return found


def upstream(folder: Path, pixels: torch.Tensor) -> np.ndarray:
    """Return the class token as facebookresearch/dinov2 makes it: its own table of positions for 224 pixels."""
    model = transformers.Dinov2Model.from_pretrained(folder).eval()
    table = model.embeddings.position_embeddings.data
    n, dim = table.shape[1] - 1, table.shape[2]
    m = int(math.sqrt(n))
    w0 = pixels.shape[-1] // 14
    sx = float(w0 + 0.1) / m
    patches = torch.nn.functional.interpolate(
        table[:, 1:].reshape(1, m, m, dim).permute(0, 3, 1, 2), mode="bicubic", antialias=False, scale_factor=(sx, sx)
    )
    assert patches.shape[-2:] == (w0, w0)
    positions = torch.cat((table[:, 0].unsqueeze(0), patches.permute(0, 2, 3, 1).view(1, -1, dim)), dim=1)
    model.embeddings.interpolate_pos_encoding = lambda embeddings, height, width: positions
    with torch.inference_mode():
        return np.asarray(model(pixels).last_hidden_state[:, 0].numpy())


@pytest.mark.reference
def test_vectors_are_those_of_dgm_eval_s_pipeline(folder: Path) -> None:
    resize = transforms.Resize((224, 224), transforms.InterpolationMode.BICUBIC)
    steps = transforms.Compose([resize, transforms.ToTensor(), transforms.Normalize(MEAN, DEVIATION)])
    pixels = torch.stack([steps(picture) for picture in pictures()])
    encoder = made(folder)
    prepared = np.stack([encoder.prepare(picture) for picture in pictures()])
    np.testing.assert_allclose(prepared, pixels.numpy(), atol=1e-6)
    found = embed(encoder, pictures())
    assert (found.shape, found.dtype) == ((3, encoder.dim), np.dtype(np.float32))
    np.testing.assert_allclose(found, upstream(folder, pixels), atol=2e-5)


@pytest.mark.reference
def test_tf1_is_torch_fidelity_s_resize(folder: Path) -> None:
    from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

    encoder = made(folder, resize="tf1")
    for picture in pictures():
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float()
        small = interpolate_bilinear_2d_like_tensorflow1x(pixels, size=(224, 224), align_corners=False)
        mean, deviation = (torch.tensor(each).view(1, 3, 1, 1) * 255 for each in (MEAN, DEVIATION))
        expected = ((small - mean) / deviation)[0].numpy()
        np.testing.assert_allclose(encoder.prepare(picture), expected, atol=1e-5)


def test_positions_are_fitted_as_upstream_and_not_as_transformers_fits_them(folder: Path) -> None:
    encoder = made(folder)
    pixels = torch.from_numpy(np.stack([encoder.prepare(picture) for picture in pictures()]))
    with torch.inference_mode():
        other = transformers.Dinov2Model.from_pretrained(folder).eval()(pixels).last_hidden_state[:, 0].numpy()
    assert np.abs(embed(encoder, pictures()) - other).max() > 1e-3


def test_no_neighbour_changes_a_vector(folder: Path) -> None:
    encoder = made(folder)
    alone = np.concatenate([embed(encoder, [picture]) for picture in pictures()])
    np.testing.assert_allclose(embed(encoder, pictures()), alone, atol=1e-5)


def test_identity_says_how_pictures_are_resized_and_no_place(folder: Path, tmp_path: Path) -> None:
    other = save_dinov2(tmp_path / "other", seed=1)
    identities = [made(folder).identity, made(folder, resize="tf1").identity, made(other).identity]
    assert len({str(identity) for identity in identities}) == 3
    assert identities[0]["preprocess"] == "pil: squeezed to 224 x 224 by Pillow's bicubic"
    assert str(folder) not in str(identities)
    assert made(save_dinov2(tmp_path / "same")).identity == identities[0]


def test_another_model_is_refused_and_there_is_no_text_side(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is of the type 'dinov3_vit', not 'dinov2'"):
        made(save_dinov3(tmp_path))
    with pytest.raises(ConfigError, match="embeds images only"):
        made(folder).texts(["a cat"])


def test_a_distance_is_made_of_it_in_a_run_and_on_the_command_line(folder: Path, tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", made_grid(prompts=4, samples=2))
    make_generated(tmp_path / "real", made_grid(prompts=9, samples=1, models=("photo",)))
    encoders = {"dino": {"kind": "dinov2", "options": {"weights": str(folder), "device": "cpu"}}}
    distances = [{"metric": "fid", "encoder": "dino", "reference": "real", "by": []}]
    config = make_config(tmp_path, encoders=encoders, distances=distances)
    config["datasets"]["real"] = {"path": str(tmp_path / "real"), "role": "reference"}
    run(config)
    row = result_of(tmp_path, "frechet_distance")
    options = ("--encoder", "dinov2", "--set", f"weights={folder}", "--set", "device=cpu")
    found = call_json("evaluate", "distance", tmp_path / "generated", tmp_path / "real", *options)
    assert found["values"]["frechet_distance"]["value"] == pytest.approx(row["value"], rel=1e-6)
