"""From a picture to what a CLIP sees: open_clip's preprocessing bit for bit, faster where its form is known.

Resized to the shorter side and the middle cropped, or squeezed into a square, then scaled to [0, 1] and normalised in
float32 (``image_transform`` of open_clip 3). What is cropped away is not made in the first place.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from diptych.data.images import Image
from diptych.encoders.pillow_resize import FILTERS, Box, resized

Pixels = npt.NDArray[np.float32]
Preprocessing = Callable[[Image], Pixels]


def clip_preprocessing(settings: Mapping[str, Any]) -> Preprocessing:
    """Return what makes float32 (3, H, W), normalised, of an RGB picture.

    Args:
        settings: A ``PreprocessCfg`` of open_clip as a mapping.
    """
    size, mode, by = settings["size"], settings["resize_mode"], settings["interpolation"]
    sides = set(size) if isinstance(size, list | tuple) else {size}
    if len(sides) > 1 or mode not in ("shortest", "squash") or by not in FILTERS:
        return _of_open_clip(settings)
    (side,) = sides
    mean, std = (torch.tensor(settings[name]).view(3, 1, 1) for name in ("mean", "std"))

    def prepare(image: Image) -> Pixels:
        whole, box = _squeezed(side) if mode == "squash" else _cropped(image, side)
        with torch.inference_mode():
            pixels = torch.from_numpy(np.ascontiguousarray(resized(image, whole, box, by).transpose(2, 0, 1)))
            # In the order of operations of torchvision's ToTensor and Normalize.
            normalised: Pixels = pixels.to(torch.float32).div_(255).sub_(mean).div_(std).numpy()
        return normalised

    return prepare


def _of_open_clip(settings: Mapping[str, Any]) -> Preprocessing:
    from open_clip.transform import PreprocessCfg, image_transform_v2

    transform = image_transform_v2(PreprocessCfg(**settings), is_train=False)

    def prepare(image: Image) -> Pixels:
        prepared: Pixels = transform(image).numpy()
        return prepared

    return prepare


def _squeezed(side: int) -> tuple[tuple[int, int], Box]:
    return (side, side), (0, 0, side, side)


def _cropped(image: Image, side: int) -> tuple[tuple[int, int], Box]:
    """Return the size whose shorter side is ``side``, and its middle square: torchvision's Resize and CenterCrop."""
    longer = int(side * max(image.size) / min(image.size))
    width, height = (side, longer) if image.width <= image.height else (longer, side)
    left, top = round((width - side) / 2.0), round((height - side) / 2.0)
    return (width, height), (left, top, left + side, top + side)
