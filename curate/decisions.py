"""Decision columns: for each row whether a step keeps it, why not, and what it is a duplicate of."""

import itertools
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.data.dataset import ColumnSet, Dataset
from diptych.data.growing_sets import GrowingSet
from diptych.data.schema import DECISION_SCHEMA
from diptych.data.shards import ShardInfo, read_shard, write_shard
from diptych.progress import track
from diptych.storage.location import Location

WRITERS = 4  # shards on their way to the disk at a time
NOTED_SHARDS = 32  # at a time


class Decisions(NamedTuple):
    """One entry per row of a dataset, in its order.

    Attributes:
        keep: bool (N,).
        reasons: Possible reasons.
        reason: int8 (N,): index into ``reasons``, -1 for rows that are kept.
        duplicate_of: int32 (N,): row number of the preferred copy, -1 for none; None where a step knows no copies.
        rank: int32 (N,): place in the order of preference; None where a step knows none.
    """

    keep: npt.NDArray[np.bool_]
    reasons: Sequence[str]
    reason: npt.NDArray[np.int8]
    duplicate_of: npt.NDArray[np.int32] | None = None
    rank: npt.NDArray[np.int32] | None = None


class Clusters(NamedTuple):
    """What dedup decided, one entry per row of a dataset.

    Attributes:
        stands_for: int32 (N,): row number of the row that stands for each row's cluster; itself where it is alone.
        rank: int32 (N,): place in the order of preference.
    """

    stands_for: npt.NDArray[np.int32]
    rank: npt.NDArray[np.int32]


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
    copied = _copied_keys(dataset, decisions.duplicate_of)
    starts = itertools.accumulate((shard.rows for shard in dataset.shards[:-1]), initial=0)

    def write(shard: ShardInfo, file: Location, start: int) -> ShardInfo:
        table = _table(read_shard(file, ["key"])["key"], decisions, copied, start)
        return write_shard(table, growing.location / shard.name, source=shard.sha256)

    # Many wait for the disk at a time, and are noted together; after a kill all are written again.
    with track(f"write {name}", dataset.rows, mode=progress) as tracker, ThreadPoolExecutor(WRITERS) as pool:
        written = pool.map(write, dataset.shards, dataset.files, starts)
        while infos := list(itertools.islice(written, NOTED_SHARDS)):
            growing.commit(*infos)
            rows = sum(info.rows for info in infos)
            tracker.advance(rows, {"ok": rows})
    return growing.seal({"kept": int(decisions.keep.sum()), "rows": dataset.rows, **facts})


def find_decisions(dataset: Dataset, name: str, identity: Mapping[str, Any]) -> ColumnSet | None:
    """Return ``decisions/<name>`` if it was decided by ``identity`` over this data."""
    growing = GrowingSet(dataset, "decisions", name, identity)
    return growing.seal({}) if growing.is_finished else None


def read_keep(decisions: ColumnSet) -> npt.NDArray[np.bool_]:
    """Return bool (N,): the rows that are kept.

    Raises:
        ShardError: If a shard is not what was written.
    """
    decisions.check()
    parts = [read_shard(file, ["keep"])["keep"].to_numpy() for file in decisions.files]
    return np.concatenate(parts).astype(bool) if parts else np.zeros(0, bool)


def read_clusters(decisions: ColumnSet) -> Clusters:
    """Return what dedup decided.

    Raises:
        ShardError: If a shard is not what was written.
    """
    decisions.check()
    rows = sum(shard.rows for shard in decisions.shards)
    clusters = Clusters(np.arange(rows, dtype=np.int32), np.empty(rows, np.int32))
    start = 0
    for file, shard in zip(decisions.files, decisions.shards, strict=True):
        table = read_shard(file, ["duplicate_of_row", "rank"])
        part = slice(start, start + shard.rows)
        copy_of = table["duplicate_of_row"]
        is_copy = copy_of.is_valid().to_numpy()
        clusters.stands_for[part][is_copy] = copy_of.drop_null().to_numpy()
        clusters.rank[part] = table["rank"].to_numpy()
        start += shard.rows
    return clusters


def keys_of(dataset: Dataset, rows: npt.NDArray[np.integer]) -> pa.Array:
    """Return the keys of some rows, whose numbers ascend: large_string (M,). Reads the shards that hold one of them."""
    parts, start = [pa.array([], pa.large_string())], 0
    for file, shard in zip(dataset.files, dataset.shards, strict=True):
        first, last = np.searchsorted(rows, [start, start + shard.rows])
        if last > first:
            keys = read_shard(file, ["key"])["key"].take(pa.array(rows[first:last] - start))
            parts.append(keys.combine_chunks().cast(pa.large_string()))  # all together may pass 2 GiB
        start += shard.rows
    return pa.concat_arrays(parts)


class _CopiedKeys(NamedTuple):
    """The rows that have copies, int32 (M,), ascending, and their keys."""

    rows: npt.NDArray[np.int32]
    keys: pa.Array


def _copied_keys(dataset: Dataset, duplicate_of: npt.NDArray[np.int32] | None) -> _CopiedKeys:
    if duplicate_of is None:
        return _CopiedKeys(np.empty(0, np.int32), pa.array([], pa.large_string()))
    is_copied = np.zeros(dataset.rows, np.bool_)
    is_copied[duplicate_of[duplicate_of >= 0]] = True
    rows = np.flatnonzero(is_copied).astype(np.int32)
    return _CopiedKeys(rows, keys_of(dataset, rows))


def _table(keys: pa.ChunkedArray, decisions: Decisions, copied: _CopiedKeys, start: int) -> pa.Table:
    """Return the decisions on the rows of a shard, which begin at ``start``."""
    part, nothing = slice(start, start + len(keys)), np.full(len(keys), -1)
    reason = decisions.reason[part]
    copy_of = nothing if decisions.duplicate_of is None else decisions.duplicate_of[part]
    rank = nothing if decisions.rank is None else decisions.rank[part]
    copied_at = pa.array(np.searchsorted(copied.rows, copy_of), mask=copy_of < 0)
    columns = [
        keys,
        pa.array(decisions.keep[part]),
        pa.array(list(decisions.reasons), pa.string()).take(pa.array(reason, mask=reason < 0)),
        copied.keys.take(copied_at).cast(pa.string()),
        pa.array(copy_of.astype(np.int64), mask=copy_of < 0),
        pa.array(rank.astype(np.int64), mask=rank < 0),
    ]
    return pa.table(columns, schema=DECISION_SCHEMA)
