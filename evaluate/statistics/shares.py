"""Shares of images with an attribute: intervals, what is unknown, and what chance alone would show.

A share that differs from a reference says nothing until one knows how far a sample of this size strays by itself: each
statistic comes with its null band.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv
from scipy.stats import binom

from diptych.intervals import NORMAL_95, ShareEstimate, wilson

Counts = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.floating[Any]]

LEVEL = 0.95
NULL_REPLICATIONS = 20_000


class Band(NamedTuple):
    """What chance alone gives if the truth is the reference.

    Attributes:
        mean: Expected value.
        low: 2.5 % point for a share, 0 for a distance.
        high: 97.5 % point for a share, 95 % point for a distance.
    """

    mean: float
    low: float
    high: float


def share(k: int, n: int) -> ShareEstimate:
    """Return k of n with Wilson's interval of 95 percent; NaN where n is 0.

    Raises:
        ValueError: If k is not from 0 to n.

    >>> [round(value, 6) for value in share(30, 100)]
    [0.3, 0.218949, 0.395849, 100]
    """
    if not 0 <= k <= n:
        raise ValueError(f"a count is from 0 to n, not {k} of {n}")
    return wilson(k / n if n else float("nan"), n)


def clopper_pearson(k: int, n: int) -> ShareEstimate:
    """Return k of n with the interval of Clopper and Pearson (1934), which covers at least 95 percent at any n.

    Wider than Wilson's: for small n, or where a guarantee is wanted.

    Raises:
        ValueError: If n is 0, or k not from 0 to n.

    >>> [round(value, 6) for value in clopper_pearson(0, 10)]
    [0.0, 0.0, 0.308497, 10]
    """
    if n < 1 or not 0 <= k <= n:
        raise ValueError(f"a count is from 0 to n, and n at least 1, not {k} of {n}")
    tail = (1.0 - LEVEL) / 2.0
    low = float(betaincinv(k, n - k + 1, tail)) if k > 0 else 0.0
    high = float(betaincinv(k + 1, n - k, 1.0 - tail)) if k < n else 1.0
    return ShareEstimate(k / n, low, high, n)


def missing_bounds(k: int, n: int, n_missing: int) -> tuple[float, float]:
    """Return the share if none, and if all of the images that could not be judged had the attribute (Manski 1989).

    Args:
        k: Images with the attribute.
        n: Images judged.
        n_missing: Images not judged.

    >>> missing_bounds(3, 91, 9)
    (0.03, 0.12)
    """
    total = n + n_missing
    return (k / total, (k + n_missing) / total) if total else (float("nan"), float("nan"))


def null_share(n: int, reference: float) -> Band:
    """Return where the share of n independent images lies if the truth is the reference: mean and central 95 percent.

    The ends are shares that can occur; at least 95 percent of samples lie between them, ends included. NaN for n of 0.

    Args:
        n: Images judged.
        reference: In [0, 1].

    Raises:
        ValueError: If the reference is outside [0, 1].

    >>> null_share(8, 0.5)
    Band(mean=0.5, low=0.125, high=0.875)
    """
    _check_share(reference)
    if n == 0:
        return Band(float("nan"), float("nan"), float("nan"))
    tail = (1.0 - LEVEL) / 2.0
    low, high = binom.ppf([tail, 1.0 - tail], n, reference) / n
    return Band(reference, float(max(low, 0.0)), float(high))


def clustered_null_share(effective: float, reference: float) -> Band:
    """Return the same where images depend on each other, at the number of independent ones that they are worth.

    A share is within the band exactly where Wilson's interval at that number holds the reference: both are the score
    test's. In simulation 94 to 97 % of samples are, for 3 to 50 prompts whose images correlate by 0 to 0.5, of a half;
    of smaller shares see docs/statistics.md.

    Args:
        effective: See ``effective_number``, above 0.
        reference: In [0, 1].

    Raises:
        ValueError: If the reference is outside [0, 1].

    >>> [round(end, 3) for end in clustered_null_share(25.0, 0.5)]
    [0.5, 0.304, 0.696]
    """
    _check_share(reference)
    half = NORMAL_95 * float(np.sqrt(reference * (1.0 - reference) / effective))
    return Band(reference, max(reference - half, 0.0), min(reference + half, 1.0))


def expected_deviation(n: int, reference: float) -> float:
    """Return the expected absolute deviation of the share of n images from the reference, if that is the truth.

    The floor of every "mean deviation from parity": 8 images show 0.137 where there is nothing at all.

    >>> round(expected_deviation(8, 0.5), 6), round(expected_deviation(100, 0.5), 6)
    (0.136719, 0.039795)
    """
    k = np.arange(n + 1)
    return float(binom.pmf(k, n, reference) @ np.abs(k / n - reference))


def total_variation(counts: Counts, reference: Floats) -> float:
    """Return the share of images that would have to change for the shares to be the reference: in [0, 1].

    Args:
        counts: (K,) images per value, also of values that were not seen; NaN if all are 0.
        reference: (K,) shares with the sum 1.

    Raises:
        ValueError: If the shapes differ, or the reference does not sum to 1.

    >>> round(total_variation(np.array([7, 3]), np.array([0.5, 0.5])), 6)
    0.2
    """
    _check(counts, reference)
    total = counts.sum()
    return float(0.5 * np.abs(counts / total - reference).sum()) if total else float("nan")


def null_total_variation(n: int, reference: Floats, *, seed: int = 0) -> Band:
    """Return mean and 95 % point of the total variation of n images whose true shares are the reference.

    By simulation of 20,000 samples, the same ones for the same seed.

    Args:
        n: Images judged, at least 1.
        reference: (K,) shares with the sum 1.
        seed: Of the simulation.

    >>> round(null_total_variation(9, np.full(7, 1 / 7)).mean, 2)
    0.33
    """
    _check(np.zeros(len(reference), np.int64), reference)
    samples = np.random.default_rng(seed).multinomial(n, reference / reference.sum(), NULL_REPLICATIONS)
    distances = 0.5 * np.abs(samples / n - reference).sum(axis=1)
    return Band(float(distances.mean()), 0.0, float(np.quantile(distances, LEVEL)))


def _check_share(reference: float) -> None:
    if not 0.0 <= reference <= 1.0:
        raise ValueError(f"a share is in [0, 1], not {reference}")


def _check(counts: Counts, reference: Floats) -> None:
    if counts.shape != reference.shape or reference.ndim != 1:
        raise ValueError(f"a count for each share is needed, not {counts.shape} for {reference.shape}")
    if abs(float(reference.sum()) - 1.0) > 1e-6 or float(reference.min()) < 0.0:
        raise ValueError(f"shares of a reference sum to 1, not {reference.sum():.6g}")
