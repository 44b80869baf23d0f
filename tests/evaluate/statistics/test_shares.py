import numpy as np
import pytest
from scipy import stats

from diptych.evaluate.statistics.macro_shares import effective_number
from diptych.evaluate.statistics.shares import (
    clopper_pearson,
    clustered_null_share,
    expected_deviation,
    missing_bounds,
    null_share,
    null_total_variation,
    share,
    total_variation,
)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"), [(30, 100, 0.218949, 0.395849), (8, 8, 0.675592, 1.0)], ids=["30 of 100", "8 of 8"]
)
def test_wilson_golden_values(k: int, n: int, low: float, high: float) -> None:
    assert share(k, n)[1:3] == pytest.approx((low, high), abs=1e-6)


def test_clopper_pearson_golden_value() -> None:
    assert clopper_pearson(0, 10) == pytest.approx((0.0, 0.0, 0.308497, 10), abs=1e-6)


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (3, 7), (50, 200), (200, 200)])
def test_intervals_are_those_of_scipy(k: int, n: int) -> None:
    for found, method in ((share(k, n), "wilson"), (clopper_pearson(k, n), "exact")):
        expected = stats.binomtest(k, n).proportion_ci(0.95, method=method)
        assert found[1:3] == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_nothing_judged_gives_no_share() -> None:
    assert np.isnan(share(0, 0)[:3]).all()
    assert np.isnan(missing_bounds(0, 0, 0)).all()
    assert np.isnan(null_share(0, 0.5)).all()
    assert np.isnan(total_variation(np.zeros(2, int), np.array([0.5, 0.5])))


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (1, 0)])
def test_impossible_counts_are_refused(k: int, n: int) -> None:
    for function in (share, clopper_pearson):
        with pytest.raises(ValueError, match=f"not {k} of {n}"):
            function(k, n)


def test_missing_images_could_all_be_either() -> None:
    assert missing_bounds(3, 91, 9) == (0.03, 0.12)
    assert missing_bounds(5, 10, 0) == (0.5, 0.5)


@pytest.mark.parametrize("n", [1, 8, 20, 100, 1000])
@pytest.mark.parametrize("reference", [0.0, 0.02, 0.3, 0.5, 0.9, 1.0])
def test_the_null_band_holds_at_least_95_percent_of_samples_and_no_end_is_wasted(n: int, reference: float) -> None:
    mean, low, high = null_share(n, reference)
    assert mean == reference
    k = np.arange(n + 1)
    probability = stats.binom.pmf(k, n, reference)
    inside = (k >= round(low * n)) & (k <= round(high * n))
    assert probability[inside].sum() >= 0.95 - 1e-12
    assert probability[k < round(low * n)].sum() <= 0.025 + 1e-12
    assert probability[k > round(high * n)].sum() <= 0.025 + 1e-12
    assert probability[k <= round(low * n)].sum() >= 0.025 - 1e-12


def test_a_reference_is_a_share() -> None:
    with pytest.raises(ValueError, match=r"\[0, 1\], not 1.5"):
        null_share(10, 1.5)
    with pytest.raises(ValueError, match="sum to 1"):
        total_variation(np.array([1, 2]), np.array([0.5, 0.6]))
    with pytest.raises(ValueError, match="count for each share"):
        total_variation(np.array([1, 2, 3]), np.array([0.5, 0.5]))


@pytest.mark.parametrize(("n", "expected"), [(8, 0.136719), (100, 0.039795)])
def test_deviation_from_parity_golden_values(n: int, expected: float) -> None:
    assert expected_deviation(n, 0.5) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("values", "n", "floor"), [(2, 8, 0.136), (2, 100, 0.040), (4, 10, 0.225), (7, 9, 0.332), (10, 200, 0.084)]
)
def test_total_variation_has_the_known_floors_under_parity(values: int, n: int, floor: float) -> None:
    band = null_total_variation(n, np.full(values, 1.0 / values))
    assert band.mean == pytest.approx(floor, abs=0.0015)
    assert band.low == 0.0 < band.mean < band.high <= 1.0


def test_total_variation_is_the_share_that_would_have_to_change() -> None:
    half = np.array([0.5, 0.5])
    assert total_variation(np.array([7, 3]), half) == pytest.approx(0.2)
    assert total_variation(np.array([5, 5]), half) == 0.0
    assert total_variation(np.array([10, 0, 0]), np.array([0.0, 0.5, 0.5])) == 1.0
    assert null_total_variation(10, half) == null_total_variation(10, half)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("correlation", [0.0, 0.05, 0.2, 0.5])
@pytest.mark.parametrize(("prompts", "images"), [(3, 20), (3, 50), (5, 20), (10, 20), (20, 10), (50, 20)])
def test_the_null_band_of_prompts_holds_95_percent_of_fair_samples(
    prompts: int, images: int, correlation: float
) -> None:
    """Images of one prompt correlate; taken for independent, 37 % of 10 prompts of 20 at 0.2 fell outside."""
    inside, naive = held_by_the_band(0.5, prompts, images, correlation)
    assert 0.93 <= inside <= 0.97
    assert correlation < 0.2 or naive < 0.8


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("truth", "least", "most"), [(1 / 3, 0.915, 0.98), (0.2, 0.9, 0.99), (0.1, 0.86, 1.0)])
@pytest.mark.parametrize(("prompts", "images"), [(3, 50), (5, 20), (10, 20), (50, 20)])
def test_the_null_band_of_a_small_share_holds_as_many_as_is_said(
    truth: float, least: float, most: float, prompts: int, images: int
) -> None:
    """Of a tenth few prompts have any, so that hardly anything tells how much their images repeat each other."""
    for correlation in (0.0, 0.2, 0.5):
        assert least <= held_by_the_band(truth, prompts, images, correlation)[0] <= most


def held_by_the_band(truth: float, prompts: int, images: int, correlation: float) -> tuple[float, float]:
    """Return how many of fair samples are within the band, and within one that takes each image for itself."""
    inside, naive, repetitions = 0, 0, 4000
    dice = np.random.default_rng(1)
    prompt = np.repeat(np.arange(prompts), images)
    for _ in range(repetitions):
        weight = (1.0 - correlation) / correlation if correlation else 0.0
        rates = dice.beta(truth * weight, (1.0 - truth) * weight, prompts) if weight else np.full(prompts, truth)
        values = (dice.random(len(prompt)) < rates[prompt]).astype(float)
        band = clustered_null_share(effective_number(values, prompt), truth)
        inside += band.low <= values.mean() <= band.high
        of_images = null_share(len(prompt), truth)
        naive += of_images.low <= values.mean() <= of_images.high
    found = inside / repetitions, naive / repetitions
    print(f"{truth:.2f}, {prompts} x {images} at {correlation}: {found[0]:.3f}, by images {found[1]:.3f}")
    return found
