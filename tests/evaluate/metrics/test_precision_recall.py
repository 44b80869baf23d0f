"""Precision and recall: the numbers, ties, their error, and the whole way from a config to a report."""

import re
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from drawn import picture
from drawn_vectors import flat, names
from evaluate_configs import call, call_json, make_config, read, result_of, run
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from tiny_dataset import Row, make_dataset
from tiny_generated import Made, make_generated

from diptych.errors import DataError
from diptych.evaluate.comparisons.distances import difference_variance
from diptych.evaluate.metrics import near_pairs, precision_recall
from diptych.evaluate.metrics.contract import ReportedValue, Result, set_metric
from diptych.evaluate.metrics.manifolds import PARTS, SIGNS
from diptych.evaluate.metrics.precision_recall import NEIGHBOURS, PRECISION_RECALL
from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig

Vectors = np.ndarray


def judged(x: Vectors, y: Vectors, units: list[str] | None = None) -> dict[str, Result]:
    statistics = PRECISION_RECALL.statistics(x, np.array(units or names(len(x), "x")))
    reference = PRECISION_RECALL.statistics(y, np.array(names(len(y), "y")))
    return dict(PRECISION_RECALL.results(statistics, reference, {}))


def values(x: Vectors, y: Vectors) -> tuple[float, float]:
    found = judged(x, y)
    return found["precision"].value, found["recall"].value


def share_in_manifold(points: Vectors, centres: Vectors) -> float:
    """Return it as the paper writes it, from all distances."""
    radii = np.sort(cdist(centres, centres), axis=1)[:, NEIGHBOURS]
    return float((cdist(points, centres) <= radii).any(axis=1).mean())


def test_on_a_line_the_manifold_is_an_interval() -> None:
    """The third nearest others of 0, 1, 2, 3 are 3, 2, 2, 3 away: the manifold is from -3 to 6, its ends included."""
    real = np.array([[0.0], [1.0], [2.0], [3.0]])
    made = np.array([[-3.5], [-3.0], [2.0], [6.0], [6.5]])
    assert values(made, real) == (3 / 5, 1.0)


@given(st.integers(4, 40), st.integers(4, 40), st.integers(1, 6), st.integers(0, 1000), st.floats(0.0, 2.0))
def test_it_is_what_all_distances_give(n: int, m: int, dim: int, seed: int, apart: float) -> None:
    dice = np.random.default_rng(seed)
    x, y = (dice.normal(shift, 1, (rows, dim)).astype(np.float32) for rows, shift in ((n, apart), (m, 0.0)))
    assert values(x, y) == (share_in_manifold(x, y), share_in_manifold(y, x))


@given(st.integers(4, 30), st.integers(4, 30), st.integers(0, 1000))
def test_ties_are_inside_however_they_come_about(n: int, m: int, seed: int) -> None:
    """On a small grid most distances occur several times, and many vectors are equal."""
    dice = np.random.default_rng(seed)
    x, y = (dice.integers(0, 3, (rows, 2)).astype(np.float32) for rows in (n, m))
    assert values(x / 3, y / 3) == (share_in_manifold(x, y), share_in_manifold(y, x)), "also where thirds are rounded"


@pytest.mark.reference
@pytest.mark.parametrize(("n", "m", "dim"), [(300, 500, 16), (200, 150, 512)])
def test_it_is_that_of_torch_fidelity(n: int, m: int, dim: int) -> None:
    from torch_fidelity.metric_prc import prc_features_to_metric

    x, y = (flat(rows, dim, seed).astype(np.float32) for rows, seed in ((n, 1), (m, 2)))
    x = 0.95 * x + 0.1
    made, real = torch.from_numpy(x).double(), torch.from_numpy(y).double()
    for save_cpu_ram in (False, True):
        theirs = prc_features_to_metric(
            made, real, prc_neighborhood=3, prc_batch_size=64, save_cpu_ram=save_cpu_ram, verbose=False
        )
        assert values(x, y) == pytest.approx((theirs["precision"], theirs["recall"]), abs=1e-7)  # theirs: float32 means


@pytest.mark.slow
def test_two_normal_sets_in_a_thousand_dimensions_have_the_published_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """README of prdc (Naeem et al. 2020): 10,000 each, five neighbours, precision 0.4772 and recall 0.4705."""
    monkeypatch.setattr(precision_recall, "NEIGHBOURS", 5)
    x, y = (np.random.default_rng(seed).standard_normal((10_000, 1000), np.float32) for seed in (1, 2))
    assert values(x, y) == pytest.approx((0.4772, 0.4705), abs=0.02)


def test_a_model_that_makes_always_about_the_same_is_precise_and_recalls_little() -> None:
    """As torch-fidelity tests which side is which: users saw the two exchanged there once."""
    dice = np.random.default_rng(0)
    made, real = 0.1 * dice.standard_normal((500, 16)), 3.0 * dice.standard_normal((500, 16))
    precision, recall = values(made, real)
    assert precision > 0.8
    assert recall < 0.3
    assert values(real, made) == (recall, precision)


def test_equal_images_lie_in_their_own_manifold() -> None:
    same = np.full((16, 8), 0.1)
    assert values(same, same) == (1.0, 1.0)
    assert values(same, np.full((16, 8), 0.1 + 1e-3)) == (0.0, 0.0)


def test_copies_within_a_prompt_are_counted_in_the_note() -> None:
    x, y = flat(70, 6, 1), flat(80, 6, 2)
    assert {found.note for found in judged(x, y).values()} == {""}
    units = [f"x{row % 70}" for row in range(140)]
    twice = judged(np.concatenate([x, x]), y, units)
    assert twice["recall"].value < judged(x, y)["recall"].value
    assert {found.note for found in twice.values()} == {
        "70 images are copies of others of their prompt, so that the manifold is smaller"
    }
    alone = judged(np.concatenate([x, x]), y)
    assert {found.note for found in alone.values()} == {""}, "of other prompts they only look the same"


def test_length_and_direction_change_nothing() -> None:
    x, y = flat(120, 6, 1) + 0.3, flat(90, 6, 2)
    turn = np.linalg.qr(flat(6, 6, 3))[0]
    assert values(4.0 * x, 4.0 * y) == values(x, y)
    assert values(x @ turn, y @ turn) == values(x, y)
    assert values(x + 5.0, y + 5.0) == values(x, y)


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_blocks_change_nothing(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = flat(150, 5, 1) + 0.3, flat(100, 5, 2)
    whole = judged(x, y)
    monkeypatch.setattr(near_pairs, "BLOCK_ROWS", rows)
    assert judged(x, y) == whole


def test_no_matrix_of_all_distances_is_held() -> None:
    x, y = flat(5000, 4, 1).astype(np.float32), flat(5000, 4, 2).astype(np.float32)
    tracemalloc.start()
    judged(x, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5000 * 5000 * 8 / 4


def test_halves_are_balanced() -> None:
    assert PARTS.sum(axis=1).tolist() == [16] + [8] * 30
    assert (PARTS[1:16] == ~PARTS[16:]).all()
    np.testing.assert_array_equal(SIGNS @ SIGNS.T, 16 * np.eye(15))


@pytest.mark.parametrize(("prompts", "images"), [(100, 1), (70, 4)])
def test_the_error_is_the_spread_of_repeated_sampling(prompts: int, images: int) -> None:
    found: dict[str, list[Result]] = {"precision": [], "recall": []}
    for seed in range(120):
        dice = np.random.default_rng(seed)
        x = dice.standard_normal((prompts, 1, 8)) + dice.standard_normal((prompts, images, 8))
        units = [f"p{row // images}" for row in range(prompts * images)]
        for name, result in judged(x.reshape(-1, 8) / 2**0.5 + 0.4, dice.standard_normal((150, 8)), units).items():
            found[name].append(result)
    for results in found.values():
        spread = np.std([result.value for result in results])
        assert np.sqrt(np.mean([result.se**2 for result in results])) == pytest.approx(spread, rel=0.35)
        mean = np.mean([result.value for result in results])
        assert np.mean([result.ci_low <= mean <= result.ci_high for result in results]) > 0.9


def test_what_models_share_cancels_in_their_difference() -> None:
    dice = np.random.default_rng(0)
    prompts = dice.standard_normal((90, 8))
    reference = PRECISION_RECALL.statistics(dice.standard_normal((300, 8)), np.array(names(300, "y")))
    sides = [
        PRECISION_RECALL.statistics(prompts + 0.05 * dice.standard_normal((90, 8)), np.array(names(90, "p")))
        for _ in range(2)
    ]
    results = [PRECISION_RECALL.results(side, reference, {}) for side in sides]
    influences = [PRECISION_RECALL.influences(side, reference) for side in sides]  # type: ignore[misc]
    for name in ("precision", "recall"):
        apart = (results[0][name].se ** 2 + results[1][name].se ** 2) ** 0.5
        assert difference_variance(influences[0][name], influences[1][name])[0] ** 0.5 < 0.6 * apart
        assert difference_variance(influences[0][name], influences[0][name])[0] == pytest.approx(0.0, abs=1e-20)


def test_an_interval_has_a_width_where_all_or_none_are_covered() -> None:
    x, y = flat(80, 3, 1), flat(400, 3, 2)
    for found in judged(0.01 * x, y).values(), judged(x + 50.0, y).values():
        for result in found:
            assert 0.0 <= result.ci_low <= result.value <= result.ci_high <= 1.0
            assert result.ci_high - result.ci_low > 0.005
    far = judged(x + 50.0, y)["precision"]
    assert (far.value, far.ci_low) == (0.0, 0.0)
    assert far.ci_high == pytest.approx(0.0458, abs=1e-3), "Wilson's of 0 of 80"


def test_with_few_prompts_there_is_no_error_and_the_note_says_so() -> None:
    x, y = flat(120, 4, 1), flat(300, 4, 2)
    for found in judged(x, y, names(60) * 2), judged(y, x[:60]):
        for result in found.values():
            assert np.isfinite(result.value)
            assert np.isnan([result.se, result.ci_low, result.ci_high]).all()
            assert result.note == ("no interval: 60 prompts, or images that stand alone, are too few, 64 are needed")
    assert all(result.ci_low < result.ci_high for result in judged(x[:64], y).values())


def test_fewer_images_than_neighbours_are_a_reason_and_no_number() -> None:
    for found in judged(flat(3, 4, 1), flat(90, 4, 2)), judged(flat(90, 4, 2), flat(3, 4, 1)):
        for result in found.values():
            assert result.reason == "too_few_images"
            assert np.isnan(result.value)
            assert "at least 4 images on each side" in result.note


def test_two_encoders_do_not_compare() -> None:
    with pytest.raises(DataError, match="4 and of 5 dimensions"):
        judged(flat(9, 4, 1), flat(9, 5, 1))


def test_the_table_names_it_and_both_of_its_values() -> None:
    metric = set_metric("precision_recall")
    assert metric is PRECISION_RECALL
    assert metric.values == tuple(
        ReportedValue(name, "higher", "", 0.0, 1.0, "uncorrected") for name in ("precision", "recall")
    )
    assert (metric.from_moments, metric.needs_reference) == (None, True)
    identity = judged(flat(70, 4, 1), flat(70, 4, 2))["recall"].identity
    assert identity["convention"] == "k-nearest-neighbour manifolds, k = 3, rim included"


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
    distance = {"metric": "precision_recall", "encoder": "p", "reference": "real"}
    encoders = {"p": {"kind": "projection", "options": {"dim": 3}}}
    config = make_config(tmp_path, encoders=encoders, distances=[distance, {**distance, "by": []}], compare={})
    config["datasets"]["real"] = {"path": str(tmp_path / "real"), "role": "reference"}
    run(config)
    return tmp_path


def test_a_run_stores_both_with_interval_and_identity_and_compares_models_by_them(evaluated: Path) -> None:
    for name in ("precision", "recall"):
        row = result_of(evaluated, name, model="rich")
        assert 0.0 <= row["ci_low"] <= row["value"] <= row["ci_high"] <= 1.0
        assert (row["n"], row["better"], row["size_bias"]) == (70, "higher", "uncorrected")
        assert row["note"].endswith("reference of 80 images")
    (difference,) = read(evaluated, "SELECT * FROM differences WHERE metric = 'recall'")
    gap = result_of(evaluated, "recall", model="poor")["value"] - result_of(evaluated, "recall", model="rich")["value"]
    assert (difference["a"], difference["b"], difference["better"]) == ("poor", "rich", "higher")
    assert difference["value"] == pytest.approx(gap)
    assert difference["ci_low"] < gap < difference["ci_high"] < 0.0
    assert (difference["n"], difference["n_clusters"]) == (70, 70)


def test_the_command_line_says_them(evaluated: Path) -> None:
    listed = call("evaluate", "results", evaluated / "store.duckdb").stdout
    assert [line.split()[0] for line in listed.splitlines() if line.startswith(("precision", "recall"))] == [
        *["precision"] * 3,
        *["recall"] * 3,
        "precision",
        "recall",
    ]
    said = call("evaluate", "compare", evaluated / "store.duckdb", "poor", "rich").stdout
    assert "recall: poor is worse than rich (" in said
    arguments = ("evaluate", "distance", evaluated / "generated", evaluated / "real", "--metric", "precision_recall")
    arguments += ("--encoder", "projection", "--set", "dim=3")
    found: Any = call_json(*arguments)
    assert list(found["values"]) == ["precision", "recall"]
    for name, number in found["values"].items():
        row = result_of(evaluated, name)
        assert number["value"] == pytest.approx(row["value"])
        assert (number["n"], number["n_reference"]) == (140, 80)
        assert 0.0 <= number["ci_low"] <= number["value"] <= number["ci_high"] <= 1.0
    lines = [line for line in call(*arguments).stdout.splitlines() if "copies" not in line]
    assert "  3 images are copies of others of their prompt" in call(*arguments).stdout
    for name, line in zip(("precision", "recall   "), lines, strict=False):
        assert re.fullmatch(rf"{name}  \S+  95 % \S+ to \S+  se \S+", line)
    assert lines[2:] == [f"  a  {evaluated / 'generated'}: 140 images", f"  b  {evaluated / 'real'}: 80 images"]


def test_a_report_shows_them_and_what_they_settle(evaluated: Path) -> None:
    config = ReportConfig.model_validate({"job": "report", "store": evaluated / "store.duckdb"})
    build_report(config, evaluated / "out")
    text = {
        page.name: " ".join(re.sub(r"<[^>]+>", " ", page.read_text("utf-8")).split())
        for page in (evaluated / "out").glob("*.html")
    }
    assert "Against rich, poor is worse on" in text["index.html"]
    assert "Recall higher is better" in text["index.html"]
    assert "Precision higher is better" in text["scores.html"]
    assert "convention k-nearest-neighbour manifolds, k = 3" in text["scores.html"]
    assert "n 70" in text["index.html"]
