"""A share without the errors of its judge: known values, and whether its interval holds the truth."""

import math

import numpy as np
import pytest

from diptych.evaluate.statistics.judge_errors import JudgeCheck, corrected_share
from diptych.intervals import wilson


def test_interval_is_lang_and_reiczigels() -> None:
    """Source: their formulas written down apart from this, for 268 of 500, 194 of 200 and 180 of 200."""
    found = corrected_share(268 / 500, 500.0, JudgeCheck(194, 200, 180, 200))
    assert found.value == pytest.approx((0.536 + 0.9 - 1.0) / 0.87)
    assert (found.ci_low, found.ci_high) == (pytest.approx(0.442106, abs=1e-6), pytest.approx(0.558125, abs=1e-6))


def test_a_judge_that_never_errs_leaves_the_share_as_it_is() -> None:
    found = corrected_share(0.7, 400.0, JudgeCheck(10**7, 10**7, 10**7, 10**7))
    alone = wilson(0.7, 400)
    assert found.value == pytest.approx(0.7)
    assert (found.ci_low, found.ci_high) == (
        pytest.approx(alone.ci_low, abs=2e-3),
        pytest.approx(alone.ci_high, abs=2e-3),
    )


def test_share_that_the_errors_alone_could_give_is_cut_at_the_ends() -> None:
    check = JudgeCheck(90, 100, 90, 100)
    assert corrected_share(0.05, 200.0, check).value == 0.0
    assert corrected_share(0.97, 200.0, check).value == 1.0
    for share in (0.0, 0.05, 0.97, 1.0):
        found = corrected_share(share, 200.0, check)
        assert 0.0 <= found.ci_low <= found.value <= found.ci_high <= 1.0


@pytest.mark.parametrize("check", [JudgeCheck(50, 100, 50, 100), JudgeCheck(2, 10, 3, 10), JudgeCheck(1, 1, 0, 1)])
def test_judge_at_chance_tells_nothing(check: JudgeCheck) -> None:
    found = corrected_share(0.5, 100.0, check)
    assert math.isnan(found.value)
    assert (found.ci_low, found.ci_high) == (0.0, 1.0)


def coverage(truth: float, images: int, checked: int, rates: tuple[float, float], tries: int) -> tuple[float, float]:
    """Return how often the interval holds the true share, and how often Wilson's around what the judge says does."""
    rng = np.random.default_rng(0)
    sensitivity, specificity = rates
    says = truth * sensitivity + (1.0 - truth) * (1.0 - specificity)
    held = naive = 0
    for _ in range(tries):
        check = JudgeCheck(
            int(rng.binomial(checked, sensitivity)), checked, int(rng.binomial(checked, specificity)), checked
        )
        share = rng.binomial(images, says) / images
        found, alone = corrected_share(share, images, check), wilson(share, images)
        held += found.ci_low <= truth <= found.ci_high
        naive += alone.ci_low <= truth <= alone.ci_high
    return held / tries, naive / tries


def test_interval_holds_the_truth_where_that_of_the_judges_own_share_does_not() -> None:
    held, naive = coverage(0.3, 500, 100, (0.95, 0.85), 400)
    assert held > 0.93
    assert naive < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("truth", [0.02, 0.1, 0.3, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("images", [100, 500, 2000])
@pytest.mark.parametrize("checked", [30, 100, 300])
@pytest.mark.parametrize("rates", [(0.97, 0.9), (0.8, 0.95), (0.75, 0.7)])
def test_interval_holds_the_truth(truth: float, images: int, checked: int, rates: tuple[float, float]) -> None:
    held, _ = coverage(truth, images, checked, rates, 2000)
    assert held > 0.935, "95 % but for chance"
