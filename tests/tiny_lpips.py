"""LPIPS over an AlexNet of random weights: the file that the encoder reads, and torchmetrics' network of the same."""

from pathlib import Path
from typing import Any

import torch
from torchmetrics.functional.image import lpips as theirs
from torchvision.models import AlexNet

LAYERS = (0, 3, 6, 8, 10)  # the convolutions among torchvision's layers


def save_alexnet(path: Path) -> Path:
    """Write a file of AlexNet's layers of random weights, with torchvision's keys, and return where."""
    generator = torch.Generator().manual_seed(0)
    with torch.device("meta"):
        shapes = {name: value.shape for name, value in AlexNet().features.state_dict().items()}
    state = {f"features.{name}": torch.randn(shape, generator=generator) * 0.05 for name, shape in shapes.items()}
    torch.save(state, path)
    return path


def torchmetrics_lpips(weights: Path) -> Any:
    """Return torchmetrics' LPIPS over the AlexNet of a file; called with batches in [-1, 1] it gives each pair's."""
    network = theirs._LPIPS(pretrained=True, net="alex", pnet_rand=True)
    state = torch.load(weights, weights_only=True)
    own = {
        f"net.slice{number}.{layer}.{kind}": state[f"features.{layer}.{kind}"]
        for number, layer in enumerate(LAYERS, start=1)
        for kind in ("weight", "bias")
    }
    network.load_state_dict(own, strict=False)
    return network
