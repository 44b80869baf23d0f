from pathlib import Path

import numpy as np
import pytest
from vectors_on_disk import stored

from diptych.curate.duplicates import alike_vectors
from diptych.curate.duplicates.alike_vectors import AlikeVectors


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_rows_are_alike_by_the_cosine_of_their_vectors_wherever_those_lie(
    chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alike_vectors, "CHUNK", chunk)
    vectors = np.random.default_rng(0).normal(size=(11, 4)).astype(np.float16)
    asked = np.array([0, 2, 3, 7, 8, 10], np.int32)
    alike = AlikeVectors(stored(tmp_path, vectors.astype(np.float32)), 0.2, asked)
    units = vectors.astype(np.float64) / np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    others = np.array([10, 0, 3, 8], np.int32)
    assert alike(7, others).tolist() == (units[others] @ units[7] >= 0.2).tolist()


def test_a_row_without_a_vector_and_one_without_direction_are_like_no_row(tmp_path: Path) -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 0], [np.nan, np.nan]], np.float32)
    alike = AlikeVectors(stored(tmp_path, vectors), 0.9, np.arange(4, dtype=np.int32))
    assert alike(0, np.array([1, 2, 3], np.int32)).tolist() == [True, False, False]
    assert alike(3, np.array([0, 2, 3], np.int32)).tolist() == [False, False, False]
