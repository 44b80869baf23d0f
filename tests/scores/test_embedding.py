"""Vectors that are wanted for their own sake: stored beside the data though no score looks at them."""

from pathlib import Path

import numpy as np
import pytest
from tiny_dataset import good_rows, make_dataset, mixed_rows

from diptych.data.images import decode
from diptych.encoders import make_encoder
from diptych.errors import DecodeError
from diptych.scores.plan import ScorePlan
from diptych.scores.run import ScoreRun, score_dataset
from diptych.scores.tables import read_embeddings

SMALL = {"small": ("projection", {"dim": 8})}
SIMILARITY = {"similar": ("clip_similarity", {"encoder": "small"})}
ONLY_VECTORS = ScorePlan(SMALL, {}, embed=("small",))


def vectors(run: ScoreRun) -> np.ndarray:
    return np.concatenate([read_embeddings(file) for file in run.embeddings["small"].files])


def test_vectors_are_stored_without_any_score(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", mixed_rows())
    run = score_dataset(tmp_path / "set", ONLY_VECTORS, batch_size=3, progress="none")
    assert (run.shards_done, run.sets, (tmp_path / "set/scores").exists()) == (3, {}, False)
    encoder = make_encoder(*SMALL["small"])
    for row, vector in zip(mixed_rows(), vectors(run), strict=True):
        try:
            image = decode(row.data) if row.data is not None and row.status == "ok" else None
        except DecodeError:
            image = None
        if image is None:
            assert np.isnan(vector).all()
        else:
            assert vector == pytest.approx(encoder.images([encoder.prepare(image)])[0], abs=1e-3)


def test_they_are_the_vectors_of_the_scores_and_are_not_computed_twice(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", good_rows(6))
    both = ScorePlan(SMALL, SIMILARITY, embed=("small",))
    run = score_dataset(tmp_path / "set", ONLY_VECTORS, progress="none")
    assert score_dataset(tmp_path / "set", both, progress="none").shards_done == 2
    assert score_dataset(tmp_path / "set", both, progress="none").shards_done == 0
    again = score_dataset(tmp_path / "set", ONLY_VECTORS, progress="none")
    assert again.shards_done == 0
    assert again.embeddings["small"].path == run.embeddings["small"].path
    assert len(list((tmp_path / "set/embeddings").iterdir())) == 1


def test_vectors_that_went_missing_after_their_score_was_finished_come_back(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", good_rows(6))
    scored = score_dataset(tmp_path / "set", ScorePlan(SMALL, SIMILARITY), progress="none")
    (folder,) = (tmp_path / "set/embeddings").iterdir()
    (folder / "00001.parquet").unlink()
    run = score_dataset(tmp_path / "set", ScorePlan(SMALL, SIMILARITY, embed=("small",)), progress="none")
    assert run.shards_done > 0
    assert np.isfinite(vectors(run)).all()
    assert run.sets["similar"].path == scored.sets["similar"].path
