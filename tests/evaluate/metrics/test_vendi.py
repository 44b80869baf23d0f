"""Vendi scores of a set and of each prompt: closed forms, both forms, orders, and the way into the store."""

import math
from pathlib import Path

import numpy as np
import pytest
from drawn_vectors import flat, names
from evaluate_configs import make_config, read, run
from hypothesis import given
from hypothesis import strategies as st
from scipy import linalg
from tiny_generated import made_grid, make_generated

from diptych.evaluate.metrics import vendi_score as scores
from diptych.evaluate.metrics.contract import Result
from diptych.evaluate.metrics.kept_vectors import KeptVectors
from diptych.evaluate.metrics.prompt_vendi import PROMPT_VENDI
from diptych.evaluate.metrics.vendi import VENDI
from diptych.evaluate.metrics.vendi_score import ORDERS, spectrum, vendi_score

Vectors = np.ndarray
NAMES = ["vendi", "vendi_half", "vendi_two", "vendi_infinity"]


def judged(x: Vectors) -> dict[str, Result]:
    return dict(VENDI.results(KeptVectors.of(x, names(len(x), "x")), None, {}))


def by_definition(x: Vectors, order: float) -> float:
    """Return it as ``vendi.score_K`` of the package vendi-score writes it, from the matrix of all cosines."""
    rows = x / np.linalg.norm(x, axis=1, keepdims=True)
    found = linalg.eigvalsh(rows @ rows.T / len(rows))
    found = found[found > 1e-13]
    if order == 1.0:
        return float(np.exp(-(found * np.log(found)).sum()))
    if math.isinf(order):
        return float(1.0 / found.max())
    return float((found**order).sum() ** (1.0 / (1.0 - order)))


def test_a_kernel_of_its_own_has_the_published_value() -> None:
    """README of vendi-score: samples 0, 0, 10, 10, 20, 20 with the kernel exp(-|a - b|) are worth 2.9999."""
    samples = np.array([0.0, 0.0, 10.0, 10.0, 20.0, 20.0])
    found = linalg.eigvalsh(np.exp(-np.abs(samples[:, np.newaxis] - samples)) / 6)
    assert vendi_score(found[found > 1e-13]) == pytest.approx(2.999999995877713, abs=1e-9)


@pytest.mark.parametrize("order", ORDERS)
def test_equal_images_are_worth_one_and_strangers_their_number(order: float) -> None:
    name = f"vendi{ORDERS[order]}"
    assert judged(np.tile([0.3, 0.4, 0.1], (50, 1)))[name].value == pytest.approx(1.0, abs=1e-9)
    assert judged(np.eye(7) * 3.0)[name].value == pytest.approx(7.0)
    assert judged(np.repeat(np.eye(7), 20, axis=0))[name].value == pytest.approx(7.0), "copies add nothing"
    assert judged(np.array([[2.0, 5.0]]))[name].value == pytest.approx(1.0), "one image"


@given(st.integers(2, 40), st.integers(1, 8), st.integers(0, 1000))
def test_it_is_its_definition_in_both_forms_and_falls_with_the_order(n: int, dim: int, seed: int) -> None:
    x = flat(n, dim, seed).astype(np.float32)
    found = {name: each.value for name, each in judged(x).items()}
    expected = [by_definition(x.astype(np.float64), order) for order in ORDERS]
    assert list(found) == NAMES
    np.testing.assert_allclose(list(found.values()), expected, rtol=2e-5)
    assert found["vendi_infinity"] <= found["vendi_two"] <= found["vendi"] + 1e-9 <= found["vendi_half"] + 2e-9


def test_of_copies_the_order_one_half_makes_nothing_of_rounding() -> None:
    """A thousand eigenvalues that should be 0 are 1e-17, and the roots of those add up."""
    x = np.repeat(flat(30, 600, 1), 40, axis=0)
    assert judged(x)["vendi_half"].value == pytest.approx(judged(x[::40])["vendi_half"].value, abs=1e-7)


def test_blocks_and_lengths_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x = flat(100, 5, 1) + 0.3
    whole = [each.value for each in judged(x).values()]
    monkeypatch.setattr(scores, "BLOCK_ROWS", 7)
    lengths = np.random.default_rng(0).uniform(0.5, 4.0, (100, 1))
    np.testing.assert_allclose([each.value for each in judged(x * lengths).values()], whole, rtol=1e-6)


def test_a_vector_of_zeros_has_no_cosine() -> None:
    x = flat(20, 4, 1)
    x[3] = 0.0
    for result in judged(x).values():
        assert result.reason == "no_direction"
        assert result.note.startswith("1 images have a vector of zeros")
    assert spectrum(x[4:].astype(np.float32)).sum() == pytest.approx(1.0)


def test_of_each_prompt_it_is_the_mean_over_prompts_with_their_error() -> None:
    x = flat(40, 6, 3)
    units = [f"p{row // 4}" for row in range(40)]
    found = PROMPT_VENDI.results(KeptVectors.of(x, units), None, {})
    for name, order in zip(found, ORDERS, strict=True):
        each = np.array([by_definition(x[start : start + 4], order) for start in range(0, 40, 4)])
        assert found[name].value == pytest.approx(each.mean(), rel=1e-5)
        assert found[name].se == pytest.approx(each.std(ddof=1) / 10**0.5, rel=1e-4)
        assert found[name].identity["images_per_prompt"] == "4"
    assert found["prompt_vendi"].note == "over 10 prompts of 4 images"


def test_a_prompt_with_one_image_says_nothing_of_itself() -> None:
    alone = PROMPT_VENDI.results(KeptVectors.of(flat(5, 3, 1), list("abcde")), None, {})
    assert {each.reason for each in alone.values()} == {"too_few_images"}
    one = PROMPT_VENDI.results(KeptVectors.of(flat(5, 3, 1), list("aaaab")), None, {})["prompt_vendi"]
    assert (one.n, "no interval" in one.note, one.reason) == (4, True, None)


def test_the_interval_of_prompts_holds_the_truth_as_often_as_it_says() -> None:
    dice = np.random.default_rng(0)
    truth = np.mean([vendi_score(spectrum(dice.standard_normal((4, 3)).astype(np.float32))) for _ in range(20_000)])
    units, held = [f"p{row // 4}" for row in range(80)], 0
    for seed in range(300):
        x = np.random.default_rng((1, seed)).standard_normal((80, 3))
        result = PROMPT_VENDI.results(KeptVectors.of(x, units), None, {})["prompt_vendi"]
        held += result.ci_low <= truth <= result.ci_high
    assert 0.92 <= held / 300 <= 0.98


def test_a_run_stores_both_and_compares_models(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", made_grid(prompts=6, samples=3))
    encoders = {"p": {"kind": "projection", "options": {"dim": 4}}}
    distances = [{"metric": name, "encoder": "p"} for name in ("vendi", "prompt_vendi")]
    run(make_config(tmp_path, encoders=encoders, distances=distances, compare={"by": "model", "baseline": "raw"}))
    rows = read(tmp_path, "SELECT * FROM results ORDER BY metric")
    assert {row["metric"] for row in rows} == {*NAMES, *(f"prompt_{name}" for name in NAMES)}
    assert {(row["better"], row["unit"]) for row in rows} == {(None, "images")}
    differences = {row["metric"]: row for row in read(tmp_path, "SELECT * FROM differences")}
    assert differences["prompt_vendi"]["ci_low"] is not None
    assert differences["vendi"]["ci_low"] is None
