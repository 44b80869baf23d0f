"""LPIPS as vectors, against torchmetrics' LPIPS of pairs, over an AlexNet of random weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from drawn import picture
from noise import noise
from tiny_lpips import save_alexnet, torchmetrics_lpips

from diptych.data.images import decode
from diptych.encoders import make_encoder
from diptych.encoders.lpips import LpipsEncoder
from diptych.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return save_alexnet(tmp_path_factory.mktemp("alex") / "alexnet.pth")


def made(weights: Path, **options: Any) -> LpipsEncoder:
    encoder = make_encoder("lpips", {"weights": str(weights), "device": "cpu", **options})
    assert isinstance(encoder, LpipsEncoder)
    return encoder


def shown() -> list[Any]:
    return [*noise((64, 64), (90, 50)), *(decode(picture(seed, (100, 80))) for seed in range(2))]


@pytest.mark.reference
def test_squared_distance_of_two_vectors_is_the_lpips_of_their_pictures(weights: Path) -> None:
    encoder = made(weights)
    prepared = [encoder.prepare(image) for image in shown()]
    vectors = encoder.images(prepared).astype(np.float64)
    network = torchmetrics_lpips(weights)
    for left in range(4):
        for right in range(4):
            pair = [torch.from_numpy(prepared[number][None]) for number in (left, right)]
            with torch.inference_mode():
                expected = network(*pair).item()
            assert ((vectors[left] - vectors[right]) ** 2).sum() == pytest.approx(expected, abs=1e-6, rel=1e-4)
            assert (expected > 1e-3) == (left != right)


@pytest.mark.parametrize("side", [32, 64, 65])
def test_length_of_a_vector_is_known_beforehand(weights: Path, side: int) -> None:
    encoder = made(weights, side=side)
    assert encoder.images([encoder.prepare(shown()[0])]).shape == (1, encoder.dim)
    assert encoder.dim == {32: 5760, 64: 31872, 65: 31872}.get(side)


def test_no_neighbour_changes_a_vector(weights: Path) -> None:
    encoder = made(weights)
    prepared = [encoder.prepare(image) for image in shown()]
    together = encoder.images(prepared)
    np.testing.assert_allclose(np.concatenate([encoder.images([one]) for one in prepared]), together, atol=1e-6)


def test_identity_is_that_of_the_files_and_the_size(weights: Path) -> None:
    identity = made(weights).identity
    assert identity == made(weights).identity
    assert identity != made(weights, side=32).identity
    assert "weights_sha256" in identity
    assert "linear_sha256" in identity
    with pytest.raises(ConfigError, match="encoder 'lpips': embeds images only"):
        made(weights).texts(["a cat"])


def test_files_of_another_kind_are_refused(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="encoder 'lpips': weights: no file 'nowhere'"):
        make_encoder("lpips", {"weights": "nowhere"})
    with pytest.raises(ConfigError, match="side is at least 32 pixels, not 16"):
        made(weights, side=16)
    (tmp_path / "text.pth").write_text("no weights", "utf-8")
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "part.pth")
    torch.save({f"lin{n}.model.1.weight": torch.full((1, 4, 1, 1), -1.0) for n in range(5)}, tmp_path / "linear.pth")
    for options, said in (
        ({"weights": str(tmp_path / "text.pth")}, "no weights file that torch reads"),
        ({"weights": str(tmp_path / "part.pth")}, "does not load as LPIPS over AlexNet"),
        ({"weights": str(weights), "linear": str(tmp_path / "linear.pth")}, "holds no weights of channels that are"),
    ):
        encoder = make_encoder("lpips", {"device": "cpu", **options})
        with pytest.raises(DataError, match=said):
            encoder.images([encoder.prepare(shown()[0])])
