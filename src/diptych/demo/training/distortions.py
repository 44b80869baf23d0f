"""What is done to a batch of training pictures so that a detector also finds things that are drawn less well.

Pictures of generative models are soft, warped, speckled and off in colour, in ways that no fault of the demo web is.
Each picture of a batch is moved, mirrored, warped, recoloured, softened and made noisy by amounts of its own.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

NOTHING = -1

MOVE = 0.09  # of the side, at most
ZOOM = (0.86, 1.16)
STRETCH = 0.06
WARP_CELLS = 5  # the warp is a smooth field over so many points each way
WARP = 0.022  # of the side, its standard deviation at most
VISIBLE_SHARE = 0.45  # of a box: what is less to be seen is not there

CONTRAST = (0.6, 1.15)
BRIGHTNESS = 0.07
GAIN = 0.08
SATURATION = (0.75, 1.2)
SOFTEN = (-0.4, 1.1)  # from sharpened to blurred
NOISE = 0.06
SMOOTH_NOISE = 0.06
SMOOTH_CELLS = 12
PLAIN_SHARE = 0.2  # of the pictures stay as they are but for their place


class Distorted(NamedTuple):
    """A batch as it is learnt from.

    Attributes:
        pixels: float32 (N, 3, H, W) in [0, 1].
        boxes: Shares of the side, float32 (N, K, 4).
        labels: int64 (N, K); -1 where there is nothing, or not any more.
    """

    pixels: torch.Tensor
    boxes: torch.Tensor
    labels: torch.Tensor


def distort(pixels: torch.Tensor, boxes: torch.Tensor, labels: torch.Tensor, dice: np.random.Generator) -> Distorted:
    """Distort a batch.

    Args:
        pixels: uint8 RGB (N, H, W, 3), squares.
        boxes: Left, top, right, bottom as shares of the side, float32 (N, K, 4).
        labels: int64 (N, K), -1 where there is nothing.
        dice: All chance comes from it.
    """
    values = pixels.permute(0, 3, 1, 2).float() / 255.0
    zoom, move = _placements(len(values), dice)
    moved = functional.grid_sample(
        values, _grid(values, zoom, move, dice), mode="bilinear", padding_mode="border", align_corners=False
    )
    changed = _noisy(_softened(_recoloured(moved, dice), dice), dice)
    plain = _on(moved, dice.random(len(moved)) < PLAIN_SHARE)
    return Distorted(torch.where(plain, moved, changed).clamp(0.0, 1.0), *_move_boxes(boxes, labels, zoom, move))


def _placements(count: int, dice: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Return zoom (negative: mirrored) and move, float32 (N, 2) each: a place x comes from zoom * x + move."""
    zoom = dice.uniform(*ZOOM, (count, 1)) * (1.0 + dice.uniform(-STRETCH, STRETCH, (count, 2)))
    zoom[:, 0] *= np.where(dice.random(count) < 0.5, -1.0, 1.0)
    # Places run from -1 to 1.
    return _tensor(zoom), _tensor(dice.uniform(-2.0 * MOVE, 2.0 * MOVE, (count, 2)))


def _grid(values: torch.Tensor, zoom: torch.Tensor, move: torch.Tensor, dice: np.random.Generator) -> torch.Tensor:
    """Return where each pixel comes from: float32 (N, H, W, 2) in [-1, 1], x before y."""
    count, _, height, width = values.shape
    x, y = ((torch.arange(n, device=values.device) * 2.0 + 1.0) / n - 1.0 for n in (width, height))
    places = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
    grid = places * zoom.to(values.device)[:, None, None] + move.to(values.device)[:, None, None]
    field = dice.normal(size=(count, 2, WARP_CELLS, WARP_CELLS)) * dice.uniform(0.0, 2.0 * WARP, (count, 1, 1, 1))
    warp = functional.interpolate(_on(values, field), (height, width), mode="bicubic", align_corners=True)
    return grid + warp.permute(0, 2, 3, 1)


def _move_boxes(
    boxes: torch.Tensor, labels: torch.Tensor, zoom: torch.Tensor, move: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    zoom, move = (values.to(boxes.device)[:, None].repeat(1, 1, 2) for values in (zoom, move))
    ends = ((boxes * 2.0 - 1.0 - move) / zoom + 1.0) / 2.0
    low, high = torch.minimum(ends[..., :2], ends[..., 2:]), torch.maximum(ends[..., :2], ends[..., 2:])
    seen = torch.cat([low, high], dim=-1).clamp(0.0, 1.0)
    share = (seen[..., 2:] - seen[..., :2]).prod(dim=-1) / (high - low).prod(dim=-1).clamp(min=1e-9)
    there = (labels >= 0) & (share > VISIBLE_SHARE)
    return seen, torch.where(there, labels, NOTHING)


def _recoloured(values: torch.Tensor, dice: np.random.Generator) -> torch.Tensor:
    count = len(values)
    grey = values.mean(dim=1, keepdim=True)
    values = grey + (values - grey) * _on(values, dice.uniform(*SATURATION, count))
    middle = values.mean(dim=(1, 2, 3), keepdim=True)
    values = middle + (values - middle) * _on(values, dice.uniform(*CONTRAST, count))
    values = values * _on(values, 1.0 + dice.uniform(-GAIN, GAIN, (count, 3, 1, 1)))
    return values + _on(values, dice.uniform(-BRIGHTNESS, BRIGHTNESS, count))


def _softened(values: torch.Tensor, dice: np.random.Generator) -> torch.Tensor:
    share = _on(values, dice.uniform(*SOFTEN, len(values)))
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], device=values.device) / 16.0
    kernel = torch.outer(row, row).expand(3, 1, 5, 5)
    soft = functional.conv2d(functional.pad(values, (2, 2, 2, 2), mode="replicate"), kernel, groups=3)
    return values + (soft - values) * share


def _noisy(values: torch.Tensor, dice: np.random.Generator) -> torch.Tensor:
    count, channels, height, width = values.shape
    grain = dice.standard_normal(values.shape, np.float32) * np.float32(dice.uniform(0.0, NOISE, (count, 1, 1, 1)))
    patches = dice.standard_normal((count, channels, SMOOTH_CELLS, SMOOTH_CELLS), np.float32)
    patches *= np.float32(dice.uniform(0.0, SMOOTH_NOISE, (count, 1, 1, 1)))
    smooth = functional.interpolate(_on(values, patches), (height, width), mode="bilinear", align_corners=True)
    return values + _on(values, grain) + smooth


def _on(like: torch.Tensor, numbers: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> torch.Tensor:
    """Return numbers on the device of ``like``; one per picture becomes (N, 1, 1, 1)."""
    tensor = torch.from_numpy(numbers if numbers.dtype == bool else numbers.astype(np.float32)).to(like.device)
    return tensor[:, None, None, None] if tensor.ndim == 1 else tensor


def _tensor(numbers: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> torch.Tensor:
    return torch.from_numpy(numbers.astype(np.float32))
