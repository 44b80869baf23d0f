"""The Inception score: closed forms, torch-fidelity's number, and that it needs logits."""

from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_vectors import names
from evaluate_configs import make_config, result_of, run
from inception_weights import save_random_weights
from tiny_generated import made_grid, make_generated

from diptych.evaluate.metrics.contract import Result
from diptych.evaluate.metrics.inception_score import INCEPTION_SCORE, NAME, split_scores
from diptych.evaluate.metrics.kept_vectors import KeptVectors

Vectors = np.ndarray


def judged(logits: Vectors, encoder: object = None) -> Result:
    identity = {} if encoder is None else {"encoder": encoder}
    return dict(INCEPTION_SCORE.results(KeptVectors.of(logits, names(len(logits), "x")), None, identity))[NAME]


def test_of_sure_and_balanced_classes_it_is_their_number() -> None:
    assert split_scores(np.tile(np.eye(8) * 60.0, (40, 1))) == pytest.approx(8.0)


def test_of_images_that_look_alike_it_is_one() -> None:
    assert judged(np.tile(np.arange(5.0), (30, 1))).value == pytest.approx(1.0)


@pytest.mark.reference
@pytest.mark.parametrize("n", [10, 57, 300])
def test_it_is_that_of_torch_fidelity_in_the_same_order(n: int) -> None:
    from torch_fidelity.metric_isc import isc_features_to_metric

    logits = (3.0 * np.random.default_rng(n).standard_normal((n, 40))).astype(np.float32)
    kept = KeptVectors.of(logits, names(n, "x"))
    theirs = isc_features_to_metric(torch.from_numpy(logits[kept.drawing_order]), splits=10, shuffle=False)
    found = judged(logits)
    assert found.value == pytest.approx(theirs["inception_score_mean"], rel=1e-12)
    spread = float(found.note.removeprefix("no interval: ").partition(",")[0])
    assert spread == pytest.approx(theirs["inception_score_std"], rel=5e-3, abs=1e-9)
    assert found.identity["splits"] == "10, in the order of a hash of the vectors"


def test_logits_far_from_nothing_do_not_overflow() -> None:
    assert np.isfinite(judged(np.random.default_rng(0).normal(0, 1e4, (50, 9))).value)


def test_without_logits_or_images_there_is_a_reason() -> None:
    logits = np.random.default_rng(0).standard_normal((30, 6))
    assert judged(logits, {"encoder": "inception", "layer": "pool3"}).reason == "no_logits"
    assert judged(logits, {"encoder": "inception", "layer": "logits without bias"}).reason is None
    assert judged(logits[:9]).reason == "too_few_images"


def test_a_run_stores_it_over_the_logits_of_inception(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", made_grid(prompts=6, samples=1, models=("a", "b")))
    options = {"weights": str(save_random_weights(tmp_path / "inception.pth")), "layer": "logits", "device": "cpu"}
    encoders = {"inc": {"kind": "inception", "options": options}}
    run(make_config(tmp_path, encoders=encoders, distances=[{"metric": NAME, "encoder": "inc", "by": []}]))
    row = result_of(tmp_path, NAME)
    assert (row["n"], row["better"], row["size_bias"], row["reason"]) == (12, "higher", "uncorrected", None)
    assert row["value"] >= 1.0
