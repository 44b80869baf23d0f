"""The set metric Fréchet distance: as published, corrected with an error, and what it refuses to say."""

from collections.abc import Mapping

import numpy as np
import pytest
from drawn_vectors import draw, flat, names

from diptych.errors import DataError
from diptych.evaluate.metrics.contract import ReportedValue, Result, set_metric
from diptych.evaluate.metrics.frechet import frechet_distance
from diptych.evaluate.metrics.frechet_distance import FRECHET_DISTANCE, FrechetStatistics
from diptych.evaluate.metrics.frechet_names import CORRECTED, PUBLISHED
from diptych.evaluate.statistics.moments import moments

statistics_of = FRECHET_DISTANCE.statistics


def results(statistics: FrechetStatistics, reference: FrechetStatistics, **identity: str) -> Mapping[str, Result]:
    return FRECHET_DISTANCE.results(statistics, reference, identity)


def published(statistics: FrechetStatistics, reference: FrechetStatistics) -> Result:
    return results(statistics, reference)[PUBLISHED]


def corrected(statistics: FrechetStatistics, reference: FrechetStatistics) -> Result:
    return results(statistics, reference)[CORRECTED]


def sides(x: np.ndarray, units: list[str], y: np.ndarray) -> tuple[FrechetStatistics, FrechetStatistics]:
    return statistics_of(x, units), statistics_of(y, names(len(y), "y"))


def test_features_that_never_fire_do_no_harm() -> None:
    x, y = draw(300, 20, 1), draw(400, 20, 2, shift=0.2)
    expected = frechet_distance(moments(x), moments(y))
    dead = [np.concatenate([vectors, np.zeros((len(vectors), 3))], axis=1) for vectors in (x, y)]
    assert frechet_distance(*map(moments, dead)) == pytest.approx(expected, rel=1e-10)
    units = names(300, "x"), names(400, "y")
    with_dead, without = (corrected(*map(statistics_of, vectors, units)) for vectors in (dead, (x, y)))
    assert with_dead.value == pytest.approx(without.value, rel=1e-6)
    assert with_dead.se == pytest.approx(without.se, rel=1e-4)


def test_the_size_bias_of_sets_hardly_larger_than_their_dimensions_is_not_taken_for_more_than_it_is() -> None:
    """Of 200 and 800 vectors in 64 dimensions: what is left is a small part of the standard error."""
    scales = np.arange(1, 65) ** -0.75
    left = []
    for seed in range(40):
        dice = np.random.default_rng(seed)
        x, y = (dice.standard_normal((n, 64)) * scales for n in (200, 800))
        found = corrected(*sides(x, names(200), y))
        left.append(found.value / found.se)
    assert abs(np.mean(left)) < 0.4


def test_a_set_of_equal_images_has_a_published_distance_and_the_other_is_a_finding() -> None:
    """Their covariance is 0, and so is its root: what is left is the distance of the means and the other's spread."""
    same, other = np.full((90, 8), 0.25), draw(120, 8, 3)
    apart = same[0] - other.mean(axis=0)
    expected = float(apart @ apart) + float(np.trace(np.cov(other, rowvar=False)))
    for x, y in ((same, other), (other, same), (same, same)):
        found = results(*sides(x, names(len(x)), y))
        assert found[PUBLISHED].value == pytest.approx(0.0 if x is y else expected, rel=1e-5, abs=1e-9)
        assert found[CORRECTED].reason == "no_spread"
        assert np.isnan([found[CORRECTED].value, found[CORRECTED].se]).all()
        assert "all 90 images of a set are alike" in found[PUBLISHED].note
    two = np.repeat([[0.0] * 8, [1.0] * 8], 60, axis=0)
    assert np.isfinite(corrected(*sides(two, names(120), other)).value)


def test_both_values_stand_beside_each_other_and_say_what_they_are() -> None:
    x, y = draw(400, 16, 1), draw(600, 16, 2, shift=0.2)
    found = results(statistics_of(x, names(400, "x")), statistics_of(y, names(600, "y")), encoder="e")
    assert list(found) == [PUBLISHED, CORRECTED]
    raw, own = found.values()
    assert raw.value == pytest.approx(frechet_distance(moments(x), moments(y)), rel=1e-5)  # statistics keep float32
    assert np.isnan([raw.se, raw.ci_low, raw.ci_high]).all()
    assert raw.note == "no interval: not corrected for size, compare at equal n"
    assert own.value < raw.value
    assert own.ci_low < own.value < own.ci_high
    assert own.ci_high - own.ci_low == pytest.approx(2 * 1.962 * own.se, rel=5e-3)
    assert (raw.n, own.n, raw.reason, own.reason) == (400, 400, None, None)
    made = {"metric": "frechet_distance", "version": 3, "encoder": "e"}
    assert raw.identity == {**made, "size_bias": "uncorrected"}
    assert own.identity == {**made, "size_bias": "effective number"}
    assert f"{raw.value:.6g}" in own.note


@pytest.mark.parametrize("n", [20, 300])
def test_neither_order_nor_cuts_change_a_result(n: int) -> None:
    x, y = draw(n, 40, 1), draw(500, 40, 2, shift=0.2)
    reference = statistics_of(y, names(500, "y"))
    units = np.array(names(n, "x"))
    whole = results(statistics_of(x, units), reference)
    order = np.random.default_rng(5).permutation(n)
    parts = [statistics_of(x[part], units[part]) for part in np.split(order, [1, 7, n // 2])]
    put_together = parts[3].merged(parts[1]).merged(parts[0].merged(parts[2]))
    again = results(put_together, reference)
    assert list(again) == list(whole) == [PUBLISHED, *([CORRECTED] if n > 64 else [])]
    for value, found in again.items():
        assert found.n == n
        for name in ("value", "se", "ci_low", "ci_high"):
            assert getattr(found, name) == pytest.approx(getattr(whole[value], name), rel=1e-5, nan_ok=True), name


def test_a_set_is_at_no_published_distance_from_itself() -> None:
    statistics = statistics_of(draw(300, 16, 1), names(300))
    found = results(statistics, statistics)
    assert found[PUBLISHED].value == pytest.approx(0.0, abs=1e-9)
    assert found[CORRECTED].ci_high < 0.0, "which tells that it is no sample of its own, see dependent_sets"


def test_images_of_one_prompt_widen_the_interval() -> None:
    prompts = draw(80, 12, 1)
    x = np.repeat(prompts, 8, axis=0) + 0.05 * np.random.default_rng(0).standard_normal((640, 12))
    reference = statistics_of(draw(900, 12, 2, shift=0.2), names(900, "y"))
    alone = corrected(statistics_of(x, names(640)), reference)
    units = [str(row // 8) for row in range(640)]
    clustered = corrected(statistics_of(x, units), reference)
    assert clustered.se > 1.8 * alone.se


def test_images_without_a_vector_are_left_out() -> None:
    x = draw(100, 8, 1)
    y = statistics_of(draw(200, 8, 2), names(200, "y"))
    with_gaps = np.insert(x, [3, 50], np.nan, axis=0)
    units = np.insert(np.array(names(100), object), [3, 50], "lost")
    found = results(statistics_of(with_gaps, units), y)
    assert {name: (each.value, each.n) for name, each in found.items()} == {
        name: (each.value, 100) for name, each in results(statistics_of(x, names(100)), y).items()
    }


def test_too_few_images_are_a_reason_and_no_number() -> None:
    y = statistics_of(draw(50, 8, 2), names(50, "y"))
    for vectors in (np.zeros((0, 8)), draw(1, 8, 1), np.full((5, 8), np.nan)):
        (found,) = results(statistics_of(vectors, names(len(vectors))), y).values()
        assert found.reason == "too_few_images"
        assert np.isnan([found.value, found.se, found.ci_low, found.ci_high]).all()
        assert "at least 2" in found.note
    assert found.to_json()["value"] is None


def test_without_enough_prompts_there_is_no_corrected_value_and_the_note_says_how_many_it_takes() -> None:
    y = flat(500, 64, 2)
    (few,) = results(*sides(flat(250, 64, 1), names(250), y)).values()
    assert np.isfinite(few.value)
    assert np.isnan([few.se, few.ci_low, few.ci_high]).all()
    assert few.reason is None
    assert "cannot be corrected: 250 prompts, or images that stand alone, are too few" in few.note
    needed = int(few.note.split("about ")[1].split()[0])
    assert 330 < needed <= 6 * 64
    enough = corrected(*sides(flat(384, 64, 1), names(384), y))
    assert enough.ci_low < enough.value < enough.ci_high


def test_the_published_value_is_the_headline_where_the_correction_is_not_good() -> None:
    """600 images in 2,048 dimensions: a correction gave 2.63 with an error of 0.05 where the truth is 0.73."""
    scales = np.arange(1, 2049) ** -0.5
    dice = np.random.default_rng(1)
    x, y = (dice.standard_normal((n, 2048)) * scales * wider for n, wider in ((300, 1.2), (500, 1.0)))
    (found,) = results(*sides(x, names(300), y)).values()
    assert found.value == pytest.approx(frechet_distance(moments(x), moments(y)), rel=1e-4)
    assert "300 prompts, or images that stand alone, are too few" in found.note


@pytest.mark.parametrize(
    ("n", "m", "copies"), [(100, 900, 1), (300, 300, 1), (700, 150, 1), (100, 900, 4), (430, 900, 1)]
)
def test_one_wide_direction_beside_many_narrow_ones_does_not_pass_for_few(n: int, m: int, copies: int) -> None:
    """They have 61 effective dimensions; of 100 vectors it looked like 9, and the value was 11.9 +- 2.6 for 1.1."""
    dice, scales = np.random.default_rng(3), np.r_[10.0, np.full(511, 0.02**0.5)]
    x, y = dice.standard_normal((n, 512)) * scales * 1.1, dice.standard_normal((m, 512)) * scales
    x = np.repeat(x, copies, axis=0) + 1e-3 * dice.standard_normal((n * copies, 512))
    units = [f"x{row // copies}" for row in range(n * copies)]
    (found,) = results(*sides(x, units, y)).values()
    assert f"{min(n, m)} prompts, or images that stand alone, are too few" in found.note
    needed = int(found.note.split("about ")[1].split()[0])
    assert 470 < needed < 660


def test_sets_that_are_worth_few_normal_vectors_are_not_corrected() -> None:
    """One far picture among 200 made them worth two, and the distance -114.7 with an error of 29.6."""
    x, y = draw(200, 8, 1, kind="normal"), draw(800, 8, 2, kind="normal")
    assert CORRECTED in results(*sides(x, names(200), y))
    x[7] *= 60.0
    (found,) = results(*sides(x, names(200), y)).values()
    assert "some images are so far from the others that a set is worth" in found.note


def test_images_of_one_prompt_do_not_make_a_sample_larger() -> None:
    y = flat(500, 64, 2)
    (alike,) = results(*sides(flat(400, 64, 1), names(100) * 4, y)).values()
    assert "cannot be corrected: 100 prompts" in alike.note
    (other_way,) = results(*sides(y, names(500), flat(200, 64, 1))).values()
    assert "cannot be corrected: 200 prompts" in other_way.note


def test_the_fewer_directions_matter_the_fewer_prompts_it_takes() -> None:
    steep = 0.3 ** np.arange(64)
    x, y = flat(100, 64, 1) * steep, flat(100, 64, 2) * steep
    found = corrected(*sides(x, names(100), y))
    assert found.ci_low < found.value < found.ci_high
    assert CORRECTED not in results(*sides(x[:63], names(63), y)), "fewer than 64 are too few in any space"


def test_moments_alone_give_the_number_that_other_programs_give() -> None:
    x, y = draw(300, 8, 1).astype(np.float32), draw(200, 8, 2).astype(np.float32)
    statistics = statistics_of(x, names(300))
    reference = FrechetStatistics(moments(y))
    (found,) = results(statistics, reference).values()
    assert found.value == pytest.approx(frechet_distance(moments(x), moments(y)), rel=1e-9)
    assert np.isnan(found.se)
    assert "only mean and covariance" in found.note
    with pytest.raises(DataError, match="cannot be put together"):
        reference.merged(statistics)


def test_two_encoders_do_not_compare() -> None:
    left, right = (statistics_of(draw(9, dim, 1), names(9)) for dim in (3, 4))
    with pytest.raises(DataError, match="3 and of 4 dimensions"):
        results(left, right)
    with pytest.raises(DataError, match="3 and of 4 dimensions"):
        left.merged(right)


def test_the_published_value_takes_no_side_for_independent() -> None:
    statistics, reference = sides(draw(400, 16, 1), names(400), draw(600, 16, 2))
    assert FRECHET_DISTANCE.of_dependent is not None
    (found,) = FRECHET_DISTANCE.of_dependent(statistics, reference, {}).values()
    other = published(statistics, reference)
    assert (found.value, found.identity, found.note) == (other.value, other.identity, other.note)


def test_the_table_names_it_and_which_of_its_values_depends_on_n() -> None:
    metric = set_metric("frechet_distance")
    assert metric is FRECHET_DISTANCE
    assert metric.values == (
        ReportedValue(PUBLISHED, "lower", size_bias="uncorrected"),
        ReportedValue(CORRECTED, "lower", size_bias="corrected", true_low=0.0),
    )
    assert metric.needs_reference
