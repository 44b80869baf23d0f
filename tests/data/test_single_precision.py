"""The numbers that single precision stands for: shares and decimals as they were given, and nothing else moved."""

from fractions import Fraction

import numpy as np
import pytest

from diptych.data.single_precision import MOST_PARTS, as_meant


def test_shares_are_given_back_to_the_last_bit() -> None:
    for parts in range(1, MOST_PARTS + 1):
        shares = np.arange(-parts, 6 * parts) / parts
        assert as_meant(shares.astype(np.float32)).tolist() == shares.tolist()


@pytest.mark.parametrize("exponent", [-9, -5, -4, -2, 0, 3])
def test_decimals_of_five_digits_are_given_back_to_the_last_bit(exponent: int) -> None:
    decimals = [float(f"{digits}e{exponent}") for digits in range(10_000, 100_000, 7)]
    assert as_meant(np.float32(decimals)).tolist() == decimals


def test_any_number_is_stored_as_the_same_single() -> None:
    random = np.random.default_rng(0)
    values = np.float32(np.concatenate([random.normal(size=5000), random.uniform(-1e6, 1e6, 5000), [0.0, 3e-42, 3e38]]))
    assert (as_meant(values).astype(np.float32) == values).all()


def test_what_is_no_finite_number_stays() -> None:
    values = np.float32([np.nan, np.inf, -np.inf])
    assert np.array_equal(as_meant(values), values, equal_nan=True)
    assert as_meant(np.zeros(0, np.float32)).tolist() == []


def test_means_of_shares_tie_where_they_are_equal() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        shares = [Fraction(int(random.integers(0, 8)), 7) for _ in range(12)]
        whole = np.mean(as_meant(np.float32([float(share) for share in shares])))
        assert whole == pytest.approx(float(sum(shares) / 12), rel=1e-15)
