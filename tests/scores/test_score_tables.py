from pathlib import Path

import numpy as np
import pyarrow as pa
from tiny_dataset import good_rows, make_table

from diptych.data.shards import write_shard
from diptych.scores import Column
from diptych.scores.batches import Batch
from diptych.scores.tables import embedding_table, read_embeddings, score_table


def test_vectors_come_back_from_disk_as_they_were(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).standard_normal((7, 5)).astype(np.float16).astype(np.float32)
    vectors[[0, 3]] = np.nan
    table = embedding_table([str(row) for row in range(7)], vectors)
    write_shard(pa.concat_tables([table.slice(0, 2), table.slice(2)]), tmp_path / "a.parquet")
    np.testing.assert_array_equal(read_embeddings(tmp_path / "a.parquet"), vectors)


def test_a_score_table_has_the_types_of_the_columns_and_a_reason() -> None:
    batch = Batch(make_table(good_rows(2)).to_batches()[0])
    kinds = ("float32", "int32", "uint64", "string", "bool")
    columns = [Column(kind, "", dtype=kind) for kind in kinds]  # type: ignore[arg-type]
    values = [np.array([1.5, np.nan]), np.array([7, None]), np.array([2**64 - 1, None]), ["x", None], [True, None]]
    given = {kind: np.asarray(value, None if kind == "float32" else object) for kind, value in zip(kinds, values)}  # noqa: B905
    table = score_table(batch, columns, given)
    assert table.to_pylist() == [
        {
            "key": "000000",
            "float32": 1.5,
            "int32": 7,
            "uint64": 2**64 - 1,
            "string": "x",
            "bool": True,
            "reason": None,
        },
        {"key": "000001", **dict.fromkeys(kinds), "reason": "not_scorable"},
    ]
    reasoned = score_table(batch, columns, {**given, "reason": np.array([None, "too_dull"], object)})
    assert reasoned["reason"].to_pylist() == [None, "too_dull"]
