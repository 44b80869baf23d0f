"""Decision columns: for each row whether a step keeps it, why not, and what it is a duplicate of."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.data.dataset import ColumnSet, Dataset
from diptych.data.growing import GrowingSet
from diptych.data.shards import read_shard, write_shard
from diptych.progress import track

SCHEMA = pa.schema(
    [
        pa.field("key", pa.string()),
        pa.field("keep", pa.bool_()),
        pa.field("reason", pa.string()),
        pa.field("duplicate_of", pa.string()),
        pa.field("rank", pa.int64()),
    ]
)


class Decisions(NamedTuple):
    """One entry per row of a dataset, in its order.

    Attributes:
        keep: bool (N,).
        reasons: Possible reasons.
        reason: int64 (N,): index into ``reasons``, -1 for rows that are kept.
        duplicate_of: int64 (N,): row number of the preferred copy, -1 for none; None where a step knows no copies.
        rank: int64 (N,): place in the order of preference; None where a step knows none.
    """

    keep: npt.NDArray[np.bool_]
    reasons: Sequence[str]
    reason: npt.NDArray[np.int64]
    duplicate_of: npt.NDArray[np.int64] | None = None
    rank: npt.NDArray[np.int64] | None = None


def write_decisions(
    dataset: Dataset,
    name: str,
    identity: Mapping[str, Any],
    decisions: Decisions,
    facts: Mapping[str, Any],
    *,
    progress: str = "none",
) -> ColumnSet:
    """Write ``decisions/<name>``, shard by shard as the data lies, replacing what another identity decided.

    Args:
        dataset: Whose rows were decided on.
        name: Of the step.
        identity: Everything that the decisions follow from, beside the data.
        decisions: One per row.
        facts: Further entries of the manifest.
        progress: Display mode, see ``diptych.progress``.
    """
    growing = GrowingSet(dataset, "decisions", name, identity)
    growing.begin()
    keys = [read_shard(file, ["key"])["key"].combine_chunks() for file in dataset.files]
    copies = _keys_of(keys, decisions.duplicate_of)
    names = pa.array(list(decisions.reasons), pa.string())
    ranks = pa.nulls(dataset.rows, pa.int64()) if decisions.rank is None else pa.array(decisions.rank, pa.int64())
    start = 0
    with track(f"write {name}", dataset.rows, mode=progress) as tracker:
        for shard, column in zip(dataset.shards, keys, strict=True):
            rows = slice(start, start + shard.rows)
            reason = pa.array(decisions.reason[rows], mask=decisions.reason[rows] < 0)
            keep, copy = pa.array(decisions.keep[rows]), copies.slice(start, shard.rows)
            arrays = [column, keep, names.take(reason), copy, ranks.slice(start, shard.rows)]
            path = growing.location / shard.name
            growing.commit(write_shard(pa.table(arrays, schema=SCHEMA), path, source=shard.sha256))
            tracker.advance(shard.rows, {"ok": shard.rows})
            start += shard.rows
    return growing.seal({"kept": int(decisions.keep.sum()), "rows": dataset.rows, **facts})


def find_decisions(dataset: Dataset, name: str, identity: Mapping[str, Any]) -> ColumnSet | None:
    """Return ``decisions/<name>`` if it was decided by ``identity`` over this data."""
    growing = GrowingSet(dataset, "decisions", name, identity)
    return growing.seal({}) if growing.is_finished else None


def read_keep(decisions: ColumnSet) -> npt.NDArray[np.bool_]:
    """Return bool (N,): the rows that are kept."""
    parts = [read_shard(file, ["keep"])["keep"].to_numpy() for file in decisions.files]
    return np.concatenate(parts).astype(bool) if parts else np.zeros(0, bool)


def read_clusters(decisions: ColumnSet) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return for each row of dedup's decisions the row number that stands for it, and its place in preference."""
    tables = [read_shard(file, ["key", "duplicate_of", "rank"]) for file in decisions.files]
    table = pa.concat_tables(tables)
    keys = table["key"].combine_chunks()
    copies = pc.index_in(table["duplicate_of"].combine_chunks(), keys, skip_nulls=True)
    own = pa.array(np.arange(len(keys)))
    stands_for = pc.coalesce(copies.cast(pa.int64()), own).to_numpy(zero_copy_only=False)
    return stands_for.astype(np.int64), table["rank"].to_numpy().astype(np.int64)


def _keys_of(keys: Sequence[pa.Array], rows: npt.NDArray[np.int64] | None) -> pa.Array:
    if rows is None:
        return pa.nulls(sum(len(part) for part in keys), pa.string())
    everything = pa.chunked_array(list(keys), pa.string()).combine_chunks()
    taken: pa.Array = everything.take(pa.array(rows, mask=rows < 0))
    return taken
