"""A dataset with its scores and decisions as one table that is read column by column.

Column sets lie in the rows and the order of the data, so they are put side by side by position and never joined on a
key. Nothing is read before somebody asks for it, pictures only by their name, and what is read has been found to be
what was written. Decides nothing about what a column means; how SQL sees the table is in ``sql``.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.data.column_names import DATA, find_name, full_name
from diptych.data.damage import Extent, ShardFile, check_content
from diptych.data.dataset import ColumnSet, Dataset
from diptych.data.labels import labelled_sets
from diptych.data.schema import ARROW_TYPES, DECISION_SCHEMA, IMAGE, data_schema
from diptych.data.shards import reading
from diptych.data.unfinished import unfinished_score
from diptych.errors import ConfigError
from diptych.storage.location import Location

RowNumbers = npt.NDArray[np.int64]

KEY, PICTURE = "key", "image"
REASON = "reason"  # of a score: why a row has no value
DECISIONS = ("dedup", "select")


@dataclass(frozen=True)
class TableColumn:
    """One column.

    Attributes:
        name: ``label.column`` of a score or decision; of the data the column's own.
        label: Of its set; ``data`` for the data.
        column: Its own name.
        type: On disk.
        facts: What its score says of it: description, unit, low, high, direction. Empty for data and decisions.
        identity: Of its score or decision. Empty for the data.
    """

    name: str
    label: str
    column: str
    type: pa.DataType
    facts: Mapping[str, Any] = field(default_factory=dict)
    identity: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DatasetTable:
    """A dataset and some column sets beside it, each under its label."""

    dataset: Dataset
    sets: Mapping[str, ColumnSet] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.dataset.rows

    @cached_property
    def columns(self) -> Mapping[str, TableColumn]:
        """All columns by name but the pictures, those of the data first."""
        own = [each for each in self.data_schema if each.name != PICTURE]
        found = {each.name: TableColumn(each.name, DATA, each.name, each.type) for each in own}
        for label, column_set in self.sets.items():
            found |= {column.name: column for column in columns_of(label, column_set)}
        return found

    @cached_property
    def data_schema(self) -> pa.Schema:
        """The columns of the data, the pictures among them.

        Raises:
            ShardError: If its first shard is not what was written.
        """
        if not self.dataset.shards:
            return data_schema()
        (first,) = self._checked(DATA, [0], "columns")
        with reading(first) as parquet:
            return parquet.schema_arrow

    def find(self, name: str, *, what: str = "column", among: Callable[[TableColumn], bool] = bool) -> TableColumn:
        """Return a column by its name, or by a score's own name for it where only one score has that.

        Args:
            name: Of the column.
            what: The kind of column, for the message.
            among: Which columns count.

        Raises:
            ConfigError: If there is none, or more than one.
        """
        known = {each: column for each, column in self.columns.items() if among(column)}
        try:
            return known[find_name(name, known, what=what, same=lambda each: self._place(known[each]))]
        except ConfigError:
            if said := unfinished_score(self.dataset, name):
                raise ConfigError(f"unknown {what} {name!r}: {said}") from None
            raise

    def read(self, names: Sequence[str], rows: RowNumbers | None = None) -> pa.Table:
        """Return some columns, of all rows or of some; no other column is read.

        Args:
            names: Of columns; ``image`` for the pictures.
            rows: Numbers of rows, in the order that is wanted.

        Raises:
            ShardError: If a shard is not what was written.
        """
        places = {name: _PICTURES if name == PICTURE else self.columns[name] for name in names}
        read: dict[str, pa.ChunkedArray] = {}
        for label in dict.fromkeys(column.label for column in places.values()):
            own = {name: column.column for name, column in places.items() if column.label == label}
            table = self._read(label, list(dict.fromkeys(own.values())), rows)
            read |= {name: table[column] for name, column in own.items()}
        return pa.table({name: read[name] for name in names})

    def column(self, name: str, rows: RowNumbers | None = None) -> pa.ChunkedArray:
        """Return one column, as ``read`` does."""
        return self.read([name], rows)[name]

    def reasons(self, name: str, rows: RowNumbers | None = None) -> pa.ChunkedArray:
        """Return why a column of a score has no value, by row; null where it has one, or where nobody says."""
        found, label = self.column(name, rows), self.columns[name].label
        if label == DATA:
            return pa.chunked_array([pa.nulls(len(found), pa.string())])
        return pc.if_else(pc.is_null(found), self._read(label, [REASON], rows)[REASON], pa.scalar(None, pa.string()))

    def places(self, rows: RowNumbers | None = None) -> pa.Table:
        """Return ``shard``, the name of the file, and ``shard_row``, the number in it, of all rows or of some."""
        sizes = [shard.rows for shard in self.dataset.shards]
        number = np.repeat(np.arange(len(sizes)), sizes)
        within = np.arange(len(self), dtype=np.int64) - np.cumsum([0, *sizes])[number]
        if rows is not None:
            number, within = number[rows], within[rows]
        names = pa.array([shard.name for shard in self.dataset.shards], pa.string())
        return pa.table({"shard": names.take(pa.array(number)), "shard_row": pa.array(within, pa.int32())})

    def check(self, labels: Iterable[str] | None = None, *, progress: str = "none") -> None:
        """Look at the content of the data but its pictures, and of some sets, before something is computed from them.

        Args:
            labels: Of the sets; None takes all.
            progress: Display mode, see ``diptych.progress``.

        Raises:
            ShardError: If a file is not what was written; names it.
        """
        self.dataset.check("columns", progress=progress)
        for label in self.sets if labels is None else labels:
            self.sets[label].check(progress=progress)

    def _place(self, column: TableColumn) -> Hashable:
        """Return where a column lies, whatever it is called."""
        return self._owner(column.label).location, column.column

    def _owner(self, label: str) -> Dataset | ColumnSet:
        return self.dataset if label == DATA else self.sets[label]

    def _checked(self, label: str, numbers: Iterable[int], extent: Extent) -> list[Location]:
        """Return some files of the data or of a set, once they are known to be what was written."""
        owner = self._owner(label)
        every = [ShardFile(owner.files[number], owner.shards[number]) for number in numbers]
        check_content(every, extent)
        return [each.file for each in every]

    def _read(self, label: str, columns: Sequence[str], rows: RowNumbers | None) -> pa.Table:
        """Return columns of the data or of a set by their own names."""
        starts = np.cumsum([0, *(shard.rows for shard in self.dataset.shards)])
        chosen: dict[int, RowNumbers | None] = dict.fromkeys(range(len(starts) - 1))
        if rows is not None:
            order = np.argsort(rows, kind="stable")
            cuts = np.searchsorted(rows[order], starts)
            chosen = {
                number: rows[order][first:last] - starts[number]
                for number, (first, last) in enumerate(pairwise(cuts.tolist()))
                if last > first
            }
        extent: Extent = "columns" if label == DATA and PICTURE not in columns else "whole"
        files = self._checked(label, chosen, extent)
        parts = [part for file, own in zip(files, chosen.values(), strict=True) for part in _rows(file, columns, own)]
        table = pa.concat_tables([self._schema(label, columns).empty_table(), *parts])
        return table if rows is None else table.take(pa.array(np.argsort(order, kind="stable")))

    def _schema(self, label: str, columns: Sequence[str]) -> pa.Schema:
        types = {each.name: each.type for each in self.data_schema} if label == DATA else {REASON: pa.string()}
        if label != DATA:
            types |= {column.column: column.type for column in columns_of(label, self.sets[label])}
        return pa.schema([(name, types[name]) for name in columns])


_PICTURES = TableColumn(PICTURE, DATA, PICTURE, IMAGE)


def open_table(dataset: Dataset) -> DatasetTable:
    """Return a dataset with its scores, each under its labels, and what dedup and select decided about it.

    Raises:
        ShardError: If a manifest is damaged, or two scores have one label.
    """
    decided = {name: dataset.column_set("decisions", name) for name in DECISIONS}
    found = {name: column_set for name, column_set in decided.items() if column_set is not None}
    return DatasetTable(dataset, {**labelled_sets(dataset), **found})


def columns_of(label: str, column_set: ColumnSet) -> list[TableColumn]:
    """Return the columns of a score, or of what a step decided, under a label."""
    identity = column_set.manifest["identity"]
    scored = column_set.manifest.get("columns")
    if scored is None:
        kinds = {each.name: each.type for each in DECISION_SCHEMA if each.name != KEY}
        return [TableColumn(full_name(label, name), label, name, kind, {}, identity) for name, kind in kinds.items()]
    return [
        TableColumn(full_name(label, each["name"]), label, each["name"], ARROW_TYPES[each["dtype"]], each, identity)
        for each in scored
    ]


def _rows(place: Location, columns: Sequence[str], rows: RowNumbers | None) -> Iterator[pa.Table]:
    """Yield columns of a shard, of all its rows or of some, ascending; a row group without any of those is not read."""
    start = 0
    with reading(place) as parquet:
        for group in range(parquet.num_row_groups):
            stop = start + parquet.metadata.row_group(group).num_rows
            own = None if rows is None else rows[(rows >= start) & (rows < stop)] - start
            if own is None or len(own):
                table = parquet.read_row_group(group, columns=list(columns)).select(columns)
                yield table if own is None else table.take(pa.array(own))
            start = stop
