"""When a difference with its interval and p-value is one."""

import math

import pytest

from diptych.intervals import is_resolved

NAN = math.nan


@pytest.mark.parametrize(
    ("low", "high", "p_adjusted", "resolved"),
    [
        (0.1, 0.3, 0.01, True),
        (-0.3, -0.1, 0.01, True),
        (0.1, 0.3, None, True),
        (0.1, 0.3, NAN, True),
        (0.1, 0.3, 0.05, False),
        (1.0, 1.0, 0.5, False),
        (-0.1, 0.3, 0.01, False),
        (0.0, 0.3, 0.01, False),
        (-0.3, 0.0, 0.01, False),
        (0.0, 0.0, None, False),
        (None, None, 0.01, False),
        (NAN, NAN, 0.01, False),
    ],
)
def test_a_difference_is_told_by_its_interval_and_its_p_value(
    low: float | None, high: float | None, p_adjusted: float | None, resolved: bool
) -> None:
    assert is_resolved(low, high, p_adjusted) is resolved
