"""CMMD, unbiased and as published: closed forms, its definition, and what it is called where."""

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
from tiny_generated import made_grid, make_generated

from diptych.evaluate.metrics.contract import Result, set_metric
from diptych.evaluate.metrics.gaussian_kernel_distance import BIASED, GAUSSIAN_KERNEL_DISTANCE, NAME, names_in_space

Vectors = np.ndarray


def judged(x: Vectors, y: Vectors) -> dict[str, Result]:
    sides = [
        GAUSSIAN_KERNEL_DISTANCE.statistics(each, np.array(names(len(each), which)))
        for each, which in ((x, "x"), (y, "y"))
    ]
    return dict(GAUSSIAN_KERNEL_DISTANCE.results(*sides, {}))


def unit(rows: int, dim: int, seed: int, shift: float = 0.0) -> Vectors:
    drawn = flat(rows, dim, seed) + shift
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def published(x: Vectors, y: Vectors) -> float:
    """Return it as ``distance.py`` of google-research/cmmd writes it, in float64: all pairs, sigma 10, times 1000."""
    gamma = 1 / (2 * 10**2)
    k_xx, k_yy, k_xy = (np.mean(np.exp(-gamma * cdist(a, b, "sqeuclidean"))) for a, b in ((x, x), (y, y), (x, y)))
    return float(1000 * (k_xx + k_yy - 2 * k_xy))


@pytest.mark.parametrize(("cosine", "expected"), [(1.0, 0.0), (0.0, 19.90033250166401), (-1.0, 39.602653386489465)])
def test_point_masses_have_their_closed_form(cosine: float, expected: float) -> None:
    """2000 (1 - exp(-(2 - 2 cos) / 200)); -1 is the most that vectors of length 1 can be apart."""
    x, y = np.tile([1.0, 0.0], (6, 1)), np.tile([cosine, (1.0 - cosine**2) ** 0.5], (5, 1))
    found = judged(x, y)
    for name in (NAME, BIASED):
        assert found[name].value == pytest.approx(2000 * (1 - np.exp(-(2 - 2 * cosine) / 200)), abs=1e-9)
        assert found[name].value == pytest.approx(expected, abs=1e-9)


@given(st.integers(2, 30), st.integers(2, 30), st.integers(1, 8), st.integers(0, 1000))
def test_both_are_their_definitions(n: int, m: int, dim: int, seed: int) -> None:
    x, y = (unit(rows, dim, seed + rows, 0.5).astype(np.float32) for rows in (n, m))
    found = judged(x, y)
    assert found[BIASED].value == pytest.approx(published(x, y), abs=1e-9)
    unbiased = published(x, y)
    for side in (x, y):  # without the pairs of an image with itself, whose kernel is 1000
        own = 1000 * float(np.exp(-cdist(side, side, "sqeuclidean") / 200).mean())
        unbiased += (own * len(side) - 1000.0) / (len(side) - 1) - own
    assert found[NAME].value == pytest.approx(unbiased, abs=1e-9)


def test_of_one_distribution_only_the_published_one_is_above_nothing() -> None:
    values = [judged(unit(60, 16, 2 * seed), unit(60, 16, 2 * seed + 1)) for seed in range(30)]
    unbiased, biased = (np.array([each[name].value for each in values]) for name in (NAME, BIASED))
    assert abs(unbiased.mean()) < 3 * unbiased.std() / 30**0.5
    assert biased.mean() == pytest.approx(2 * 10 / 60, rel=0.1), "of n images of spread 1 it is 10 (1 / n + 1 / m)"


def test_the_interval_is_of_the_unbiased_one_and_holds_the_truth() -> None:
    """Two normal distributions of variance 1 in d dimensions, s apart: both means of the kernel are known."""
    dim, apart = 8, 1.5
    shrunk = (1 + 2 / 100) ** (-dim / 2)
    truth = 2000 * shrunk * (1 - np.exp(-(dim * apart**2) / 2 / (100 + 2)))
    held = 0
    for seed in range(150):
        dice = np.random.default_rng(seed)
        found = judged(dice.standard_normal((60, dim)), dice.standard_normal((80, dim)) + apart)
        assert np.isnan(found[BIASED].ci_low)
        assert "no interval" in found[BIASED].note
        held += found[NAME].ci_low <= truth <= found[NAME].ci_high
    assert 0.9 <= held / 150 <= 0.99


def test_with_one_image_there_is_a_reason() -> None:
    found = judged(unit(1, 4, 1), unit(20, 4, 2))
    assert {each.reason for each in found.values()} == {"too_few_images"}


def test_it_is_cmmd_over_the_clip_of_the_paper_alone() -> None:
    paper = {"encoder": "open_clip", "architecture": "ViT-L-14-336", "quick_gelu": True}
    assert names_in_space(paper) == {NAME: "cmmd", BIASED: "published_cmmd"}
    others = ({**paper, "architecture": "ViT-L-14"}, {**paper, "quick_gelu": False}, {**paper, "encoder": "inception"})
    assert [names_in_space(other) for other in others] == [{}, {}, {}]
    assert set_metric("gaussian_kernel_distance") is GAUSSIAN_KERNEL_DISTANCE


def test_two_versions_of_the_same_pictures_have_the_published_one_alone(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", made_grid(prompts=6, samples=2))
    arguments = ("--metric", "cmmd", "--encoder", "projection", "--set", "dim=8")
    found = call_json("evaluate", "distance", tmp_path / "generated", tmp_path / "generated", *arguments)
    assert list(found["values"]) == [BIASED]
    assert found["values"][BIASED]["value"] == 0.0


def test_a_run_stores_and_compares_it(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", made_grid(prompts=8, samples=2))
    make_dataset(tmp_path / "real", [Row(picture(1000 + seed), f"real {seed}") for seed in range(30)])
    encoders = {"p": {"kind": "projection", "options": {"dim": 8}}}
    distances = [{"metric": "cmmd", "encoder": "p", "reference": "real"}]
    config = make_config(tmp_path, encoders=encoders, distances=distances, compare={"by": "model"})
    config["datasets"]["real"] = {"path": str(tmp_path / "real"), "role": "reference"}
    run(config)
    assert result_of(tmp_path, NAME, model="raw")["better"] == "lower"
    assert {row["metric"] for row in read(tmp_path, "SELECT * FROM differences")} >= {NAME}
