"""What a pipeline gives to pixels: an RGB picture for each prompt, values in [0, 1], of the size that was asked for.

Pictures are taken as ``numpy`` arrays, the form that every pipeline makes its own PIL pictures of: as tensors several
give what their decoder gave, in [-1, 1] or beyond.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.errors import DataError
from diptych.generate.backends.asked import ImageGroup
from diptych.generate.pictures import Pixels

OUTPUT_TYPE = "np"
BEYOND = 1e-3  # what rounding may add to a value at either end


def pixels_of(given: Any, group: ImageGroup) -> list[Pixels | None]:
    """Return the pictures of a batch, RGB uint8 (height, width, 3); None where values are no numbers.

    Rounded to the nearest of 256 values, a half to the even one, as ``VaeImageProcessor.numpy_to_pil`` of diffusers
    rounds, so that a picture is the plain call's own.

    Args:
        given: What the pipeline's call returned: an output with ``images``, float (N, height, width, 3), or with
            ``frames``, float (N, 1, height, width, 3).
        group: What was asked for.

    Raises:
        DataError: If it is not one RGB picture for each prompt, has another size than asked for, or values outside
            [0, 1].
    """
    values = array_of(given, group)
    _check_size(values, group)
    is_finite = np.asarray(np.isfinite(values).reshape(len(values), -1).all(axis=1))
    _check_range(values[is_finite], group)
    whole = (np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0).clip(0.0, 1.0) * np.float32(255)).round()
    pixels = whole.astype(np.uint8)
    return [pixels[row] if is_finite[row] else None for row in range(len(pixels))]


def array_of(given: Any, group: ImageGroup) -> npt.NDArray[np.float32]:
    """Return the pictures of a batch as the pipeline gives them, float32 (N, height, width, 3).

    Raises:
        DataError: If it is not one RGB picture for each prompt.
    """
    found = getattr(given, "images", None)
    if found is None and (frames := getattr(given, "frames", None)) is not None:
        videos = np.asarray(frames)
        if videos.ndim != 5 or videos.shape[1] != 1:
            count = videos.shape[1] if videos.ndim == 5 else "no"
            raise DataError(f"{group.label}: the pipeline gives {count} frames, not one picture for each prompt")
        found = videos[:, 0]
    values: npt.NDArray[Any] = np.asarray(found if found is not None else [])
    if values.ndim != 4 or len(values) != group.batch_size or values.shape[3] != 3:
        raise DataError(f"{group.label}: the pipeline does not give one RGB image for each prompt")
    return np.asarray(values, np.float32)


def _check_size(values: npt.NDArray[np.float32], group: ImageGroup) -> None:
    size = group.resolved.size
    height, width = len(values[0]), len(values[0][0])
    if size is not None and (width, height) != size:
        raise DataError(
            f"{group.label}: the pipeline makes {width}x{height} where {size.width}x{size.height} was asked for; "
            f"write a size that it makes"
        )


def _check_range(values: npt.NDArray[np.float32], group: ImageGroup) -> None:
    if values.size and (values.min() < -BEYOND or values.max() > 1 + BEYOND):
        raise DataError(
            f"{group.label}: the pipeline gives values in [{values.min():.3g}, {values.max():.3g}], "
            f"which are no pictures: they belong in [0, 1]"
        )
