"""Reading ranges of rows, one after the other, from any source."""

import contextlib
from collections.abc import Iterator

import pyarrow as pa

from diptych.curate.sources.contract import RowRange, RowSource, Tables
from diptych.errors import DataError


def _no_tables() -> Tables:
    yield from ()


class RangeReader:
    """Reads ranges of rows; where a range begins where the last one ended, it reads on.

    So a file that can only be read from its beginning is read once by a worker that does its shards in order.
    """

    def __init__(self, source: RowSource) -> None:
        """Read from ``source``."""
        self._source = source
        self._files: tuple[str, ...] = ()
        self._next = 0  # the row with which the next table begins
        self._tables: Tables = _no_tables()
        self._rest: pa.Table | None = None

    def read(self, rows: RowRange) -> Iterator[pa.Table]:
        """Yield the rows of a range in order.

        Raises:
            DataError: If they cannot be read, or are not there any more.
        """
        self._go_to(rows)
        while self._next < rows.stop:
            table = self._rest if self._rest is not None else next(self._tables, None)
            if table is None:
                raise DataError(
                    f"{rows.files[0]}: has changed while it was read: it ends with row {self._next}; run again"
                )
            first, last = max(rows.start - self._next, 0), min(rows.stop - self._next, table.num_rows)
            self._rest = table.slice(last) if last < table.num_rows else None
            self._next += last
            if first < last:
                yield table.slice(first, last - first)

    def close(self) -> None:
        """Close the file that is being read."""
        self._tables.close()

    def _go_to(self, rows: RowRange) -> None:
        is_ahead = rows.files == self._files and rows.start >= self._next
        if is_ahead and (rows.start == self._next or not self._source.jumps(rows.files[0])):
            return
        self.close()
        self._files, self._next, self._rest = rows.files, rows.start, None
        self._tables = self._source.tables(rows.files, rows.start)


def first_table(source: RowSource) -> pa.Table | None:
    """Return the first rows of a source, which show its columns; None if it has none.

    Raises:
        DataError: If it cannot be read.
    """
    for part in source.parts():
        with contextlib.closing(source.tables(part.files)) as tables:
            for table in tables:
                return table
    return None
