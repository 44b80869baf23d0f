"""Intervals of a share, for whoever counts, and when a difference with its interval is one.

A figure never stands without the number of examples behind it.
"""

from math import isfinite, sqrt
from typing import NamedTuple

NORMAL_95 = 1.959963984540054  # the 97.5 % point of the normal distribution
SIGNIFICANCE = 0.05  # beside intervals of 95 percent


class ShareEstimate(NamedTuple):
    """A figure, its interval of 95 percent, and the number of examples behind it."""

    value: float
    ci_low: float
    ci_high: float
    n: int


def wilson(share: float, n: int) -> ShareEstimate:
    """Return a share of ``n`` examples with Wilson's interval, within [0, 1]; all NaN where ``n`` is 0.

    Source: Wilson 1927, equation (1) solved for the share; Brown, Cai and DasGupta 2001 recommend it.

    Raises:
        ValueError: If the share is outside [0, 1] or ``n`` is negative.

    >>> [round(value, 4) for value in wilson(0.5, 100)]
    [0.5, 0.4038, 0.5962, 100]
    """
    if n < 0 or (n and not 0.0 <= share <= 1.0):
        raise ValueError(f"a share is in [0, 1], of at least 0 examples; not {share} of {n}")
    if n == 0:
        return ShareEstimate(float("nan"), float("nan"), float("nan"), 0)
    return ShareEstimate(share, *wilson_ends(share, n), n)


def wilson_ends(share: float, n: float) -> tuple[float, float]:
    """Return the ends of Wilson's interval; ``n`` above 0 may be an effective number of examples, so not whole.

    >>> [round(end, 4) for end in wilson_ends(0.5, 100.0)]
    [0.4038, 0.5962]
    """
    spread = NORMAL_95**2 / n
    middle = (share + spread / 2.0) / (1.0 + spread)
    half = NORMAL_95 / (1.0 + spread) * sqrt(share * (1.0 - share) / n + spread / (4.0 * n))
    # At 0 and 1 an end of the interval is the share itself, but for rounding.
    return min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half))


def wilson_number(share: float, width: float) -> float:
    """Return of how many examples a share is whose interval by ``wilson_ends`` is so wide, above 0 and below 1.

    The width is 2 z sqrt(n share (1 - share) + z^2 / 4) / (n + z^2), solved for n.

    >>> low, high = wilson_ends(0.9, 40.0)
    >>> round(wilson_number(0.9, high - low), 6)
    40.0
    """
    square, spread = NORMAL_95**2, share * (1.0 - share)
    root = sqrt((square * spread) ** 2 + (width * square) ** 2 * (0.25 - spread))
    return (square * spread + root) * 2.0 / width**2 - square


def is_resolved(ci_low: float | None, ci_high: float | None, p_adjusted: float | None) -> bool:
    """Return whether a difference is told from none: its interval excludes 0, and its p-value holds among the others.

    Args:
        ci_low: Lower end; None or NaN where there is no interval.
        ci_high: Upper end.
        p_adjusted: Adjusted for the number of comparisons; None or NaN where it is not known, so that it says nothing.

    >>> is_resolved(0.1, 0.5, 0.01), is_resolved(0.1, 0.5, 0.2), is_resolved(-0.1, 0.5, 0.2)
    (True, False, False)
    """
    if ci_low is None or ci_high is None or not ci_low <= ci_high:
        return False
    excludes_zero = ci_low > 0.0 or ci_high < 0.0
    return excludes_zero and (p_adjusted is None or not isfinite(p_adjusted) or p_adjusted < SIGNIFICANCE)
