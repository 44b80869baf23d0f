"""By how much a Fréchet distance is too large because the sets are finite, from the distances of their quarters."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from diptych.evaluate.metrics.frechet import MIN_IMAGES, frechet_distance
from diptych.evaluate.metrics.kept_vectors import hashed_groups
from diptych.evaluate.statistics.moments import Moments, merged, moments

QUARTERS = 4
# The three ways to put four quarters together to two halves.
SPLITS = (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2)))

Quarters = tuple[Moments | None, ...]


def quarters_of(vectors: npt.NDArray[np.float32], units: npt.NDArray[np.str_]) -> Quarters:
    """Return the moments of four parts of vectors (N, D) by a hash of their units (N,); None for an empty one.

    So the parts depend neither on the order of the images nor on how the work was cut.
    """
    numbers = hashed_groups(units, QUARTERS)
    parts = [vectors[numbers == number] for number in range(QUARTERS)]
    return tuple(moments(part) if len(part) else None for part in parts)


def size_bias(left: Quarters, right: Quarters, value: float) -> float:
    """Return by how much a distance is too large because the sets are finite; NaN where a half has too few images.

    The expectation of FD over n images is FD + c / n + ..., so the mean distance of halves is above that of the whole
    by about the bias, and that of quarters above that of halves by twice as much; by more where n is not far above the
    dimensions, as c / (n - k) grows. The bias is that of such a curve through the three, of halves averaged over the
    three ways to make them of quarters, which has less noise than one way. Source: Richardson's extrapolation, as Chong
    and Forsyth 2020 (arXiv 1911.07023) extrapolate with more sizes; the pole k is ours.

    Args:
        left: Moments of the four quarters of a set; None for an empty one.
        right: Of the other.
        value: The distance of the whole sets.
    """
    halves = [_mean_distance([(joined(left, pair), joined(right, pair)) for pair in split]) for split in SPLITS]
    first = float(np.mean(halves)) - value
    second = _mean_distance(list(zip(left, right, strict=True))) - float(np.mean(halves))
    if not (first > 0.0 and second > 2.0 * first):  # noise, or too few images for quarters: no pole
        return first
    ratio = second / first
    pole = (ratio / 4.0 - 0.5) / (ratio - 0.5)  # as a share of n: 0 where the ratio is 2, at most 1 / 4
    return first * (1.0 - 2.0 * pole)


def joined(quarters: Quarters, numbers: Sequence[int]) -> Moments | None:
    """Return the moments of some of the quarters together; None without images."""
    parts = [part for part in (quarters[number] for number in numbers) if part is not None]
    return merged(parts) if parts else None


def _mean_distance(parts: Sequence[tuple[Moments | None, Moments | None]]) -> float:
    """Return the mean distance of the parts of two sets; NaN where one has too few images.

    With weights that make its bias exactly as many times that of the whole as there are parts, though they differ in
    size.
    """
    known = [(a, b) for a, b in parts if a is not None and b is not None and min(a.n, b.n) >= MIN_IMAGES]
    if len(known) < len(parts):
        return float("nan")
    sizes = np.array([[a.n, b.n] for a, b in known], float)
    weights = (sizes / sizes.sum(axis=0)).mean(axis=1)
    return float(weights @ [frechet_distance(a, b) for a, b in known])
