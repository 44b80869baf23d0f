"""Samples of more than 8 bits: how they become samples of 8. Decides nothing about what they mean as colours."""

import numpy as np
import numpy.typing as npt
import PIL.Image
from PIL import PpmImagePlugin


def to_8_bits(image: PIL.Image.Image) -> PIL.Image.Image:
    """Return an image of wide samples as L or LA, others as they are."""
    if image.mode not in {"I", "F"} and not image.mode.startswith("I;16"):
        return image
    samples, tags = np.asarray(image), getattr(image, "tag_v2", {})
    if image.mode.startswith("I;16") or isinstance(image, PpmImagePlugin.PpmImageFile):
        grey = (samples >> (4 if tags.get(258) in {12, (12,)} else 8)).astype(np.uint8)  # PIL leaves 12 bits unscaled
    else:
        grey = _stretch(samples.astype(np.float32), unit=image.mode == "F")
    picture = PIL.Image.fromarray(255 - grey if tags.get(262) == 0 else grey)  # WhiteIsZero: PIL minds it up to 8 bits
    if "transparency" in image.info:
        picture.putalpha(PIL.Image.fromarray(np.uint8(255) * (samples != image.info["transparency"])))
    return picture


def _stretch(samples: npt.NDArray[np.float32], *, unit: bool) -> npt.NDArray[np.uint8]:
    """Return samples scaled to [0, 255]: from [0, 1] if ``unit`` and they fit, else from their own range; NaN is 0."""
    finite = np.isfinite(samples)
    low, high = float(samples.min(where=finite, initial=np.inf)), float(samples.max(where=finite, initial=-np.inf))
    if low > high or (unit and low >= 0 and high <= 1):
        low, high = 0.0, 1.0
    with np.errstate(all="ignore"):
        shades = np.nan_to_num((samples - np.float32(low)) * np.float32(255 / (high - low or 1)), nan=0)
    return np.asarray(shades.clip(0, 255).round(), np.uint8)
