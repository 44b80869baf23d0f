"""Pillow's resize of RGB pictures byte for byte, and of what is cropped from them alone, in vector units.

Pillow makes each output pixel in integers (``src/libImaging/Resample.c`` of 13.0): weights rounded to 22 bits behind
the point, summed over the columns that a pixel covers, half added, shifted, clipped to a byte; then the same over rows.
It does so one pixel at a time. Here a weighted sum of whole columns or rows at once is an embedding bag of torch, whose
kernels add floats. Each weight is cut in two, 15 bits above and 7 below, so that all partial sums of either part are
integers of at most 24 bits: no float is rounded, whatever the order, and both sums together are Pillow's integer.

Decides no size and no crop. Pillow itself resizes where it may begin with the rows (a picture that is squeezed, or more
than twice as high as wide), where sums could be rounded (one pixel of more than about 500), and where the Pillow or the
torch of a machine gives another byte in a trial.
"""

import functools
import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import PIL.Image
import torch

from diptych.data.images import Image

Filter = Literal["bicubic", "bilinear"]
Box = tuple[int, int, int, int]  # left, top, right, bottom

PRECISION_BITS = 32 - 8 - 2
LOW_BITS = 7
HIGH = 2.0 ** (LOW_BITS - PRECISION_BITS)  # the unit of the sum of the upper parts, in levels of a byte
EXACT = 2**24  # up to which every integer is a float32
STRIP_BYTES = 2**20  # of source pixels at a time: what they become stays in the processor's cache
CACHED_PASSES = 512


class _Pass(NamedTuple):
    """What one direction takes: of which source lines each output line is made, and with which weights.

    Attributes:
        first: The first source line that is needed.
        last: The one behind the last.
        lines: int64 (T,), of the lines from ``first`` on, output line by output line.
        starts: int64 (N,), where those of each output line begin.
        upper: float32 (T,), the upper parts of the weights, in levels of a byte.
        lower: float32 (T,), the lower parts, in units of the upper ones.
    """

    first: int
    last: int
    lines: torch.Tensor
    starts: torch.Tensor
    upper: torch.Tensor
    lower: torch.Tensor


def resized(image: Image, size: tuple[int, int], box: Box, by: Filter) -> npt.NDArray[np.uint8]:
    """Return uint8 (height, width, 3): what lies in a box of a picture resized by Pillow.

    Args:
        image: RGB.
        size: Width and height that the whole picture is resized to.
        box: The part of that to return.
        by: The filter.
    """
    left, top, right, bottom = box
    across = _pass(image.width, size[0], (left, right), by)
    down = _pass(image.height, size[1], (top, bottom), by)
    if across is None or down is None or not _begins_with_columns(image.size, size) or not _is_the_same():
        return np.asarray(image.resize(size, resample=PIL.Image.Resampling[by.upper()]).crop(box))
    return _resized(image, across, down)


def _begins_with_columns(source: tuple[int, int], target: tuple[int, int]) -> bool:
    """Return whether it is sure that Pillow makes columns first; since 13.0 it may begin with rows that get fewer."""
    (width, height), (wide, high) = source, target
    is_in_proportion = abs(wide * height - width * high) < max(width, height)  # but for the rounding of one side
    return high >= height or (is_in_proportion and height <= 2 * width)


def _resized(image: Image, across: _Pass, down: _Pass) -> npt.NDArray[np.uint8]:
    width, height = across.last - across.first, down.last - down.first
    rows = max(1, STRIP_BYTES // (4 * width))
    columns = _lines(len(across.starts), height)  # a line of what the first pass makes is a column of the picture
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        strip = image.crop((across.first, down.first + top, across.last, down.first + bottom))
        pixels = _lines(bottom - top, width)
        pixels[:-2] = np.frombuffer(strip.tobytes("raw", "RGBX"), np.int32).reshape(-1, width)
        _weigh(pixels, across, columns[:-2, top:bottom])
    found = np.empty((len(down.starts), len(across.starts)), np.int32)
    _weigh(columns, down, found)
    return found.view(np.uint8).reshape(*found.shape, 4)[:, :, :3]


def _lines(count: int, pixels: int) -> npt.NDArray[np.int32]:
    """Return int32 (count + 2, pixels), to be filled but for the last two: a number is the four bytes of a pixel.

    Across the lines a kernel reads bytes, with a scale and a bias behind them: one and nothing.
    """
    lines = np.empty((count + 2, pixels), np.int32)
    lines[-2:] = np.array([[1.0], [0.0]], np.float32).view(np.int32)
    return lines


def _weigh(lines: npt.NDArray[np.int32], way: _Pass, found: npt.NDArray[np.int32]) -> None:
    """Make one pass across lines.

    Args:
        lines: int32 (M + 2, L), as ``_lines`` has them; each pixel is one of L that are weighed.
        way: Which of them make each of N pixels.
        found: int32 (N, M), filled with them.
    """
    with torch.inference_mode():
        table = torch.from_numpy(lines).t().contiguous().view(torch.uint8)
        upper, lower = (_summed(table, way, weights) for weights in (way.upper, way.lower))
        levels = upper.add_(lower.floor_(), alpha=HIGH).add_(0.5).clamp_(0.0, 255.0).numpy()
    np.copyto(found.view(np.uint8), levels, casting="unsafe")  # which cuts what is behind the point


def _summed(table: torch.Tensor, way: _Pass, weights: torch.Tensor) -> torch.Tensor:
    """Return float32 (N, 4 * M), the weighted sums of the bytes of lines."""
    kernel = torch.ops.quantized.embedding_bag_byte_rowwise_offsets
    sums: torch.Tensor = kernel(table, way.lines, way.starts, False, 0, False, weights, None, False)
    return sums


@functools.lru_cache(CACHED_PASSES)
def _pass(source: int, target: int, part: tuple[int, int], by: Filter) -> _Pass | None:
    """Return what resizing a side of ``source`` pixels to ``target`` takes for some of them; None if not exact."""
    starts, weights, is_within = _weights(source, target, part, by)
    upper, lower = weights >> LOW_BITS, weights & (2**LOW_BITS - 1)
    if 255 * max(int(np.abs(upper).sum(axis=1).max()), int(lower.sum(axis=1).max())) >= EXACT:
        return None
    lines = (starts[:, np.newaxis] + np.arange(weights.shape[1]))[is_within]
    counts = is_within.sum(axis=1)
    first = int(starts.min())
    return _Pass(
        first,
        int(lines.max()) + 1,
        torch.from_numpy(lines - first),
        torch.from_numpy(np.cumsum(counts) - counts),
        torch.from_numpy((upper[is_within] * HIGH).astype(np.float32)),
        torch.from_numpy((lower[is_within] * 2.0**-LOW_BITS).astype(np.float32)),
    )


class _Weights(NamedTuple):
    """The first source pixel of each output pixel, int64 (N,), the weights, int64 (N, K), and which of them count."""

    starts: npt.NDArray[np.int64]
    weights: npt.NDArray[np.int64]
    is_within: npt.NDArray[np.bool_]


def _weights(source: int, target: int, part: tuple[int, int], by: Filter) -> _Weights:
    """Return the weights of some output pixels as ``precompute_coeffs`` and ``normalize_coeffs_8bpc`` have them.

    In the same order of operations, since the last bit of a double decides how a weight is rounded.
    """
    curve, reach = FILTERS[by]
    scale = source / target
    stretch = max(scale, 1.0)
    support = reach * stretch
    centres = (np.arange(*part) + 0.5) * scale
    starts = np.maximum((centres - support + 0.5).astype(np.int64), 0)
    counts = np.minimum((centres + support + 0.5).astype(np.int64), source) - starts
    steps = np.arange(2 * math.ceil(support) + 1)
    is_within = steps < counts[:, np.newaxis]
    places = ((steps + starts[:, np.newaxis]) - centres[:, np.newaxis] + 0.5) * (1.0 / stretch)
    found = np.where(is_within, curve(places), 0.0)
    sums = np.cumsum(found, axis=1)[:, -1:]  # one after the other
    found = np.divide(found, sums, out=found, where=sums != 0.0) * 2.0**PRECISION_BITS
    return _Weights(starts, np.trunc(found + np.copysign(0.5, found)).astype(np.int64), is_within)


def _bilinear(places: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    away = np.abs(places)
    return np.where(away < 1.0, 1.0 - away, 0.0)


def _bicubic(places: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the cubic of Keys 1981 with a = -0.5, as Pillow computes it."""
    x, a = np.abs(places), -0.5
    near = ((a + 2.0) * x - (a + 3.0)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))


Curve = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
FILTERS: dict[str, tuple[Curve, float]] = {"bicubic": (_bicubic, 2.0), "bilinear": (_bilinear, 1.0)}


@functools.cache
def _is_the_same() -> bool:
    """Return whether a trial gives Pillow's bytes here: another build of it may order its sums in another way."""
    noise = np.random.default_rng(0).integers(0, 256, (61, 47, 3), np.uint8)
    image = PIL.Image.fromarray(noise)
    trials: list[tuple[tuple[int, int], Filter]] = [
        ((17, 22), "bicubic"),
        ((130, 168), "bicubic"),
        ((31, 40), "bilinear"),
    ]
    for size, by in trials:
        across, down = (_pass(*sides, (0, sides[1]), by) for sides in zip(image.size, size, strict=True))
        if across is None or down is None:
            return False
        try:
            found = _resized(image, across, down)
        except (AttributeError, RuntimeError):  # a torch without the kernel
            return False
        if not np.array_equal(found, np.asarray(image.resize(size, resample=PIL.Image.Resampling[by.upper()]))):
            return False
    return True
