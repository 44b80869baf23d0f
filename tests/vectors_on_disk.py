"""Vectors as the stored embeddings of a dataset, for tests."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sealed import seal_dataset

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
