"""The three ways in which programs make a picture 299 pixels wide for Inception, each a FID of its own.

``legacy`` is TensorFlow 1's bilinear resize, which skips pixels when it shrinks: the FID of Heusel et al. 2017 and of
torch-fidelity. ``pytorch_fid`` is torch's bilinear resize with half-pixel centres, which skips them too: that of
pytorch-fid and of the statistics that it saves. ``clean`` is Pillow's antialiased bicubic without rounding to 8 bits
(clean-fid; Parmar et al. 2022, arXiv 2104.11222). Their numbers differ by up to ten percent and never compare.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.data.images import Image

Preprocess = Literal["clean", "legacy", "pytorch_fid"]
Pixels = npt.NDArray[np.float32]

SIDE_PX = 299
BICUBIC = 3  # PIL.Image.Resampling.BICUBIC; the decoder alone imports PIL


class Resize(NamedTuple):
    """One of them.

    Attributes:
        said: What the identity of the encoder says.
        input_of: From a picture to what the network sees, float32 (299, 299, 3) in [-1, 1].
    """

    said: str
    input_of: Callable[[Image], Pixels]


def resize_legacy(image: Image, side: int = SIDE_PX) -> Pixels:
    """Return float32 (side, side, 3) in [0, 255]: bilinear with x_in = x_out * in / out, as TensorFlow 1 has it.

    No half-pixel centres and no antialiasing; float32 in the order of operations of ``resize_bilinear_op.cc``, as
    torch-fidelity repeats it (``interpolate_compat_tensorflow.py``).
    """
    pixels = np.asarray(image)
    top, bottom, down = _neighbours(pixels.shape[0], side)
    left, right, across = _neighbours(pixels.shape[1], side)
    across = across[:, np.newaxis]
    upper, lower = (_blend(rows[:, left], rows[:, right], across) for rows in (pixels[top], pixels[bottom]))
    return _blend(upper, lower, down[:, np.newaxis, np.newaxis])


def resize_clean(image: Image) -> Pixels:
    """Return float32 (299, 299, 3) in [0, 255]: Pillow's bicubic on float planes, clipped, never rounded."""
    planes = [band.convert("F").resize((SIDE_PX, SIDE_PX), resample=BICUBIC) for band in image.split()]
    return np.stack([np.asarray(plane).clip(0.0, 255.0) for plane in planes], axis=2)


def resize_pytorch_fid(image: Image) -> Pixels:
    """Return float32 (299, 299, 3) in [0, 1], as pytorch-fid's ``inception.py`` (commit b9c1811) has it.

    Divided by 255 first, then ``interpolate`` with half-pixel centres and without antialiasing.
    """
    import torch

    planes = torch.from_numpy(np.array(image, np.uint8)).permute(2, 0, 1)[None].to(torch.float32) / 255
    resized = torch.nn.functional.interpolate(planes, (SIDE_PX, SIDE_PX), mode="bilinear", align_corners=False)
    pixels: Pixels = resized[0].permute(1, 2, 0).numpy()
    return pixels


# To add one: a function above, its name in ``Preprocess``, a line here (alphabetical), a test.
RESIZES: dict[Preprocess, Resize] = {
    "clean": Resize("clean: Pillow bicubic, antialiased, float32", lambda image: _centred(resize_clean(image))),
    "legacy": Resize("legacy: TensorFlow 1 bilinear, not antialiased", lambda image: _centred(resize_legacy(image))),
    "pytorch_fid": Resize(
        "pytorch_fid: torch bilinear of pixels in [0, 1], not antialiased",
        lambda image: 2 * resize_pytorch_fid(image) - 1,
    ),
}


def _centred(pixels: Pixels) -> Pixels:
    centred: Pixels = (pixels - 128.0) / 128.0
    return centred


def _neighbours(size: int, side: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Pixels]:
    """Return for each of ``side`` places the pixel before, the pixel after, and how far between them it lies."""
    places = np.arange(side, dtype=np.float32) * np.float32(size / side)
    before = places.astype(np.int64)
    return before, np.minimum(before + 1, size - 1), places - before.astype(np.float32)


def _blend(first: npt.NDArray[Any], second: npt.NDArray[Any], share: Pixels) -> Pixels:
    start = first.astype(np.float32)
    blended: Pixels = start + (second.astype(np.float32) - start) * share
    return blended
