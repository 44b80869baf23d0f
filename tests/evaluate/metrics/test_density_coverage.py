"""Density, coverage and realism: the numbers, ties, their error, and the whole way from a config to a report."""

import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from drawn import picture
from drawn_vectors import flat, names
from evaluate_configs import call_json, make_config, read, result_of, run
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from tiny_dataset import Row, make_dataset
from tiny_generated import Made, make_generated

from diptych.errors import DataError
from diptych.evaluate.metrics import near_pairs
from diptych.evaluate.metrics.contract import Result
from diptych.evaluate.metrics.density_coverage import DENSITY_COVERAGE, NEIGHBOURS
from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig

Vectors = np.ndarray


def judged(x: Vectors, y: Vectors, units: list[str] | None = None) -> dict[str, Result]:
    statistics = DENSITY_COVERAGE.statistics(x, np.array(units or names(len(x), "x")))
    reference = DENSITY_COVERAGE.statistics(y, np.array(names(len(y), "y")))
    return dict(DENSITY_COVERAGE.results(statistics, reference, {}))


def values(x: Vectors, y: Vectors) -> tuple[float, float]:
    found = judged(x, y)
    return found["density"].value, found["coverage"].value


def realism(x: Vectors, y: Vectors) -> Vectors:
    assert DENSITY_COVERAGE.of_images is not None
    sides = (DENSITY_COVERAGE.statistics(each, np.array(names(len(each), "z"))) for each in (x, y))
    (found,) = DENSITY_COVERAGE.of_images(*sides)
    return found.numbers


def by_definition(x: Vectors, y: Vectors) -> tuple[float, float]:
    """Return density and coverage as ``prdc`` writes them, from all distances."""
    radii, apart = np.sort(cdist(y, y), axis=1)[:, NEIGHBOURS], cdist(y, x)
    inside = apart < radii[:, np.newaxis]
    return inside.sum(axis=0).mean() / NEIGHBOURS, float((apart.min(axis=1) < radii).mean())


def realism_by_definition(x: Vectors, y: Vectors) -> Vectors:
    """Return it as dgm-eval's ``compute_prdc`` writes it."""
    radii, apart = np.sort(cdist(y, y), axis=1)[:, NEIGHBOURS], cdist(y, x)
    narrow = radii < np.median(radii)
    return np.asarray((radii[narrow, np.newaxis] / apart[narrow]).max(axis=0))


def test_on_a_line_they_are_counted_by_hand() -> None:
    """The fifth nearest others of 0 to 5 are 5, 4, 3, 3, 4 and 5 away; a rim holds nothing."""
    real = np.arange(6.0)[:, np.newaxis]
    made = np.array([[-6.0], [-3.0], [2.5], [5.0], [9.0], [8.0]])
    assert values(made, real) == (pytest.approx((0 + 1 + 6 + 3 + 1 + 1) / 6 / 5), 1.0)
    assert values(made - 12.0, real) == (pytest.approx(2 / 6 / 5), 1 / 6)


@given(st.integers(6, 40), st.integers(6, 40), st.integers(1, 6), st.integers(0, 1000), st.floats(0.0, 2.0))
def test_they_are_what_all_distances_give(n: int, m: int, dim: int, seed: int, apart: float) -> None:
    dice = np.random.default_rng(seed)
    x, y = (dice.normal(shift, 1, (rows, dim)).astype(np.float32) for rows, shift in ((n, apart), (m, 0.0)))
    assert values(x, y) == pytest.approx(by_definition(x, y), abs=1e-12)
    np.testing.assert_allclose(realism(x, y), realism_by_definition(x, y), rtol=1e-5)


@given(st.integers(6, 30), st.integers(6, 30), st.integers(0, 1000))
def test_rims_are_outside_however_they_come_about(n: int, m: int, seed: int) -> None:
    """On a small grid most distances occur several times, and many vectors are equal."""
    dice = np.random.default_rng(seed)
    x, y = (dice.integers(0, 3, (rows, 2)).astype(np.float32) for rows in (n, m))
    assert values(x / 3, y / 3) == pytest.approx(by_definition(x, y)), "also where thirds are rounded"


def test_coverage_of_a_set_of_the_same_distribution_has_its_closed_form() -> None:
    """Naeem et al. 2020, equation (9): 1 - product over i of (N - i) / (2 N - i), whatever the distribution."""
    for n in (40, 200):
        expected = 1.0 - np.prod([(n - i) / (2 * n - i) for i in range(1, NEIGHBOURS + 1)])
        found = []
        for seed in range(40):
            dice = np.random.default_rng(seed)
            found.append(values(dice.standard_normal((n, 3)), dice.standard_normal((n, 3))))
        density, coverage = np.mean(found, axis=0)
        assert coverage == pytest.approx(expected, abs=0.01)
        assert density == pytest.approx(1.0, abs=0.03)


@pytest.mark.slow
def test_two_normal_sets_in_a_thousand_dimensions_have_the_published_values() -> None:
    """README of prdc (Naeem et al. 2020): 10,000 each, density 1.0555 and coverage 0.9735."""
    x, y = (np.random.default_rng(seed).standard_normal((10_000, 1000), np.float32) for seed in (1, 2))
    density, coverage = values(x, y)
    assert density == pytest.approx(1.0555, abs=0.15)
    assert coverage == pytest.approx(0.9735, abs=0.02)


def test_equal_images_cover_nothing_as_the_rim_is_outside() -> None:
    same = np.full((16, 8), 0.1)
    assert values(same, same) == (0.0, 0.0)
    assert np.isnan(realism(same, same)).all(), "each lies on the centre of a ball"


def test_realism_is_a_matter_of_the_reference_alone_and_nan_on_it() -> None:
    x, y = flat(50, 4, 1), flat(80, 4, 2)
    whole = realism(x, y)
    np.testing.assert_allclose(realism(x[:20], y), whole[:20])
    copied = np.concatenate([x, y])
    assert np.isnan(realism(copied, y)[len(x) :]).sum() == 40, "on those balls that count, the narrower half"
    assert realism(x + 50.0, y).max() < 0.1


def test_length_and_direction_change_nothing() -> None:
    x, y = flat(120, 6, 1) + 0.3, flat(90, 6, 2)
    turn = np.linalg.qr(flat(6, 6, 3))[0]
    assert values(4.0 * x, 4.0 * y) == values(x @ turn, y @ turn) == values(x + 5.0, y + 5.0) == values(x, y)


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_blocks_change_nothing(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = flat(150, 5, 1) + 0.3, flat(100, 5, 2)
    whole, likely = {name: each.to_json() for name, each in judged(x, y).items()}, realism(x, y)
    monkeypatch.setattr(near_pairs, "BLOCK_ROWS", rows)
    assert {name: each.to_json() for name, each in judged(x, y).items()} == whole
    np.testing.assert_allclose(realism(x, y), likely)


def test_no_matrix_of_all_distances_is_held() -> None:
    x, y = flat(5000, 4, 1).astype(np.float32), flat(5000, 4, 2).astype(np.float32)
    tracemalloc.start()
    judged(x, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5000 * 5000 * 8 / 4


@pytest.mark.parametrize(("prompts", "images"), [(100, 1), (70, 4)])
def test_the_error_is_the_spread_of_repeated_sampling(prompts: int, images: int) -> None:
    found: list[Result] = []
    for seed in range(80):
        dice = np.random.default_rng(seed)
        x = dice.standard_normal((prompts, 1, 8)) + dice.standard_normal((prompts, images, 8))
        units = [f"p{row // images}" for row in range(prompts * images)]
        results = judged(x.reshape(-1, 8) / 2**0.5 + 0.4, dice.standard_normal((150, 8)), units)
        assert np.isnan(results["coverage"].ci_low)
        found.append(results["density"])
    spread = np.std([result.value for result in found])
    assert np.sqrt(np.mean([result.se**2 for result in found])) == pytest.approx(spread, rel=0.35)
    mean = np.mean([result.value for result in found])
    assert np.mean([result.ci_low <= mean <= result.ci_high for result in found]) > 0.9


def test_with_few_images_there_is_a_reason() -> None:
    few = judged(flat(5, 4, 1), flat(80, 4, 2))
    assert {(found.reason, found.n) for found in few.values()} == {("too_few_images", 5)}
    some = judged(flat(40, 4, 1), flat(80, 4, 2))
    assert some["density"].note == "no interval: 40 prompts, or images that stand alone, are too few, 64 are needed"
    assert some["coverage"].note == "no interval: none that was tried holds the truth as often as it says"
    one = DENSITY_COVERAGE.statistics(flat(1, 4, 1), np.array(["x"]))
    assert DENSITY_COVERAGE.of_images is not None
    assert DENSITY_COVERAGE.of_images(one, one) == ()


def test_vectors_of_two_lengths_do_not_compare() -> None:
    with pytest.raises(DataError, match="4 and of 5 dimensions"):
        judged(flat(20, 4, 1), flat(20, 5, 2))


@pytest.fixture
def evaluated(tmp_path: Path) -> Path:
    """A model that draws all kinds of pictures and one that draws three, against pictures of all kinds."""
    rows = [
        Made(model, prompt, picture=prompt if model == "rich" else prompt % 3)
        for model in ("rich", "poor")
        for prompt in range(70)
    ]
    make_generated(tmp_path / "generated", rows)
    make_dataset(tmp_path / "real", [Row(picture(1000 + seed), f"real {seed}") for seed in range(80)])
    distance = {"metric": "density_coverage", "encoder": "p", "reference": "real"}
    encoders = {"p": {"kind": "projection", "options": {"dim": 3}}}
    config = make_config(tmp_path, encoders=encoders, distances=[distance, {**distance, "by": []}], compare={})
    config["datasets"]["real"] = {"path": str(tmp_path / "real"), "role": "reference"}
    run(config)
    return tmp_path


def test_it_goes_into_the_store_the_command_line_and_the_report(evaluated: Path) -> None:
    rich, poor = (result_of(evaluated, "coverage", model=model) for model in ("rich", "poor"))
    assert rich["value"] > poor["value"]
    assert (rich["n"], rich["better"], rich["size_bias"]) == (70, "higher", "uncorrected")
    (difference,) = read(evaluated, "SELECT * FROM differences WHERE metric = 'coverage'")
    assert difference["value"] == pytest.approx(poor["value"] - rich["value"])
    arguments = ("--metric", "density_coverage", "--encoder", "projection", "--set", "dim=3")
    found = call_json("evaluate", "distance", evaluated / "generated", evaluated / "real", *arguments)
    assert list(found["values"]) == ["density", "coverage"]
    assert found["values"]["density"]["value"] == pytest.approx(result_of(evaluated, "density")["value"])
    config = ReportConfig.model_validate({"job": "report", "store": evaluated / "store.duckdb"})
    build_report(config, evaluated / "out")
    pages = {page.name: page.read_text("utf-8") for page in (evaluated / "out").glob("*.html")}
    text = " ".join(re.sub(r"<[^>]+>", " ", pages["scores.html"]).split())
    assert "Coverage higher is better" in text
    assert "k-nearest-neighbour balls of the reference, k = 5, rim excluded" in text


def test_each_image_has_its_realism_as_a_column(evaluated: Path) -> None:
    rows = read(evaluated, "SELECT * FROM scores WHERE score = 'p.realism'")
    assert len(rows) == 140, "of two entries that ask for it the column is there once"
    assert all(row["value"] > 0.0 for row in rows)
    (column,) = read(evaluated, "SELECT * FROM score_columns WHERE score = 'p.realism'")
    assert column["description"].startswith("How likely an image is")
