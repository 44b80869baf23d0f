"""Inception weights drawn at random, in the file format of the real ones, for tests without a download."""

from pathlib import Path

import torch
from torch import nn

from diptych.encoders.inception_network import Inception


def save_random_weights(path: Path, seed: int = 0) -> Path:
    """Save weights under which features neither vanish nor explode, the classifier of the real file among them."""
    generator = torch.Generator().manual_seed(seed)
    model = Inception()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                fan_in = module.weight[0].numel()
                module.weight.normal_(0.0, (2.0 / fan_in) ** 0.5, generator=generator)
            elif isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.8, 1.2, generator=generator)
                module.bias.uniform_(-0.1, 0.1, generator=generator)
                module.running_mean.uniform_(-0.1, 0.1, generator=generator)
                module.running_var.uniform_(0.8, 1.2, generator=generator)
    state = dict(model.state_dict())
    state["fc.weight"] = torch.randn(1008, 2048, generator=generator) * 0.02
    state["fc.bias"] = torch.randn(1008, generator=generator)
    torch.save(state, path)
    return path
