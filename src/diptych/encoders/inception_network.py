"""The network behind FID: Inception-v3 as in the TensorFlow graph of 2015-12-05, up to one of three layers.

It is not torchvision's ``inception_v3``: average pools do not count their padding, the pool branch of the last block
takes maxima, there is no auxiliary head, and the weights are others. Names of parameters are those of the conversion of
pytorch-fid and torch-fidelity (both Apache-2.0), whose weight files load here. Source: Szegedy et al. 2015 (arXiv
1512.00567), and ``fid_inception_v3`` of pytorch-fid at b9c1811 for what the graph does otherwise.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from diptych.encoders.inception_layers import LAYERS, SPATIAL_CHANNELS, Layer

SIDE_PX = 299

SPATIAL_BLOCK, SPATIAL_BRANCH = "Mixed_6d", "branch1x1"  # mixed_6/conv of the graph


@dataclass(frozen=True)
class NetworkStep:
    """A convolution with batch norm and ReLU, by the name of its parameters."""

    name: str
    channels: int
    height: int = 1
    width: int = 1
    stride: int = 1
    is_padded: bool = True


Pool = Literal["average", "max", "reduce"]  # "reduce" halves the sides
Branch = tuple["NetworkStep | Pool | tuple[NetworkStep, NetworkStep]", ...]  # a pair of steps is applied side by side


def _square(name: str, channels: int, side: int, *, stride: int = 1) -> NetworkStep:
    return NetworkStep(name, channels, side, side, stride, stride == 1)


def _mixed_5(pooled: int) -> tuple[Branch, ...]:
    return (
        (NetworkStep("branch1x1", 64),),
        (NetworkStep("branch5x5_1", 48), _square("branch5x5_2", 64, 5)),
        (NetworkStep("branch3x3dbl_1", 64), _square("branch3x3dbl_2", 96, 3), _square("branch3x3dbl_3", 96, 3)),
        ("average", NetworkStep("branch_pool", pooled)),
    )


def _mixed_6(narrow: int) -> tuple[Branch, ...]:
    return (
        (NetworkStep("branch1x1", 192),),
        (
            NetworkStep("branch7x7_1", narrow),
            NetworkStep("branch7x7_2", narrow, 1, 7),
            NetworkStep("branch7x7_3", 192, 7, 1),
        ),
        (
            NetworkStep("branch7x7dbl_1", narrow),
            NetworkStep("branch7x7dbl_2", narrow, 7, 1),
            NetworkStep("branch7x7dbl_3", narrow, 1, 7),
            NetworkStep("branch7x7dbl_4", narrow, 7, 1),
            NetworkStep("branch7x7dbl_5", 192, 1, 7),
        ),
        ("average", NetworkStep("branch_pool", 192)),
    )


def _mixed_7(pool: Pool) -> tuple[Branch, ...]:
    return (
        (NetworkStep("branch1x1", 320),),
        (
            NetworkStep("branch3x3_1", 384),
            (NetworkStep("branch3x3_2a", 384, 1, 3), NetworkStep("branch3x3_2b", 384, 3, 1)),
        ),
        (
            NetworkStep("branch3x3dbl_1", 448),
            _square("branch3x3dbl_2", 384, 3),
            (NetworkStep("branch3x3dbl_3a", 384, 1, 3), NetworkStep("branch3x3dbl_3b", 384, 3, 1)),
        ),
        (pool, NetworkStep("branch_pool", 192)),
    )


STEM = (
    NetworkStep("Conv2d_1a_3x3", 32, 3, 3, 2, False),
    NetworkStep("Conv2d_2a_3x3", 32, 3, 3, 1, False),
    NetworkStep("Conv2d_2b_3x3", 64, 3, 3),
    "reduce",
    NetworkStep("Conv2d_3b_1x1", 80),
    NetworkStep("Conv2d_4a_3x3", 192, 3, 3, 1, False),
    "reduce",
)
BLOCKS: dict[str, tuple[Branch, ...]] = {
    "Mixed_5b": _mixed_5(32),
    "Mixed_5c": _mixed_5(64),
    "Mixed_5d": _mixed_5(64),
    "Mixed_6a": (
        (_square("branch3x3", 384, 3, stride=2),),
        (
            NetworkStep("branch3x3dbl_1", 64),
            _square("branch3x3dbl_2", 96, 3),
            _square("branch3x3dbl_3", 96, 3, stride=2),
        ),
        ("reduce",),
    ),
    "Mixed_6b": _mixed_6(128),
    "Mixed_6c": _mixed_6(160),
    "Mixed_6d": _mixed_6(160),
    "Mixed_6e": _mixed_6(192),
    "Mixed_7a": (
        (NetworkStep("branch3x3_1", 192), _square("branch3x3_2", 320, 3, stride=2)),
        (
            NetworkStep("branch7x7x3_1", 192),
            NetworkStep("branch7x7x3_2", 192, 1, 7),
            NetworkStep("branch7x7x3_3", 192, 7, 1),
            _square("branch7x7x3_4", 192, 3, stride=2),
        ),
        ("reduce",),
    ),
    "Mixed_7b": _mixed_7("average"),
    "Mixed_7c": _mixed_7("max"),
}


class Convolution(nn.Module):
    """One step: convolution, batch norm, ReLU."""

    def __init__(self, step: NetworkStep, channels_in: int) -> None:
        """Build it for a number of incoming channels."""
        super().__init__()
        padding = (step.height // 2, step.width // 2) if step.is_padded else (0, 0)
        kernel = (step.height, step.width)
        self.conv = nn.Conv2d(channels_in, step.channels, kernel, step.stride, padding, bias=False)
        self.bn: nn.BatchNorm2d | nn.Identity = nn.BatchNorm2d(step.channels, eps=0.001)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return (N, channels, H', W')."""
        return functional.relu(self.bn(self.conv(pixels)), inplace=True)

    def fold(self) -> None:
        """Put the batch norm's scale and shift into the convolution, computed in float64; for inference only."""
        if isinstance(self.bn, nn.BatchNorm2d):
            self.conv = fuse_conv_bn_eval(self.conv.double(), self.bn.double()).float()
            self.bn = nn.Identity()


class Mixed(nn.Module):
    """A block: some branches side by side, their channels one after the other."""

    def __init__(self, branches: tuple[Branch, ...], channels_in: int) -> None:
        """Build it for a number of incoming channels."""
        super().__init__()
        self._branches = branches
        self.channels = 0
        for branch in branches:
            channels = channels_in
            for part in branch:
                steps = (part,) if isinstance(part, NetworkStep) else part if isinstance(part, tuple) else ()
                for step in steps:
                    self.add_module(step.name, Convolution(step, channels))
                channels = sum(step.channels for step in steps) or channels
            self.channels += channels

    def forward(self, pixels: Tensor) -> Tensor:
        """Return (N, channels, H', W')."""
        return torch.cat([self._run(branch, pixels) for branch in self._branches], 1)

    def _run(self, branch: Branch, pixels: Tensor) -> Tensor:
        for part in branch:
            if isinstance(part, str):
                pixels = pool(part, pixels)
            elif isinstance(part, NetworkStep):
                pixels = self.get_submodule(part.name)(pixels)
            else:
                pixels = torch.cat([self.get_submodule(step.name)(pixels) for step in part], 1)
        return pixels


class Inception(nn.Module):
    """From float32 (N, 3, 299, 299) in [-1, 1) to a layer of it, float32 (N, its length)."""

    def __init__(self, layer: Layer = "pool3") -> None:
        """Build it with random weights."""
        super().__init__()
        self.layer = layer
        steps = [part for part in STEM if isinstance(part, NetworkStep)]
        for step, channels in zip(steps, [3, *(step.channels for step in steps)], strict=False):
            self.add_module(step.name, Convolution(step, channels))
        channels = steps[-1].channels
        for name, branches in BLOCKS.items():
            block = Mixed(branches, channels)
            self.add_module(name, block)
            channels = block.channels
        if layer == "logits":
            self.fc = nn.Linear(LAYERS["pool3"].dim, LAYERS["logits"].dim, bias=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the layer."""
        for part in STEM:
            pixels = self.get_submodule(part.name)(pixels) if isinstance(part, NetworkStep) else pool("reduce", pixels)
        for name in BLOCKS:
            if self.layer == "spatial" and name == SPATIAL_BLOCK:
                seen: Tensor = self.get_submodule(name).get_submodule(SPATIAL_BRANCH)(pixels)
                return seen[:, :SPATIAL_CHANNELS].flatten(1)
            pixels = self.get_submodule(name)(pixels)
        pooled = pixels.mean(dim=(2, 3))
        if self.layer == "logits":
            pooled = self.fc(pooled)
        return pooled

    def fold(self) -> None:
        """Fold all batch norms, see ``Convolution.fold``; features then differ in their seventh digit."""
        for module in self.modules():
            if isinstance(module, Convolution):
                module.fold()


def pool(kind: Pool, pixels: Tensor) -> Tensor:
    """Return a 3 x 3 pool: averages that leave the padding out, maxima, or maxima with half the sides."""
    if kind == "average":
        return functional.avg_pool2d(pixels, 3, 1, 1, count_include_pad=False)
    if kind == "max":
        return functional.max_pool2d(pixels, 3, 1, 1)
    return functional.max_pool2d(pixels, 3, 2)
