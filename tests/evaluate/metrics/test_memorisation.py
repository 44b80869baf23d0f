"""Memorisation: AuthPct and MiFID by their definitions, copies, and the nearest image of each in the store."""

from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_vectors import flat, names
from evaluate_configs import make_config, read, result_of, run
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from tiny_generated import Made, make_generated

from diptych.errors import DataError
from diptych.evaluate.metrics import near_pairs
from diptych.evaluate.metrics.contract import Result
from diptych.evaluate.metrics.frechet import frechet_distance
from diptych.evaluate.metrics.kept_vectors import KeptVectors
from diptych.evaluate.metrics.memorisation import AUTHENTIC, INFORMED, MEMORISATION, mean_least_cosine_distance
from diptych.evaluate.metrics.nearest_other import nearest
from diptych.evaluate.statistics.moments import moments

Vectors = np.ndarray


def judged(x: Vectors, y: Vectors, units: list[str] | None = None) -> dict[str, Result]:
    statistics = MEMORISATION.statistics(x, np.array(units or names(len(x), "x")))
    return dict(MEMORISATION.results(statistics, MEMORISATION.statistics(y, np.array(names(len(y), "y"))), {}))


def authpct(train: Vectors, made: Vectors) -> float:
    """Return it as ``compute_authpct`` of dgm-eval writes it, from all distances."""
    real = cdist(train, train)
    np.fill_diagonal(real, np.inf)
    apart = cdist(train, made)
    return float(100 * (real.min(axis=0)[apart.argmin(axis=0)] < apart.min(axis=0)).mean())


@given(st.integers(2, 40), st.integers(2, 40), st.integers(1, 6), st.integers(0, 1000), st.floats(0.0, 2.0))
def test_authpct_is_what_all_distances_give(n: int, m: int, dim: int, seed: int, apart: float) -> None:
    dice = np.random.default_rng(seed)
    x, y = (dice.normal(shift, 1, (rows, dim)).astype(np.float32) for rows, shift in ((n, apart), (m, 0.0)))
    assert judged(x, y)[AUTHENTIC].value == pytest.approx(authpct(y, x), abs=1e-9)


@pytest.mark.reference
def test_mifid_is_that_of_torchmetrics_with_its_sides_exchanged_back() -> None:
    from torchmetrics.image.mifid import _compute_cosine_distance

    x, y = flat(60, 6, 1) + 1.0, flat(80, 6, 2) + 1.2
    theirs = float(_compute_cosine_distance(torch.from_numpy(x), torch.from_numpy(y), cosine_distance_eps=9.0))
    statistics = [KeptVectors.of(each, names(len(each), "x")) for each in (x, y)]
    assert mean_least_cosine_distance(*statistics) == pytest.approx(theirs, rel=1e-6)
    apart = min(theirs, 1.0) if theirs < 0.1 else 1.0
    distance = frechet_distance(moments(x.astype(np.float32)), moments(y.astype(np.float32)))
    assert judged(x, y)[INFORMED].value == pytest.approx(distance / apart, rel=1e-6)


def test_a_model_that_copies_one_picture_is_caught_in_the_direction_of_the_competition() -> None:
    """Each image has its source in the reference, which has few images: exchanged, the mean is over all of it."""
    y = flat(200, 8, 2)
    x = y[:1] + 1e-4 * flat(50, 8, 1)
    found = mean_least_cosine_distance(KeptVectors.of(x, names(50, "x")), KeptVectors.of(y, names(200, "y")))
    other = mean_least_cosine_distance(KeptVectors.of(y, names(200, "y")), KeptVectors.of(x, names(50, "x")))
    assert found < 1e-6 < 0.1 < other
    result = judged(x, y)
    assert result[AUTHENTIC].value == 0.0
    assert result[INFORMED].value > 1e6, "divided by what is nearly nothing"


def test_copies_and_equal_images_are_not_authentic() -> None:
    y = flat(60, 5, 2)
    assert judged(y[:30], y)[AUTHENTIC].value == 0.0
    assert judged(y[:30], y)[INFORMED].reason == "in_reference"
    same = np.full((9, 4), 0.1)
    found = judged(same, same)
    assert (found[AUTHENTIC].value, found[INFORMED].value) == (0.0, 0.0)
    assert judged(y + 50.0, y)[AUTHENTIC].value == 100.0


def test_vectors_of_zeros_have_no_cosine() -> None:
    found = judged(np.zeros((9, 4)), flat(20, 4, 1))
    assert found[INFORMED].reason == "no_direction"
    assert found[AUTHENTIC].reason is None


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_blocks_and_order_change_nothing(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = flat(100, 5, 1) + 0.3, flat(150, 5, 2)
    whole = {name: each.value for name, each in judged(x, y).items()}
    monkeypatch.setattr(near_pairs, "BLOCK_ROWS", rows)
    assert {name: each.value for name, each in judged(x[::-1], y).items()} == pytest.approx(whole, rel=1e-6)
    found = nearest(x.astype(np.float32), y.astype(np.float32))
    assert found.which.tolist() == cdist(x, y).argmin(axis=1).tolist()


def test_the_interval_holds_the_share_against_the_reference_as_it_is() -> None:
    y, held = flat(100, 3, 0), 0
    truth = judged(np.random.default_rng(99).standard_normal((40_000, 3)), y)[AUTHENTIC].value
    for seed in range(200):
        dice = np.random.default_rng((1, seed))
        result = judged(dice.standard_normal((80, 3)), y)[AUTHENTIC]
        held += result.ci_low <= truth <= result.ci_high
    assert 0.92 <= held / 200 <= 0.985


def test_few_images_have_a_reason_and_few_prompts_no_interval() -> None:
    assert {each.reason for each in judged(flat(1, 4, 1), flat(9, 4, 2)).values()} == {"too_few_images"}
    few = judged(flat(8, 4, 1), flat(9, 4, 2), ["a", "b"] * 4)[AUTHENTIC]
    assert (np.isnan(few.ci_low), "2 prompts" in few.note) == (True, True)
    with pytest.raises(DataError, match="4 and of 5 dimensions"):
        judged(flat(9, 4, 1), flat(9, 5, 2))


def test_each_image_has_its_nearest_one_in_the_store(tmp_path: Path) -> None:
    """Two of the images are near copies of pictures of the reference: they are told, with the key of their source."""
    rows = [Made("m", prompt, picture=prompt) for prompt in range(12)]
    make_generated(tmp_path / "generated", rows)
    sources = {900 + place: number for place, number in enumerate((3, 5, *range(1000, 1020)))}
    make_generated(tmp_path / "real", [Made("photo", prompt, picture=number) for prompt, number in sources.items()])
    encoders = {"p": {"kind": "projection", "options": {"dim": 8}}}
    distances = [{"metric": "memorisation", "encoder": "p", "reference": "real"}]
    config = make_config(tmp_path, encoders=encoders, distances=distances)
    config["datasets"]["real"] = {"path": str(tmp_path / "real"), "role": "reference"}
    run(config)
    scores = read(tmp_path, "SELECT * FROM scores WHERE score = 'p.nearest_reference' ORDER BY value")
    assert len(scores) == 12
    assert [row["value"] for row in scores[:2]] == pytest.approx([0.0, 0.0], abs=1e-3)
    assert scores[2]["value"] > 0.01
    keys = {row["key"]: row["text"] for row in read(tmp_path, "SELECT * FROM scores WHERE score LIKE '%reference_key'")}
    shown = {row["key"]: row["sha256"] for row in read(tmp_path, "SELECT key, sha256 FROM images")}
    assert all(shown[row["key"]] == shown[keys[row["key"]]] for row in scores[:2])
    assert result_of(tmp_path, "authpct", model="m")["unit"] == "%"
