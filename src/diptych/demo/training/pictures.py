"""Pictures as models take them, and those that are looked at while models learn from others."""

import numpy as np
import numpy.typing as npt
import torch

from diptych.demo.world.drawing import draw
from diptych.demo.world.scenes import Scene, scene
from diptych.demo.world.seeds import LOOKED_AT

MEAN = STD = 0.5


def scaled(pixels: torch.Tensor) -> torch.Tensor:
    """Return uint8 (N, H, W, 3) as the models take it: float32 (N, 3, H, W) in [-1, 1]."""
    return ((pixels.permute(0, 3, 1, 2).float() / 255.0 - MEAN) / STD).contiguous()


def mirrored(pixels: npt.NDArray[np.uint8], which: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Return a copy of pictures, uint8 (N, H, W, 3), in which those of ``which``, bool (N,), are mirrored."""
    return np.where(which[:, None, None, None], pixels[:, :, ::-1], pixels)


def looked_at(count: int) -> list[Scene]:
    """Return scenes that nothing is trained on."""
    return [scene(seed) for seed in range(LOOKED_AT, LOOKED_AT + count)]


def drawn(scenes: list[Scene], side: int) -> torch.Tensor:
    """Return the pictures of scenes: uint8 (N, side, side, 3)."""
    return torch.from_numpy(np.stack([draw(one, side) for one in scenes]))
