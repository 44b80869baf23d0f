"""The work of an import: the rows of one shard, from their files to one; a few pictures are in memory at a time."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import pyarrow as pa

from diptych.data.growing import staged
from diptych.data.shards import ShardInfo, write_shard
from diptych.errors import DataError
from diptych.generate.imported.found_images import SourceFolder
from diptych.generate.imported.looking import read_picture
from diptych.generate.imported.rows import ImportedRow, RowPicture, picture_of, to_table
from diptych.generate.imported.tiles import GRIDS, Grids
from diptych.jobs.contract import Report
from diptych.storage.location import Location

TABLE_ROWS = 100
TABLE_BYTES = 16 * 2**20


class ImportTask(NamedTuple):
    """A shard to be written: its file, what it is made from, its rows, and whether it takes the place of one."""

    name: str
    source: str
    rows: tuple[ImportedRow, ...]
    replaces: bool


class ImportedShard(NamedTuple):
    """A shard that was written."""

    info: ShardInfo
    replaces: bool


@dataclass(frozen=True)
class ImportJob:
    """Writes shards of an import into a directory."""

    source: SourceFolder
    data: Location
    schema: pa.Schema
    grid: tuple[int, int]  # images of a file, across and down
    uses_gpu: ClassVar[bool] = False

    def open(self, report: Report) -> Callable[[ImportTask], ImportedShard]:
        """Return the function that writes one shard."""
        grids = Grids(self.data.parent / GRIDS, self.grid)
        return lambda task: self._write(task, grids, report)

    def _write(self, task: ImportTask, grids: Grids, report: Report) -> ImportedShard:
        place = self.data / task.name
        target = staged(place) if task.replaces else place
        info = write_shard(self._tables(task.rows, grids, report), target, source=task.source)
        return ImportedShard(replace(info, name=task.name), task.replaces)

    def _tables(self, rows: Sequence[ImportedRow], grids: Grids, report: Report) -> Iterator[pa.Table]:
        part: list[tuple[ImportedRow, RowPicture]] = []
        size = 0
        for row in rows:
            part.append((row, self._picture(row, grids)))
            size += len(part[-1][1].data or b"")
            if len(part) == TABLE_ROWS or size > TABLE_BYTES:
                yield self._table(part, report)
                part, size = [], 0
        if part or not rows:
            yield self._table(part, report)

    def _table(self, part: Sequence[tuple[ImportedRow, RowPicture]], report: Report) -> pa.Table:
        table = to_table(self.schema, [row for row, _ in part], [picture for _, picture in part])
        report(len(part), Counter(table["status"].to_pylist()))
        return table

    def _picture(self, row: ImportedRow, grids: Grids) -> RowPicture:
        """Return the picture of a row.

        Raises:
            DataError: If its file is another one than was looked at.
        """
        placed = row.placed
        if row.file is None or not row.sha256:
            return RowPicture(None, None, None, placed.status, placed.error)
        if row.tile is not None and grids.holds(row.sha256):
            return grids.tile(row.tile)
        data = read_picture(self.source, row.file)
        if not isinstance(data, bytes) or hashlib.sha256(data).hexdigest() != row.sha256:
            raise DataError(f"{self.source.path(row.file)}: has changed while it was read; run again")
        if row.tile is None:
            return picture_of(data)
        grids.take(data, row.sha256)
        return grids.tile(row.tile)
