"""Export: the kept rows as a new dataset directory, their score columns beside the data.

Each shard is a task (``shard_job``), and which rows it begins with is planned (``shard_plan``). Decides where an export
lies, whether it is there, and what takes the place of what.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.addresses import Address
from diptych.config.identity import fingerprint
from diptych.curate.config import Export
from diptych.curate.delivery.shard_job import ColumnBeside, ExportJob, ExportTask
from diptych.curate.delivery.shard_plan import KeptRows
from diptych.curate.rules.built_in import heic_left_out
from diptych.data.card import CARD
from diptych.data.claims import claimed
from diptych.data.column_names import export_name, find_name, full_name
from diptych.data.dataset import Dataset, open_dataset
from diptych.data.growing import Growing, grow_data, seal_data, sealed_data
from diptych.data.manifests import DATASET
from diptych.data.shards import shard_name
from diptych.data.table import DatasetTable, TableColumn
from diptych.errors import ConfigError, DataError, ShardError
from diptych.jobs import run_job
from diptych.jobs.engine import HERE, Engine
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


def export(
    selection: Selection, address: Address, settings: Export, *, engine: Engine = HERE, progress: str = "auto"
) -> Exported:
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
        return Exported(*_export_to_store(selection, target, identity, settings, engine, progress))
    kept = None
    with claimed(target, STEP) if target.exists() else nullcontext():  # not where nothing is replaced
        former.remove_everything()
        if grow_data(target, STEP, identity).made_from == identity:  # damaged: what is whole of it stays
            growing_at.remove_everything()
            target.move_to(growing_at)
        written = _make(selection, growing_at, settings, identity, engine, progress)
        if target.exists():
            kept = _free_place(target) if _has_own(target) else None
            target.move_to(kept or former)
        (growing_at / LOCK).remove()
        growing_at.move_to(target)
        former.remove_everything()
    return Exported(open_dataset(target), written, kept)


def _export_to_store(
    selection: Selection, target: Location, identity: str, settings: Export, engine: Engine, progress: str
) -> tuple[Dataset, int]:
    """Write an export where nothing can be replaced at once: in its place, if no other lies there.

    Raises:
        ShardError: If one does.
    """
    if grow_data(target, STEP, identity).made_from not in (None, identity):
        said = "holds the export of another selection, and in a store nothing is replaced as a whole"
        raise ShardError(f"{target}: {said}; remove it, or give another --out")
    written = _make(selection, target, settings, identity, engine, progress)
    return open_dataset(target), written


def _make(
    selection: Selection, location: Location, settings: Export, identity: str, engine: Engine, progress: str
) -> int:
    """Write the export as a dataset, or go on with it; return how many shards were written."""
    dataset = selection.table.dataset
    for label in dict.fromkeys(column.label for column in selection.columns.values()):
        selection.table.sets[label].check(progress=progress)
    growing = grow_data(location, STEP, identity)
    growing.begin(keep=growing.made_from == identity, progress=progress)
    names, written = _write_all(selection, growing, settings, engine, progress)
    facts: dict[str, Any] = {"kind": "pairs", "name": dataset.manifest.get("name"), "licence": settings.licence}
    facts["scores"] = {name: _facts_of(column) for name, column in selection.columns.items()}
    made_by = {"from": dataset.fingerprint, **selection.made_by}
    seal_data(growing, {**facts, "made_by": made_by}, names)
    return written


def _write_all(
    selection: Selection, growing: Growing, settings: Export, engine: Engine, progress: str
) -> tuple[list[str], int]:
    """Write what is not finished; return the names of all shards and how many were written."""
    total = int(selection.keep.sum())
    columns = {name: ColumnBeside(column.label, column.column) for name, column in selection.columns.items()}
    most_rows = rows_per_shard(total, settings)
    rows = KeptRows(selection.table, selection.keep, columns, most_rows, settings.bytes_per_shard)
    job = ExportJob(growing.directory, columns, settings.bytes_per_shard)
    write = _write_in_order if engine.is_in_order else _write_apart
    return write(rows, growing, job, engine, progress)


def _write_in_order(
    rows: KeptRows, growing: Growing, job: ExportJob, engine: Engine, progress: str
) -> tuple[list[str], int]:
    names: list[str] = []
    with track("export", rows.total, mode=progress) as tracker:

        def tasks() -> Iterator[ExportTask]:
            start = 0
            while start < rows.total:
                task = rows.task(len(names), start)
                if info := growing.finished(task.name, source=task.source):
                    tracker.advance(info.rows, {"ok": info.rows})
                else:
                    yield task
                names.append(task.name)
                start += growing.entries[task.name].rows

        written = 0
        for info in run_job(job, tasks(), engine=engine, report=tracker.advance):
            growing.commit(info)
            written += 1
    return names, written


def _write_apart(
    rows: KeptRows, growing: Growing, job: ExportJob, engine: Engine, progress: str
) -> tuple[list[str], int]:
    """Do it where a shard has to begin before the one before it has ended."""
    starts = rows.by_rows() if rows.are_far_from_bytes() else rows.measured(engine, progress)
    done = _write_from(starts, rows, growing, job, engine, progress)
    if done is None:  # what was written from a wrong row is written again, or goes in the end
        starts = rows.measured(engine, progress)
        done = _write_from(starts, rows, growing, job, engine, progress)
    assert done is not None, "a shard has as many rows as were measured for it"
    return [shard_name(number) for number in range(len(starts))], done


def _write_from(
    starts: Sequence[int], rows: KeptRows, growing: Growing, job: ExportJob, engine: Engine, progress: str
) -> int | None:
    """Write the shards that begin with these rows; return how many, or None once one of them ends too early."""
    expected = dict(zip(map(shard_name, itertools.count()), np.diff([*starts, rows.total]).tolist(), strict=False))
    finished = {name: growing.finished(name, source=str(start)) for name, start in zip(expected, starts, strict=True)}
    there = [info for info in finished.values() if info is not None]
    missing = (rows.task(number, start) for number, start in enumerate(starts) if not finished[shard_name(number)])
    if any(info.rows != expected[info.name] for info in there):
        return None
    done = sum(info.rows for info in there)
    with track("export", rows.total, mode=progress, done=done) as tracker:
        for info in run_job(job, missing, engine=engine, report=tracker.advance):
            growing.commit(info)
            if info.rows != expected[info.name]:
                return None
    return len(starts) - len(there)


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


def _facts_of(column: TableColumn) -> dict[str, Any]:
    """Return what the manifest of an export says of a score's column."""
    return {**column.facts, "name": column.name, "identity": dict(column.identity)}
