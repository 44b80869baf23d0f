"""Export: the kept rows as a new dataset directory, their score columns beside the data.

Output shard j holds the kept rows j * rows_per_shard and following, so that every shard can be written by itself.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.config.identity import fingerprint
from diptych.curate.config import Export
from diptych.data.dataset import ColumnSet, Dataset, open_dataset, seal_dataset
from diptych.data.shards import (
    DATA_COLUMNS,
    MANIFEST_OF,
    Journal,
    ShardInfo,
    read_json,
    read_shard,
    remove_temporary_files,
    shard_name,
    with_huggingface_metadata,
    write_shard,
)
from diptych.errors import ShardError
from diptych.progress import track

NOT_EXPORTED = ("key", "reason")


@dataclass(frozen=True)
class Selection:
    """What to export.

    Attributes:
        dataset: The pool.
        keep: bool (N,) over its rows.
        sets: Score sets by label, whose columns are written beside the data.
        made_by: How the selection was made, for the manifest; decides the fingerprint with the data.
    """

    dataset: Dataset
    keep: npt.NDArray[np.bool_]
    sets: Mapping[str, ColumnSet]
    made_by: Mapping[str, Any]


def export(selection: Selection, target: Path, settings: Export, *, progress: str = "auto") -> tuple[Dataset, int]:
    """Write the kept rows to ``target``; return the dataset and how many shards had to be written.

    A finished export of another selection is replaced only once the new one is whole.

    Raises:
        ShardError: If ``target`` is something that export has not made.
    """
    identity = fingerprint(
        {
            "data": selection.dataset.fingerprint,
            "sets": {label: column_set.manifest["identity"] for label, column_set in selection.sets.items()},
            "made_by": dict(selection.made_by),
            "settings": settings.model_dump(mode="json"),
        }
    )
    if _is_export_of(target, identity):
        shutil.rmtree(target.with_name(f".{target.name}.former"), ignore_errors=True)
        return open_dataset(target), 0
    if target.exists() and not _is_export(target):
        raise ShardError(f"{target}: is there already and was not made by export; give another place")
    own = [name for name in MANIFEST_OF if (target / name).is_dir()]
    if own:
        raise ShardError(f"{target}: holds {own[0]} of its own, which another selection would lose; move it away first")
    growing, former = target.with_name(f".{target.name}.growing"), target.with_name(f".{target.name}.former")
    shutil.rmtree(former, ignore_errors=True)
    infos, written = _write_all(selection, growing, settings, identity, progress)
    facts = {"kind": "pairs", "name": selection.dataset.manifest.get("name"), "licence": settings.licence}
    made_by = {"step": "export", "fingerprint": identity, "from": selection.dataset.fingerprint, **selection.made_by}
    seal_dataset(growing, infos, {**facts, "made_by": made_by})
    Journal(growing / "data", identity, what="another selection").close()
    if target.exists():
        target.rename(former)  # at once, so that a kill leaves no half of it under its name
    growing.rename(target)
    shutil.rmtree(former, ignore_errors=True)
    return open_dataset(target), written


def plan_shards(keep: npt.NDArray[np.bool_], rows_per_shard: int) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the row numbers of each output shard; one empty shard where nothing is kept.

    >>> [rows.tolist() for rows in plan_shards(np.array([True, False, True, True]), 2)]
    [[0, 2], [3]]
    """
    rows = np.flatnonzero(keep)
    for start in range(0, max(len(rows), 1), rows_per_shard):
        yield rows[start : start + rows_per_shard]


def _write_all(
    selection: Selection, growing: Path, settings: Export, identity: str, progress: str
) -> tuple[list[ShardInfo], int]:
    if growing.exists() and not _fits(growing, identity):
        shutil.rmtree(growing)
    journal = Journal(growing / "data", identity, what="another selection")
    remove_temporary_files(growing / "data")
    infos, written = [], 0
    with track("export", int(selection.keep.sum()), mode=progress) as tracker:
        for index, rows in enumerate(plan_shards(selection.keep, settings.rows_per_shard)):
            info = journal.finished(shard_name(index))
            if info is None:
                info = write_shard(_take(selection, rows, settings), growing / "data" / shard_name(index))
                journal.commit(info)
                written += 1
            infos.append(info)
            tracker.advance(info.rows, {"ok": info.rows})
    return infos, written


def _fits(growing: Path, identity: str) -> bool:
    try:
        Journal(growing / "data", identity, what="another selection")
    except ShardError:
        return False
    return True


def _take(selection: Selection, rows: npt.NDArray[np.int64], settings: Export) -> pa.Table:
    """Return the rows, which may lie in several shards of the pool, with their score columns."""
    bounds = np.cumsum([0, *(shard.rows for shard in selection.dataset.shards)])
    first, last = np.searchsorted(bounds, [rows[0], rows[-1]], side="right") - 1 if len(rows) else (0, 0)
    parts = []
    for shard in range(int(first), int(last) + 1):
        inside = rows[(rows >= bounds[shard]) & (rows < bounds[shard + 1])] - bounds[shard]
        if len(inside) or shard == first:
            parts.append(_with_scores(selection, shard, pa.array(inside), settings))
    table = pa.concat_tables(parts).combine_chunks()
    return table.replace_schema_metadata(with_huggingface_metadata(table.schema.remove_metadata()).metadata)


def _with_scores(selection: Selection, shard: int, rows: pa.Array, settings: Export) -> pa.Table:
    table = read_shard(selection.dataset.files[shard]).take(rows)
    for label, column_set in selection.sets.items():
        scores = read_shard(column_set.files[shard])
        for name in scores.column_names:
            if name in NOT_EXPORTED or (settings.columns is not None and name not in settings.columns):
                continue
            # Two scores may have a column of the same name, e.g. the similarity under two encoders.
            final = name if name not in table.column_names and name not in DATA_COLUMNS else f"{label}_{name}"
            table = table.append_column(final, scores[name].take(rows))
    return table


def _is_export(target: Path) -> bool:
    manifest = target / "dataset.json"
    return manifest.is_file() and read_json(manifest).get("made_by", {}).get("step") == "export"


def _is_export_of(target: Path, identity: str) -> bool:
    if not _is_export(target) or read_json(target / "dataset.json")["made_by"].get("fingerprint") != identity:
        return False
    try:
        open_dataset(target)
    except ShardError:  # a shard was lost: all of it can be made again
        return False
    return True
