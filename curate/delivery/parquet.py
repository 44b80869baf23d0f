"""Export: the kept rows as a new dataset directory, their score columns beside the data.

Rows stream from the pool to the export one row group at a time, and a shard ends where it has enough rows or bytes, so
that memory stays bounded whatever the pictures are. The rows that a shard begins with follow from the shards before it.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.addresses import Address
from diptych.config.identity import fingerprint
from diptych.curate.config import Export
from diptych.data.claims import owner_of
from diptych.data.damage import ShardFile, check_content
from diptych.data.dataset import ColumnSet, Dataset, open_dataset
from diptych.data.growing import Growing, grow_data, seal_data, sealed_data
from diptych.data.manifests import MANIFEST_OF
from diptych.data.schema import with_huggingface_metadata
from diptych.data.shards import read_groups, read_shard, reading, row_sizes, shard_name, write_shard
from diptych.errors import ShardError
from diptych.progress import track
from diptych.storage.location import Location

STEP = "export"
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


def export(selection: Selection, address: Address, settings: Export, *, progress: str = "auto") -> tuple[Dataset, int]:
    """Write the kept rows as a dataset of its own; return the dataset and how many shards had to be written.

    A finished export of another selection is replaced only once the new one is whole.

    Raises:
        ShardError: If ``address`` is something that export has not made, or the pool is not what was written.
    """
    target = Location.at(address)
    identity = fingerprint(
        {
            "data": selection.dataset.fingerprint,
            "sets": {label: column_set.manifest["identity"] for label, column_set in selection.sets.items()},
            "made_by": dict(selection.made_by),
            "settings": settings.model_dump(mode="json"),
        }
    )
    growing_at, former = (target.parent / f".{target.name}.{state}" for state in ("growing", "former"))
    finished = sealed_data(target, identity)
    if finished is not None:
        former.remove_everything()
        return finished, 0
    _check_target(target)
    former.remove_everything()
    if grow_data(target, STEP, identity).made_from == identity:  # damaged: what is whole of it stays
        growing_at.remove_everything()
        target.move_to(growing_at)
    for column_set in selection.sets.values():
        column_set.check(progress=progress)
    growing = grow_data(growing_at, STEP, identity)
    growing.begin(keep=growing.made_from == identity, progress=progress)
    names, written = _write_all(selection, growing, settings, progress)
    facts = {"kind": "pairs", "name": selection.dataset.manifest.get("name"), "licence": settings.licence}
    made_by = {"from": selection.dataset.fingerprint, **selection.made_by}
    seal_data(growing, {**facts, "made_by": made_by}, names)
    if target.exists():
        target.move_to(former)
    growing_at.move_to(target)
    former.remove_everything()
    return open_dataset(target), written


def _write_all(selection: Selection, growing: Growing, settings: Export, progress: str) -> tuple[list[str], int]:
    """Write what is not finished; return the names of all shards and how many were written."""
    names: list[str] = []
    written, start, total = 0, 0, int(selection.keep.sum())
    with track("export", total, mode=progress) as tracker:
        while start < total or not names:
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


def _check_target(target: Location) -> None:
    """Refuse to replace what export has not made, or what somebody added to an export."""
    if target.exists() and owner_of(target) != STEP:
        raise ShardError(f"{target}: is there already and was not made by export; give another place")
    own = [name for name in MANIFEST_OF if (target / name).is_directory()]
    if own:
        raise ShardError(f"{target}: holds {own[0]} of its own, which another selection would lose; move it away first")


def _shard_rows(selection: Selection, start: int, settings: Export) -> Iterator[pa.Table]:
    """Yield the rows of the shard that begins with the kept row ``start``; one empty table where nothing is kept."""
    most = rows_per_shard(int(selection.keep.sum()), settings)
    rows, size = 0, 0
    for table in _kept_rows(selection, start, settings):
        sizes = list(itertools.accumulate(row_sizes(table), initial=size))[1:]
        taken = sum(rows + number < most and total <= settings.bytes_per_shard for number, total in enumerate(sizes))
        if rows == 0 and sizes:
            taken = max(taken, 1)  # a row that is too large by itself is a shard of its own
        yield table.slice(0, taken)
        if taken < table.num_rows:
            return
        rows, size = rows + taken, sizes[-1] if sizes else size


def _kept_rows(selection: Selection, start: int, settings: Export) -> Iterator[pa.Table]:
    """Yield the kept rows from the kept row ``start`` on with their scores, a row group of the pool at a time."""
    before, first = 0, 0
    for number, shard in enumerate(selection.dataset.shards):
        keep = selection.keep[first : first + shard.rows]
        first += shard.rows
        kept = int(keep.sum())
        if before + kept > start or (number == 0 and not selection.keep.any()):
            rows = np.flatnonzero(keep)[max(start - before, 0) :]
            yield from _rows_of_shard(selection, number, rows, settings)
        before += kept


def _rows_of_shard(
    selection: Selection, number: int, rows: npt.NDArray[np.int64], settings: Export
) -> Iterator[pa.Table]:
    file, shard = selection.dataset.files[number], selection.dataset.shards[number]
    check_content([ShardFile(file, shard)])
    with reading(file) as parquet:
        columns = _score_columns(selection, number, settings, parquet.schema_arrow.names)
    start = 0
    for group in read_groups(file):
        inside = rows[(rows >= start) & (rows < start + group.num_rows)]
        if len(inside) or not len(rows):
            table = group.take(pa.array(inside - start))
            for name, column in columns.items():
                table = table.append_column(name, column.take(pa.array(inside)))
            yield table.replace_schema_metadata(with_huggingface_metadata(table.schema.remove_metadata()).metadata)
        start += group.num_rows


def _score_columns(
    selection: Selection, number: int, settings: Export, data: Sequence[str]
) -> dict[str, pa.ChunkedArray]:
    """Return the score columns of one shard by the names that they have in the export, beside those of the data."""
    columns: dict[str, pa.ChunkedArray] = {}
    taken = set(data)
    for label, column_set in selection.sets.items():
        scores = read_shard(column_set.files[number])
        for name in scores.column_names:
            if name in NOT_EXPORTED or (settings.columns is not None and name not in settings.columns):
                continue
            # Two scores may have a column of the same name, e.g. the similarity under two encoders.
            final = name if name not in taken else f"{label}_{name}"
            taken.add(final)
            columns[final] = scores[name]
    return columns
