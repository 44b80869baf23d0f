"""What stands beside a difference, in words for the terminal and for reports: prompts won, power, equivalence, p."""

import math
from collections.abc import Mapping
from typing import Any

from diptych.intervals import SIGNIFICANCE


def detectable_text(value: float | None) -> str:
    """Return which difference could have been found; nothing where that is not known.

    >>> detectable_text(1.23456), detectable_text(None)
    ('80 % power from a difference of 1.2', '')
    """
    return "" if value is None or not math.isfinite(value) else f"80 % power from a difference of {two_digits(value)}"


def two_digits(value: float) -> str:
    """Return a number with two digits, without an exponent where that is as short.

    >>> two_digits(389.4), two_digits(0.01234)
    ('390', '0.012')
    """
    return f"{float(f'{value:.2g}'):g}"


def equivalence_text(margin: float, p_value: float | None) -> str:
    """Return what the test of equivalence says.

    >>> equivalence_text(0.5, 0.012), equivalence_text(0.5, 0.4)
    ('equivalent within 0.5, p 0.012', 'not shown to be equivalent within 0.5, p 0.4')
    """
    if p_value is None or not math.isfinite(p_value):
        return f"no test of equivalence within {margin:.5g}"
    verdict = "equivalent" if p_value < SIGNIFICANCE else "not shown to be equivalent"
    return f"{verdict} within {margin:.5g}, p {p_value_text(p_value)}"


def won_text(row: Mapping[str, Any]) -> str:
    """Return in how many prompts the first of two is better, and how large their difference is; nothing of distances.

    >>> won_text({"wins": 5, "ties": 1, "losses": 2, "effect": 0.456})
    '5 won, 1 tied, 2 lost; effect +0.46'
    """
    if row["wins"] is None:
        return ""
    effect = "" if row["effect"] is None or not math.isfinite(row["effect"]) else f"; effect {row['effect']:+z.2f}"
    return f"{row['wins']:,} won, {row['ties']:,} tied, {row['losses']:,} lost{effect}"


def p_value_text(value: float | None) -> str:
    """Return a p-value as it is printed.

    >>> p_value_text(0.0421), p_value_text(1e-9), p_value_text(None)
    ('0.042', '< 0.001', 'unknown')
    """
    if value is None:
        return "unknown"
    return f"{value:.2g}" if value >= 0.001 else "< 0.001"
