"""What a test could have found, and whether two are as good as equal: power and equivalence of a mean difference.

Decides nothing about how the difference or its error is made; it takes a standard error and its degrees of freedom.
"""

import math

from scipy.special import nctdtr, ndtr, ndtri, stdtr, stdtrit

POWER = 0.8  # of ten differences that are there so many are found in eight
NORMAL_DF = 1e6  # from here on Student's is the normal distribution, and its functions are slow


def detectable(se: float, df: float, level: float, power: float = POWER) -> float:
    """Return the smallest true difference that a two-sided test finds with a power.

    NaN where the error is not known, or with less than one degree of freedom.

    With t the quantile of Student's distribution at 1 - level / 2, a difference d is found with the probability that a
    noncentral t with noncentrality d / se lies beyond t (Johnson and Welch 1940; Cohen 1988, 2.5). That it lies beyond
    -t, on the wrong side, is left out.

    Args:
        se: Standard error of the difference.
        df: Degrees of freedom of it; infinity for a normal one.
        level: Of the test, two-sided, in (0, 1).
        power: In (0, 1).

    >>> round(detectable(1.0, float("inf"), 0.05), 4)
    2.8016
    >>> round(detectable(1.0, 9.0, 0.05), 4)
    3.1496
    """
    if not (se > 0.0 and df >= 1.0):
        return float("nan")
    if df >= NORMAL_DF:
        return se * float(ndtri(1.0 - level / 2.0) + ndtri(power))
    return se * _noncentrality(df, float(stdtrit(df, 1.0 - level / 2.0)), power)


def power_of(difference: float, se: float, df: float, level: float) -> float:
    """Return the probability that a two-sided test finds a true difference, see ``detectable``; NaN as there.

    >>> round(power_of(2.8016, 1.0, float("inf"), 0.05), 3)
    0.8
    """
    if not (se > 0.0 and df >= 1.0):
        return float("nan")
    if df >= NORMAL_DF:
        return float(1.0 - ndtr(ndtri(1.0 - level / 2.0) - abs(difference) / se))
    return _beyond(df, abs(difference) / se, float(stdtrit(df, 1.0 - level / 2.0)))


def equivalence_p(value: float, se: float, df: float, margin: float) -> float:
    """Return the p-value of a difference of at least a margin either way (TOST, Schuirmann 1987).

    It is the larger one of two one-sided tests, so below 0.05 exactly where the interval of 90 percent lies within the
    margin. NaN where the error is not known.

    Args:
        value: The difference as estimated.
        se: Standard error of it.
        df: Degrees of freedom of it.
        margin: The largest difference that is none, above 0, in the unit of the difference.

    Raises:
        ValueError: If the margin is not above 0.

    >>> round(equivalence_p(0.0, 1.0, float("inf"), 1.6448536), 4)
    0.05
    """
    if not margin > 0.0:
        raise ValueError(f"a margin is above 0, not {margin}")
    if not (se > 0.0 and df > 0.0):
        return float("nan")
    return float(stdtr(min(df, NORMAL_DF), (abs(value) - margin) / se))


def _beyond(df: float, shift: float, quantile: float) -> float:
    """Return the probability that a noncentral t lies beyond a quantile."""
    below = float(nctdtr(df, shift, quantile))
    return 1.0 - below if math.isfinite(below) else float(ndtr(shift - quantile))


def _noncentrality(df: float, quantile: float, power: float) -> float:
    """Return the noncentrality at which a noncentral t lies beyond a quantile with a power.

    By bisection, since scipy's inverse does not end for some degrees of freedom.
    """
    low, high = 0.0, 2.0 * quantile + 10.0
    while _beyond(df, high, quantile) < power:
        high *= 2.0
    while high - low > 1e-9 * high:
        middle = (low + high) / 2.0
        low, high = (middle, high) if _beyond(df, middle, quantile) < power else (low, middle)
    return (low + high) / 2.0
