"""The set metric Fréchet distance: corrected, with an error, and what it refuses to say."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_vectors import draw, flat, names

from diptych.errors import DataError
from diptych.evaluate.metrics.contract import ReportedValue, Result, set_metric
from diptych.evaluate.metrics.frechet import frechet_distance
from diptych.evaluate.metrics.frechet_distance import FRECHET_DISTANCE, FrechetStatistics
from diptych.evaluate.statistics.moments import moments

statistics_of = FRECHET_DISTANCE.statistics


def judged(statistics: FrechetStatistics, reference: FrechetStatistics, **identity: str) -> Result:
    (found,) = FRECHET_DISTANCE.results(statistics, reference, identity).values()
    return found


def distance_of(x: np.ndarray, units: list[str], y: np.ndarray) -> Result:
    return judged(statistics_of(x, units), statistics_of(y, names(len(y), "y")))


def test_features_that_never_fire_do_no_harm() -> None:
    x, y = draw(300, 20, 1), draw(400, 20, 2, shift=0.2)
    expected = frechet_distance(moments(x), moments(y))
    dead = [np.concatenate([vectors, np.zeros((len(vectors), 3))], axis=1) for vectors in (x, y)]
    assert frechet_distance(*map(moments, dead)) == pytest.approx(expected, rel=1e-10)
    units = names(300, "x"), names(400, "y")
    with_dead, without = (judged(*map(statistics_of, vectors, units)) for vectors in (dead, (x, y)))
    assert with_dead.value == pytest.approx(without.value, rel=1e-6)
    assert with_dead.se == pytest.approx(without.se, rel=1e-4)


def test_the_size_bias_of_sets_hardly_larger_than_their_dimensions_is_not_taken_for_more_than_it_is() -> None:
    """Of 160 and 800 vectors in 64 dimensions: what is left is a small part of the standard error."""
    scales = np.arange(1, 65) ** -0.75
    left = []
    for seed in range(40):
        dice = np.random.default_rng(seed)
        x, y = (dice.standard_normal((n, 64)) * scales for n in (160, 800))
        found = distance_of(x, names(160), y)
        left.append(found.value / found.se)
    assert abs(np.mean(left)) < 0.4


def test_a_set_of_equal_images_has_a_distance_all_the_same() -> None:
    """Their covariance is 0, and so is its root: what is left is the distance of the means and the other's spread."""
    same, other = np.full((90, 8), 0.25), draw(120, 8, 3)
    apart = same[0] - other.mean(axis=0)
    expected = float(apart @ apart) + float(np.trace(np.cov(other, rowvar=False)))
    for x, y in ((same, other), (other, same)):
        assert frechet_distance(moments(x), moments(y)) == pytest.approx(expected, rel=1e-12)
        found = distance_of(x, names(len(x)), y)
        assert found.details["uncorrected"] == pytest.approx(expected, rel=1e-5)
        assert np.isfinite([found.value, found.se]).all()
    itself = distance_of(same, names(90), same)
    assert (itself.value, itself.se) == (0.0, 0.0)
    two = np.repeat([[0.0] * 8, [1.0] * 8], 60, axis=0)
    assert np.isfinite(distance_of(two, names(120), other).value)


def test_a_result_is_corrected_and_says_so() -> None:
    x, y = draw(400, 16, 1), draw(600, 16, 2, shift=0.2)
    found = judged(statistics_of(x, names(400, "x")), statistics_of(y, names(600, "y")), encoder="e")
    raw = frechet_distance(moments(x), moments(y))
    assert found.details["uncorrected"] == pytest.approx(raw, rel=1e-5)  # the statistics keep float32
    assert found.value < raw
    assert found.ci_low < found.value < found.ci_high
    assert found.ci_high - found.ci_low == pytest.approx(2 * 1.962 * found.se, rel=5e-3)
    assert (found.n, found.reason) == (400, None)
    assert found.identity == {"metric": "frechet_distance", "version": 2, "size_bias": "quarters", "encoder": "e"}
    assert f"{found.details['uncorrected']:.6g}" in found.note


@pytest.mark.parametrize("n", [20, 300])
def test_neither_order_nor_cuts_change_a_result(n: int) -> None:
    x, y = draw(n, 40, 1), draw(500, 40, 2, shift=0.2)
    reference = statistics_of(y, names(500, "y"))
    units = np.array(names(n, "x"))
    whole = judged(statistics_of(x, units), reference)
    order = np.random.default_rng(5).permutation(n)
    parts = [statistics_of(x[part], units[part]) for part in np.split(order, [1, 7, n // 2])]
    put_together = parts[3].merged(parts[1]).merged(parts[0].merged(parts[2]))
    again = judged(put_together, reference)
    for name in ("value", "se", "ci_low", "ci_high"):
        assert getattr(again, name) == pytest.approx(getattr(whole, name), rel=1e-5, nan_ok=True), name
    assert again.n == n


def test_a_set_compared_with_itself_gives_zero_after_the_correction_too() -> None:
    statistics = statistics_of(draw(300, 16, 1), names(300))
    found = judged(statistics, statistics)
    assert found.value == pytest.approx(0.0, abs=1e-9)
    assert found.details["uncorrected"] == pytest.approx(0.0, abs=1e-9)


def test_images_of_one_prompt_widen_the_interval() -> None:
    prompts = draw(60, 12, 1)
    x = np.repeat(prompts, 8, axis=0) + 0.05 * np.random.default_rng(0).standard_normal((480, 12))
    reference = statistics_of(draw(900, 12, 2, shift=0.2), names(900, "y"))
    alone = judged(statistics_of(x, names(480)), reference)
    units = [str(row // 8) for row in range(480)]
    clustered = judged(statistics_of(x, units), reference)
    assert clustered.se > 1.8 * alone.se


def test_images_without_a_vector_are_left_out() -> None:
    x = draw(100, 8, 1)
    y = statistics_of(draw(200, 8, 2), names(200, "y"))
    with_gaps = np.insert(x, [3, 50], np.nan, axis=0)
    units = np.insert(np.array(names(100), object), [3, 50], "lost")
    found = judged(statistics_of(with_gaps, units), y)
    expected = judged(statistics_of(x, names(100)), y)
    assert found.value == expected.value
    assert found.n == 100


def test_too_few_images_are_a_reason_and_no_number() -> None:
    y = statistics_of(draw(50, 8, 2), names(50, "y"))
    for vectors in (np.zeros((0, 8)), draw(1, 8, 1), np.full((5, 8), np.nan)):
        found = judged(statistics_of(vectors, names(len(vectors))), y)
        assert found.reason == "too_few_images"
        assert np.isnan([found.value, found.se, found.ci_low, found.ci_high]).all()
        assert "at least 2" in found.note
    assert found.to_json()["value"] is None


def test_with_very_few_images_there_is_a_number_and_no_correction() -> None:
    y = statistics_of(draw(50, 8, 2), names(50, "y"))
    found = judged(statistics_of(draw(2, 8, 1), ["a", "a"]), y)
    assert found.value == found.details["uncorrected"] > 0.0
    assert np.isnan(found.se)
    assert found.identity["size_bias"] == "uncorrected"
    assert "too few images" in found.note


def test_with_too_few_prompts_there_is_no_interval_and_the_note_says_how_many_it_takes() -> None:
    y = flat(500, 64, 2)
    few = distance_of(flat(250, 64, 1), names(250), y)
    assert np.isfinite(few.value)
    assert few.se > 0.0
    assert np.isnan([few.ci_low, few.ci_high]).all()
    assert few.reason is None
    assert "no interval: 250 prompts, or images that stand alone, are too few" in few.note
    needed = int(few.note.split("about ")[1].split()[0])
    assert 330 < needed <= 6 * 64
    enough = distance_of(flat(384, 64, 1), names(384), y)
    assert enough.ci_low < enough.value < enough.ci_high
    assert "no interval" not in enough.note


def test_images_of_one_prompt_do_not_make_a_sample_larger() -> None:
    y = flat(500, 64, 2)
    alike = distance_of(flat(400, 64, 1), names(100) * 4, y)
    assert np.isnan(alike.ci_low)
    assert "no interval: 100 prompts" in alike.note
    other_way = distance_of(y, names(500), flat(200, 64, 1))
    assert "no interval: 200 prompts" in other_way.note


def test_the_fewer_directions_matter_the_fewer_prompts_it_takes() -> None:
    steep = 0.3 ** np.arange(64)
    x, y = flat(100, 64, 1) * steep, flat(100, 64, 2) * steep
    found = distance_of(x, names(100), y)
    assert found.ci_low < found.value < found.ci_high
    assert np.isnan(distance_of(x[:63], names(63), y).ci_low), "fewer than 64 are too few in any space"


def test_moments_alone_give_the_number_that_other_programs_give() -> None:
    x, y = draw(300, 8, 1).astype(np.float32), draw(200, 8, 2).astype(np.float32)
    statistics = statistics_of(x, names(300))
    reference = FrechetStatistics(whole=replace(moments(y)))
    found = judged(statistics, reference)
    assert found.value == pytest.approx(frechet_distance(moments(x), moments(y)), rel=1e-9)
    assert np.isnan(found.se)
    assert "only mean and covariance" in found.note
    with pytest.raises(DataError, match="cannot be put together"):
        reference.merged(statistics)


def test_two_encoders_do_not_compare() -> None:
    left, right = (statistics_of(draw(9, dim, 1), names(9)) for dim in (3, 4))
    with pytest.raises(DataError, match="3 and of 4 dimensions"):
        judged(left, right)
    with pytest.raises(DataError, match="3 and of 4 dimensions"):
        left.merged(right)


def test_the_table_names_it_and_says_that_its_size_bias_is_corrected() -> None:
    metric = set_metric("frechet_distance")
    assert metric is FRECHET_DISTANCE
    assert metric.values == (ReportedValue("frechet_distance", "lower"),)
    assert (metric.size_bias, metric.needs_reference) == ("corrected", True)
