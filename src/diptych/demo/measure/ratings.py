"""How good ratings and similarities are: pure figures of arrays, and an interval for any of them.

Decides nothing about what was rated or by what.
"""

from collections.abc import Callable, Sequence
from math import floor, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.errors import DataError
from diptych.intervals import ShareEstimate

Floats = npt.NDArray[np.floating[Any]]
Statistic = Callable[..., float]

STREAM = 105  # keeps resamples apart from other choices
RESAMPLES = 1000


def recall_at_1(similarities: Floats) -> float:
    """Return the share of rows whose own column is the nearest: in [0, 1].

    Args:
        similarities: (N, N), the own column of row ``i`` being column ``i``. A row with a second column as near as its
            own is no success, so that a model that tells nothing apart scores 0.

    Raises:
        DataError: If a similarity is not finite.

    >>> recall_at_1(np.array([[0.9, 0.1], [0.8, 0.7]]))
    0.5
    """
    _check_finite(similarities)
    own = np.diagonal(similarities)[:, np.newaxis]
    return float(np.mean((similarities >= own).sum(axis=1) == 1))


def roc_auc(positives: Floats, negatives: Floats) -> float:
    """Return the chance that a positive example is rated above a negative one, ties counting half: in [0, 1].

    Source: Hanley and McNeil 1982, the Mann-Whitney form of the area under the ROC curve.

    Args:
        positives: (N,) ratings, N >= 1.
        negatives: (M,) ratings, M >= 1.

    Raises:
        DataError: If a rating is not finite: it has no place among the others.

    >>> roc_auc(np.array([3.0, 2.0]), np.array([1.0, 2.0]))
    0.875
    """
    _check_finite(positives, negatives)
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, side="left")
    not_above = np.searchsorted(ordered, positives, side="right")
    return float((below + not_above).mean() / (2.0 * len(negatives)))


def spearman(left: Floats, right: Floats) -> float:
    """Return Spearman's rank correlation, ties having their mean rank: in [-1, 1]; NaN where one side is constant.

    Source: Spearman 1904; Pearson's correlation of mean ranks, as ``scipy.stats.spearmanr`` has it.

    Args:
        left: (N,).
        right: (N,).

    Raises:
        DataError: If a value is not finite.

    >>> round(spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])), 6)
    0.5
    """
    _check_finite(left, right)
    ranks = [_mean_ranks(side) for side in (left, right)]
    a, b = (rank - rank.mean() for rank in ranks)
    length = sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / length if length else float("nan")


def recall_at_false_positive_rate(positives: Floats, negatives: Floats, rate: float) -> float:
    """Return the share of positives above the lowest threshold that at most ``rate`` of the negatives pass.

    Args:
        positives: (N,) ratings, N >= 1; higher means more likely positive.
        negatives: (M,) ratings, M >= 1.
        rate: In [0, 1].

    Raises:
        ValueError: If ``rate`` is outside [0, 1].
        DataError: If a rating is not finite.

    >>> recall_at_false_positive_rate(np.array([1.0, 3.0, 4.0]), np.array([0.0, 1.0, 2.0, 3.5]), 0.25)
    0.6666666666666666
    """
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"a rate of false positives is in [0, 1], not {rate}")
    _check_finite(positives, negatives)
    allowed = floor(rate * len(negatives) + 1e-9)  # 0.02 x 50 is a little less than 1 in binary
    if allowed >= len(negatives):
        return 1.0
    threshold = np.sort(negatives)[::-1][allowed]
    return float(np.mean(positives > threshold))


def bootstrap(statistic: Statistic, samples: Sequence[Floats], *, paired: bool = False, seed: int = 0) -> ShareEstimate:
    """Return a statistic of one or more samples with the interval between two percentiles of its resamples.

    Source: Efron and Tibshirani 1993, section 13.3 (percentile interval). It has no width where no resample differs,
    as at an area of exactly 1.

    Args:
        statistic: From the samples to a number.
        samples: Its arguments, each (N,).
        paired: Whether the samples describe the same examples and are drawn together; ``n`` then counts them once.
        seed: Of the resamples.
    """
    dice = np.random.default_rng((STREAM, seed))
    values = []
    for _ in range(RESAMPLES):
        picks = [dice.integers(0, len(sample), len(sample)) for sample in (samples[:1] if paired else samples)]
        values.append(
            statistic(*(s[p] for s, p in zip(samples, picks * len(samples) if paired else picks, strict=True)))
        )
    low, high = np.nanpercentile(values, (2.5, 97.5))
    n = len(samples[0]) if paired else sum(map(len, samples))
    return ShareEstimate(statistic(*samples), float(low), float(high), n)


def _check_finite(*samples: Floats) -> None:
    """Refuse ratings that have no place among others: sorting puts NaN above all numbers."""
    for sample in samples:
        bad = int(np.size(sample) - np.isfinite(sample).sum())
        if bad:
            raise DataError(
                f"{bad} of {np.size(sample)} ratings are not finite numbers; the model they are of is broken"
            )


def _mean_ranks(values: Floats) -> npt.NDArray[np.float64]:
    """Return the rank of each value from 1 on, equal values having their mean rank."""
    ordered = np.sort(values)
    first, last = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    ranks: npt.NDArray[np.float64] = (first + last + 1) / 2.0
    return ranks
