"""How vectors and scores lie on disk: one table per shard, with the rows of the data in their order."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.data.schema import ARROW_TYPES
from diptych.data.shards import read_shard
from diptych.scores import Column
from diptych.scores.batches import Batch
from diptych.scores.looks import Look
from diptych.storage.location import Location


def embedding_table(
    keys: Sequence[str], vectors: npt.NDArray[np.float32], stored: type[np.floating[Any]] = np.float16
) -> pa.Table:
    """Return key and embedding columns, fixed_size_list<float16>[dim] or of float32; a row of NaN becomes null.

    Args:
        keys: Of the rows.
        vectors: float32 (N, dim).
        stored: See ``stored_vectors``.
    """
    flat = pa.array(vectors.astype(stored).reshape(-1))
    mask = pa.array(np.isnan(vectors).any(axis=1)) if len(vectors) else None
    column = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1], mask=mask)
    return pa.table({"key": pa.array(list(keys), pa.string()), "embedding": column})


def read_embeddings(place: Location) -> npt.NDArray[np.float32]:
    """Read a shard of embeddings as float32 (N, dim); NaN where null."""
    column = read_shard(place, ["embedding"])["embedding"].combine_chunks()
    dim = column.type.list_size
    values = column.values.slice(column.offset * dim, len(column) * dim)
    vectors: npt.NDArray[np.float32] = values.to_numpy(zero_copy_only=False).astype(np.float32).reshape(-1, dim)
    vectors[column.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return vectors


def embedding_type(place: Location) -> tuple[np.dtype[np.floating[Any]], int]:
    """Return as what, and how long, the vectors of a shard are stored."""
    column = read_shard(place, ["embedding"]).schema.field("embedding").type
    return np.dtype(column.value_type.to_pandas_dtype()), column.list_size


def score_table(
    batch: Batch, columns: Iterable[Column], values: Mapping[str, npt.NDArray[Any]], looks: Sequence[Look[Any]] = ()
) -> pa.Table:
    """Return key, the score's columns and ``reason``; NaN becomes null, since SQL takes NaN for the largest number.

    Args:
        batch: The rows.
        columns: Of the score.
        values: What it says of the rows.
        looks: What it asks of judges.
    """
    arrays = [pa.array(values[column.name], ARROW_TYPES[column.dtype], from_pandas=True) for column in columns]
    given = values.get("reason")
    reasons: list[str | None] = [None] * len(batch) if given is None else list(given)
    empty = np.any([array.is_null().to_numpy(zero_copy_only=False) for array in arrays], axis=0)
    for row in np.flatnonzero(empty):
        reasons[row] = reasons[row] or batch.reason(int(row), looks) or "not_scorable"
    return pa.table(
        [pa.array(batch.keys, pa.string()), *arrays, pa.array(reasons, pa.string())], schema=score_schema(columns)
    )


def score_schema(columns: Iterable[Column]) -> pa.Schema:
    """Return the schema of a score's shards: key, its columns, reason."""
    fields = [pa.field(column.name, ARROW_TYPES[column.dtype]) for column in columns]
    return pa.schema([pa.field("key", pa.string()), *fields, pa.field("reason", pa.string())])
