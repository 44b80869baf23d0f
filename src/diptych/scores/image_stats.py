"""Size, shape, light and detail of a picture. Nothing learned, nothing decided.

Luma is that of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B, rounded to 8 bits as PIL does. Entropy, brightness and
contrast come from its histogram over all pixels. Colourfulness and sharpness are taken on a copy whose long side is at
most 512 pixels, so that a photograph and the same photograph at another resolution measure about the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.data.images import Image
from diptych.scores import Column, Reads
from diptych.scores.batches import Batch

COLUMNS = (
    Column(
        "short_side", "Short side of the decoded picture", dtype="int32", unit="px", low=1, better_for_data="higher"
    ),
    Column("long_side", "Long side of the decoded picture", dtype="int32", unit="px", low=1),
    Column("aspect_ratio", "Long side over short side", low=1),
    Column("entropy", "Shannon entropy of 8-bit luma; 0 is one flat shade", unit="bit", low=0, high=8),
    Column("brightness", "Mean luma; 0 is black, 1 is white", low=0, high=1),
    Column("contrast", "Standard deviation of luma; 0.5 is half black, half white", low=0, high=0.5),
    Column(
        "colourfulness", "Hasler and Suesstrunk 2003: 0 grey, 33 moderate, 59 quite, 109 extremely colourful", low=0
    ),
    Column("sharpness", "Variance of the Laplacian of 8-bit luma", low=0, better_for_data="higher"),
)

LONG_SIDE_PX = 512
_BOX = 4  # PIL.Image.Resampling.BOX, the mean over the area; only diptych.data.images imports PIL


class Stats(NamedTuple):
    """The measures of one picture, in the order of ``COLUMNS``."""

    short_side: int | None
    long_side: int | None
    aspect_ratio: float
    entropy: float
    brightness: float
    contrast: float
    colourfulness: float
    sharpness: float


_MISSING = Stats(None, None, *[float("nan")] * 6)


@dataclass(frozen=True)
class ImageStats:
    """Measures of one picture each."""

    columns: tuple[Column, ...] = COLUMNS
    reads: frozenset[Reads] = frozenset({"pixels"})

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version and the size of the copy."""
        return {"score": "image_stats", "version": 1, "long_side_px": LONG_SIDE_PX}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the measures; None and NaN without an image."""
        rows = [measure(image) if image is not None else _MISSING for image in batch.images()]
        kinds = {"float32": np.float32, "int32": object}
        return {
            column.name: np.array([row[index] for row in rows], kinds[column.dtype])
            for index, column in enumerate(COLUMNS)
        }


def image_stats() -> ImageStats:
    """Return the score."""
    return ImageStats()


def measure(image: Image) -> Stats:
    """Return all measures of an RGB image."""
    luma = image.convert("L")
    entropy, brightness, contrast = measure_light(np.array(luma.histogram()))
    small = _reduce(image)
    short, long = sorted(image.size)
    return Stats(
        short_side=short,
        long_side=long,
        aspect_ratio=long / short,
        entropy=entropy,
        brightness=brightness,
        contrast=contrast,
        colourfulness=measure_colourfulness(np.asarray(small)),
        sharpness=measure_sharpness(np.asarray(luma if small is image else small.convert("L"))),
    )


def measure_light(histogram: npt.NDArray[np.int_]) -> tuple[float, float, float]:
    """Return entropy in bits, mean and standard deviation in [0, 1] of a histogram of 8-bit values, int (256,).

    >>> [round(value, 3) for value in measure_light(np.array([1] + [0] * 254 + [1]))]
    [1.0, 0.5, 0.5]
    """
    shares = histogram / histogram.sum()
    shades = np.arange(256) / 255
    used = shares[shares > 0]
    mean = float(shares @ shades)
    return max(0.0, float(-(used * np.log2(used)).sum())), mean, float(np.sqrt(shares @ (shades - mean) ** 2))


def measure_colourfulness(pixels: npt.NDArray[np.uint8]) -> float:
    """Return the colourfulness of RGB pixels, uint8 (H, W, 3): 0 for grey, about 110 for extremely colourful.

    With rg = R - G and yb = (R + G) / 2 - B it is sqrt(std(rg)**2 + std(yb)**2) + 0.3 sqrt(mean(rg)**2 + mean(yb)**2).

    Source: D. Hasler and S. Suesstrunk, "Measuring colourfulness in natural images", SPIE 5007, 2003, the metric M3.
    """
    red, green, blue = np.moveaxis(pixels.astype(np.float32), -1, 0)
    opponents = np.stack([red - green, (red + green) / 2 - blue]).reshape(2, -1)
    spread = opponents.var(axis=1, dtype=np.float64).sum()
    shift = (opponents.mean(axis=1, dtype=np.float64) ** 2).sum()
    return float(np.sqrt(spread) + 0.3 * np.sqrt(shift))


def measure_sharpness(luma: npt.NDArray[np.uint8]) -> float:
    """Return the variance of the Laplacian of luma, uint8 (H, W): 0 for a flat picture, higher for more fine detail.

    The kernel is [[0, 1, 0], [1, -4, 1], [0, 1, 0]], the picture mirrored beyond its edge pixels, as
    ``cv2.Laplacian(luma, cv2.CV_64F).var()`` has it.

    Source: J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """
    wide = np.pad(luma.astype(np.int16), 1, mode="reflect")
    centre = wide[1:-1, 1:-1]
    laplacian = wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:] - 4 * centre
    return float(laplacian.var(dtype=np.float64))


def _reduce(image: Image) -> Image:
    """Return the image with its long side at most ``LONG_SIDE_PX``, itself if it is small enough."""
    scale = LONG_SIDE_PX / max(image.size)
    if scale >= 1:
        return image
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image.resize((width, height), _BOX)
