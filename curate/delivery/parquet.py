"""Export: the kept rows as a new dataset directory, their score columns beside the data.

Rows stream from the pool to the export one row group at a time, and a shard ends where it has enough rows or bytes, so
that memory stays bounded whatever the pictures are. The rows that a shard begins with follow from the shards before it.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.addresses import Address
from diptych.config.identity import fingerprint
from diptych.curate.config import Export
from diptych.curate.rules.built_in import heic_left_out
from diptych.data.card import CARD
from diptych.data.claims import claimed
from diptych.data.column_names import export_name, find_name, full_name
from diptych.data.damage import ShardFile, sound
from diptych.data.dataset import Dataset, open_dataset
from diptych.data.growing import Growing, grow_data, seal_data, sealed_data
from diptych.data.manifests import DATASET
from diptych.data.schema import with_huggingface_metadata
from diptych.data.shards import read_groups, read_shard, row_sizes, shard_name, write_shard
from diptych.data.table import DatasetTable, TableColumn
from diptych.errors import ConfigError, DataError, ShardError
from diptych.progress import track
from diptych.progress.wording import quantity
from diptych.storage.location import Location
from diptych.storage.locks import LOCK

STEP = "export"
WHERE = "export.columns: "  # what is said of a wrong name there


@dataclass(frozen=True)
class Selection:
    """What to export.

    Attributes:
        table: The pool with its scores.
        keep: bool (N,) over its rows.
        columns: Columns of scores that are written beside the data, by the names that they have there.
        made_by: How the selection was made, for the manifest; decides the fingerprint with the data.
    """

    table: DatasetTable
    keep: npt.NDArray[np.bool_]
    columns: Mapping[str, TableColumn]
    made_by: Mapping[str, Any]


class Exported(NamedTuple):
    """What ``export`` leaves: the dataset, how many shards had to be written, and where the former export is kept."""

    dataset: Dataset
    written: int
    kept: Location | None = None


def export_names(
    pairs: Iterable[tuple[str, str]], wanted: Sequence[str] | None, *, data: Iterable[str]
) -> dict[str, str]:
    """Return the names that columns of scores have in an export: name there -> ``label.column``.

    Args:
        pairs: Label and column of each that there is.
        wanted: Names of those to write; None takes all.
        data: The names of the columns of the data, beside which they stand.

    Raises:
        ConfigError: If one that is wanted is not there, or its name in the export is taken.
    """
    known = {full_name(*pair): export_name(*pair) for pair in pairs}
    names = list(known) if wanted is None else [find_name(one, known, what="column", where=WHERE) for one in wanted]
    found: dict[str, str] = {}
    taken = {one.casefold() for one in data}
    for name in dict.fromkeys(names):
        if known[name].casefold() in taken:
            raise ConfigError(f"export: {known[name]!r} is there already; give the score of {name!r} another label")
        found[known[name]] = name
        taken.add(known[name].casefold())
    return found


def exported_columns(table: DatasetTable, wanted: Sequence[str] | None) -> dict[str, TableColumn]:
    """Return columns of scores by the names that they have in an export, see ``export_names``."""
    pairs = [(column.label, column.column) for column in table.columns.values() if column.facts]
    names = export_names(pairs, wanted, data=table.data_schema.names)
    return {name: table.columns[full] for name, full in names.items()}


def export(selection: Selection, address: Address, settings: Export, *, progress: str = "auto") -> Exported:
    """Write the kept rows as a dataset of its own.

    A finished export of another selection is replaced only once the new one is whole. It is kept beside it where
    somebody has added something to it, such as the scores of an evaluation.

    Raises:
        DataError: If no row is kept: no loader opens a dataset without rows.
        ShardError: If ``address`` is something that export has not made, or the pool is not what was written.
    """
    target, dataset = Location.at(address), selection.table.dataset
    _check_kept(selection, target)
    identity = fingerprint(
        {
            "data": dataset.fingerprint,
            "columns": {name: [column.column, column.identity] for name, column in selection.columns.items()},
            "made_by": dict(selection.made_by),
            "settings": settings.model_dump(mode="json"),
        }
    )
    growing_at, former = (target.parent / f".{target.name}.{state}" for state in ("growing", "former"))
    finished = sealed_data(target, identity, progress=progress)
    if finished is not None:
        former.remove_everything()
        return Exported(finished, 0)
    if target.is_store:
        return Exported(*_export_to_store(selection, target, identity, settings, progress))
    kept = None
    with claimed(target, STEP) if target.exists() else nullcontext():  # not where nothing is replaced
        former.remove_everything()
        if grow_data(target, STEP, identity).made_from == identity:  # damaged: what is whole of it stays
            growing_at.remove_everything()
            target.move_to(growing_at)
        written = _make(selection, growing_at, settings, identity, progress)
        if target.exists():
            kept = _free_place(target) if _has_own(target) else None
            target.move_to(kept or former)
        (growing_at / LOCK).remove()
        growing_at.move_to(target)
        former.remove_everything()
    return Exported(open_dataset(target), written, kept)


def _export_to_store(
    selection: Selection, target: Location, identity: str, settings: Export, progress: str
) -> tuple[Dataset, int]:
    """Write an export where nothing can be replaced at once: in its place, if no other lies there.

    Raises:
        ShardError: If one does.
    """
    if grow_data(target, STEP, identity).made_from not in (None, identity):
        said = "holds the export of another selection, and in a store nothing is replaced as a whole"
        raise ShardError(f"{target}: {said}; remove it, or give another --out")
    written = _make(selection, target, settings, identity, progress)
    return open_dataset(target), written


def _make(selection: Selection, location: Location, settings: Export, identity: str, progress: str) -> int:
    """Write the export as a dataset, or go on with it; return how many shards were written."""
    dataset = selection.table.dataset
    for label in dict.fromkeys(column.label for column in selection.columns.values()):
        selection.table.sets[label].check(progress=progress)
    growing = grow_data(location, STEP, identity)
    growing.begin(keep=growing.made_from == identity, progress=progress)
    names, written = _write_all(selection, growing, settings, progress)
    facts: dict[str, Any] = {"kind": "pairs", "name": dataset.manifest.get("name"), "licence": settings.licence}
    facts["scores"] = {name: _facts_of(column) for name, column in selection.columns.items()}
    made_by = {"from": dataset.fingerprint, **selection.made_by}
    seal_data(growing, {**facts, "made_by": made_by}, names)
    return written


def _write_all(selection: Selection, growing: Growing, settings: Export, progress: str) -> tuple[list[str], int]:
    """Write what is not finished; return the names of all shards and how many were written."""
    names: list[str] = []
    written, start, total = 0, 0, int(selection.keep.sum())
    with track("export", total, mode=progress) as tracker:
        while start < total:
            name = shard_name(len(names))
            info = growing.finished(name, source=str(start))
            if info is None:
                rows = _shard_rows(selection, start, settings)
                info = write_shard(rows, growing.directory / name, source=str(start))
                growing.commit(info)
                written += 1
            names.append(name)
            start += info.rows
            tracker.advance(info.rows, {"ok": info.rows})
    return names, written


def rows_per_shard(total: int, settings: Export) -> int:
    """Return how many rows a shard has at most: as many as the settings say, fewer where shards would be too few.

    >>> rows_per_shard(1_000_000, Export()), rows_per_shard(1000, Export())
    (10000, 125)
    """
    return max(1, min(settings.rows_per_shard, -(-total // settings.min_shards)))


def _check_kept(selection: Selection, target: Location) -> None:
    if not selection.keep.any():
        funnel = selection.made_by.get("funnel", [])
        left = ", ".join(f"{step['rule']} leaves {step['rows_out']:,}" for step in funnel)
        stale = "; what is there is an earlier selection" if target.exists() else ""
        lost = f" ({left})" if left else ""
        none = f"none of {quantity(len(selection.keep), 'row')}"
        heic = heic_left_out(funnel)
        raise DataError(f"{target}: {none} is kept{lost}: nothing to export{f' ({heic})' if heic else ''}{stale}")


def _has_own(target: Location) -> bool:
    """Return whether somebody has added something to an export, such as scores."""
    return any(child.name not in (DATASET, CARD, "data") for child in target.children())


def _free_place(target: Location) -> Location:
    """Return the first place beside an export that is free for a former one."""
    places = (target.parent / f"{target.name}-former-{number}" for number in itertools.count(1))
    return next(place for place in places if not place.exists())


def _shard_rows(selection: Selection, start: int, settings: Export) -> Iterator[pa.Table]:
    """Yield the rows of the shard that begins with the kept row ``start``."""
    most = rows_per_shard(int(selection.keep.sum()), settings)
    rows, size = 0, 0
    for table in _kept_rows(selection, start):
        sizes = list(itertools.accumulate(row_sizes(table), initial=size))[1:]
        taken = sum(rows + number < most and total <= settings.bytes_per_shard for number, total in enumerate(sizes))
        if rows == 0 and sizes:
            taken = max(taken, 1)  # a row that is too large by itself is a shard of its own
        yield table.slice(0, taken)
        if taken < table.num_rows:
            return
        rows, size = rows + taken, sizes[-1] if sizes else size


def _kept_rows(selection: Selection, start: int) -> Iterator[pa.Table]:
    """Yield the kept rows from the kept row ``start`` on with their scores, a row group of the pool at a time."""
    before, first = 0, 0
    for number, shard in enumerate(selection.table.dataset.shards):
        keep = selection.keep[first : first + shard.rows]
        first += shard.rows
        kept = int(keep.sum())
        if before + kept > start:
            rows = np.flatnonzero(keep)[max(start - before, 0) :]
            yield from _rows_of_shard(selection, number, rows)
        before += kept


def _rows_of_shard(selection: Selection, number: int, rows: npt.NDArray[np.int64]) -> Iterator[pa.Table]:
    dataset = selection.table.dataset
    columns = _score_columns(selection, number)
    start = 0
    with sound(ShardFile(dataset.files[number], dataset.shards[number])) as place:
        for group in read_groups(place):
            inside = rows[(rows >= start) & (rows < start + group.num_rows)]
            if len(inside):
                table = group.take(pa.array(inside - start))
                for name, column in columns.items():
                    table = table.append_column(name, column.take(pa.array(inside)))
                yield table.replace_schema_metadata(with_huggingface_metadata(table.schema.remove_metadata()).metadata)
            start += group.num_rows


def _score_columns(selection: Selection, number: int) -> dict[str, pa.ChunkedArray]:
    """Return the score columns of one shard by the names that they have in the export."""
    by_label: dict[str, list[str]] = {}
    for column in selection.columns.values():
        by_label.setdefault(column.label, []).append(column.column)
    read = {label: read_shard(selection.table.sets[label].files[number], own) for label, own in by_label.items()}
    return {name: read[column.label][column.column] for name, column in selection.columns.items()}


def _facts_of(column: TableColumn) -> dict[str, Any]:
    """Return what the manifest of an export says of a score's column."""
    return {**column.facts, "name": column.name, "identity": dict(column.identity)}
