from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from sealed import seal_dataset

from diptych.curate.duplicates import alike_vectors
from diptych.curate.duplicates.alike_vectors import AlikeVectors
from diptych.data.dataset import ColumnSet
from diptych.data.growing_sets import GrowingSet
from diptych.data.schema import data_schema
from diptych.data.shards import shard_name, write_shard
from diptych.scores.tables import embedding_table

ROWS_PER_SHARD = 3


def stored(path: Path, vectors: npt.NDArray[np.float32]) -> ColumnSet:
    """Store vectors as the embeddings of a dataset, in shards of three rows."""
    starts = range(0, len(vectors), ROWS_PER_SHARD)
    tables = [
        embedding_table([str(row) for row in range(start, min(start + ROWS_PER_SHARD, len(vectors)))], part)
        for start, part in ((start, vectors[start : start + ROWS_PER_SHARD]) for start in starts)
    ]
    schema = data_schema()
    infos = []
    for index, table in enumerate(tables):
        rows = pa.Table.from_pylist([{"key": key} for key in table["key"].to_pylist()], schema=schema)
        infos.append(write_shard(rows, path / "data" / shard_name(index)))
    growing = GrowingSet(seal_dataset(path, infos, {}), "embeddings", "clip-0", {"name": "clip"})
    growing.begin()
    for info, table in zip(infos, tables, strict=True):
        growing.commit(write_shard(table, growing.location / info.name, source=info.sha256))
    return growing.seal({})


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
