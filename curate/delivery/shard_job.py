"""The job of an export: to write one of its shards from rows of the pool and what is beside them.

A shard ends where it has enough rows or bytes, which is seen while it is written. Rows stream from the pool one row
group at a time, so that memory stays bounded whatever the pictures are.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.data.damage import ShardFile, sound
from diptych.data.schema import with_huggingface_metadata
from diptych.data.shards import ShardInfo, read_groups, read_shard, row_sizes, shard_name, write_shard
from diptych.jobs.contract import Report
from diptych.storage.location import Location

RowsOfShard = npt.NDArray[np.int32]


class ColumnBeside(NamedTuple):
    """A column of a score, by the label of that and its own name."""

    label: str
    column: str


class PoolRows(NamedTuple):
    """Some rows of one shard of the pool.

    Attributes:
        shard: The shard.
        beside: The files of scores in the same rows, by label.
        rows: int32 (N,), in order.
    """

    shard: ShardFile
    beside: Mapping[str, Location]
    rows: RowsOfShard


class ExportTask(NamedTuple):
    """A shard that is to be written.

    Attributes:
        number: Of the shard.
        start: The row of the export that it begins with.
        pieces: Where its rows lie; more than a shard holds, where bytes are its limit.
    """

    number: int
    start: int
    pieces: Sequence[PoolRows]

    @property
    def name(self) -> str:
        """File name of the shard."""
        return shard_name(self.number)

    @property
    def source(self) -> str:
        """What its entry says that it was made from."""
        return str(self.start)


@dataclass(frozen=True)
class ExportJob:
    """Writes one shard after the other.

    Attributes:
        directory: Where they are written.
        columns: Of scores that stand beside the data, by the names that they have there.
        bytes: Of pictures and texts that a shard holds at most, but for one larger row.
    """

    directory: Location
    columns: Mapping[str, ColumnBeside]
    bytes: int
    uses_gpu: ClassVar[bool] = False

    def open(self, report: Report) -> Callable[[ExportTask], ShardInfo]:
        """Return the function that writes one shard."""

        def write(task: ExportTask) -> ShardInfo:
            tables = _until_full(rows_of(task.pieces, self.columns), self.bytes)
            info = write_shard(tables, self.directory / task.name, source=task.source)
            report(info.rows, {"ok": info.rows})
            return info

        return write


@dataclass(frozen=True)
class SizesJob:
    """Says how large rows would be in an export; reads their pictures for it."""

    columns: Mapping[str, ColumnBeside]
    uses_gpu: ClassVar[bool] = False

    def open(self, report: Report) -> Callable[[tuple[int, PoolRows]], tuple[int, npt.NDArray[np.uint32]]]:
        """Return the function that says it of some rows, which have a number, and returns uint32 (N,) with that."""

        def measure(task: tuple[int, PoolRows]) -> tuple[int, npt.NDArray[np.uint32]]:
            number, piece = task
            found = [np.asarray(row_sizes(table), np.uint32) for table in rows_of([piece], self.columns)]
            report(len(piece.rows), {})
            return number, np.concatenate([np.empty(0, np.uint32), *found])

        return measure


def rows_of(pieces: Sequence[PoolRows], columns: Mapping[str, ColumnBeside]) -> Iterator[pa.Table]:
    """Yield rows of the pool with their scores, a row group of the pool at a time.

    Raises:
        ShardError: If a shard is not what was written.
    """
    for piece in pieces:
        beside = _score_columns(piece, columns)
        start = 0
        with sound(piece.shard) as place:
            for group in read_groups(place):
                inside = piece.rows[(piece.rows >= start) & (piece.rows < start + group.num_rows)]
                if len(inside):
                    table = group.take(pa.array(inside - start))
                    for name, column in beside.items():
                        table = table.append_column(name, column.take(pa.array(inside)))
                    plain = table.schema.remove_metadata()
                    yield table.replace_schema_metadata(with_huggingface_metadata(plain).metadata)
                start += group.num_rows


def fitting(sizes: npt.NDArray[np.uint32], most_bytes: int) -> int:
    """Return how many rows fit into a shard from the first on; at least that one, which may be too large by itself.

    >>> fitting(np.array([5, 5, 5], np.uint32), 10), fitting(np.array([50, 1], np.uint32), 10)
    (2, 1)
    """
    return max(1, int(np.searchsorted(np.cumsum(sizes, dtype=np.int64), most_bytes, side="right")))


def _until_full(tables: Iterator[pa.Table], most_bytes: int) -> Iterator[pa.Table]:
    size, is_first = 0, True
    for table in tables:
        sizes = np.asarray(row_sizes(table), np.int64)
        taken = int(np.searchsorted(size + np.cumsum(sizes), most_bytes, side="right"))
        taken = max(1, taken) if is_first else taken
        yield table.slice(0, taken)
        if taken < table.num_rows:
            return
        size, is_first = size + int(sizes.sum()), False


def _score_columns(piece: PoolRows, columns: Mapping[str, ColumnBeside]) -> dict[str, pa.ChunkedArray]:
    """Return the score columns of a shard by the names that they have in the export."""
    by_label: dict[str, list[str]] = {}
    for column in columns.values():
        by_label.setdefault(column.label, []).append(column.column)
    read = {label: read_shard(piece.beside[label], own) for label, own in by_label.items()}
    return {name: read[column.label][column.column] for name, column in columns.items()}
