"""Tables of bounded size, whatever files they are read from."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from os import SEEK_END
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from diptych.curate.sources.contract import TABLE_BYTES, TABLE_ROWS
from diptych.curate.sources.whole_texts import whole_texts

READ_AHEAD_BYTES = 2**20
FOOTER_END_BYTES = 8  # the length of the footer and "PAR1"

Row = TypeVar("Row")
Made = TypeVar("Made")


def in_tables(rows: Iterable[Row], size_of: Callable[[Row], int], make: Callable[[list[Row]], Made]) -> Iterator[Made]:
    """Yield what is made of as many rows at a time as a table may hold, at least one.

    Args:
        rows: In order.
        size_of: Bytes of a row.
        make: Makes a table, or what a table is made of; when it has, the rows are let go.
    """
    waiting: list[Row] = []
    size = 0
    for row in rows:
        size += size_of(row)
        if waiting and (len(waiting) == TABLE_ROWS or size > TABLE_BYTES):
            made, waiting, size = make(waiting), [], size_of(row)
            yield made
        waiting.append(row)
    if waiting:
        yield make(waiting)


def bounded(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Join tables as far as the bounds allow. One that is larger by itself stays as it is."""
    waiting: list[pa.Table] = []
    rows, size = 0, 0
    for table in tables:
        if waiting and (rows + table.num_rows > TABLE_ROWS or size + table.nbytes > TABLE_BYTES):
            yield pa.concat_tables(waiting)
            waiting, rows, size = [], 0, 0
        waiting.append(table)
        rows += table.num_rows
        size += table.nbytes
    if waiting:
        yield pa.concat_tables(waiting)


def skip_rows(tables: Iterable[pa.Table], count: int) -> Iterator[pa.Table]:
    """Leave out the first rows."""
    for table in tables:
        if count < table.num_rows:
            yield table.slice(count)
        count = max(0, count - table.num_rows)


def parquet_tables(file: str, columns: Sequence[str], start: int, *, step: int) -> Iterator[pa.Table]:
    """Yield columns of a Parquet file from a row on, without ever holding more than a table of it.

    Bytes of texts that are no UTF-8 are replaced.

    Args:
        file: Its path.
        columns: Their names.
        start: The first row.
        step: Rows to take at once from a row group that is larger than a table may be. With 1, a group of any size
            and make is read within bounds, but a row at a time.
    """
    with open(file, "rb") as handle:
        # So pyarrow reads pages as they are wanted; else it holds the whole column of a row group.
        parquet = pq.ParquetFile(handle, pre_buffer=False, buffer_size=READ_AHEAD_BYTES)
        if _is_signed(file, parquet):
            next(parquet.iter_batches(1, columns=list(columns)), None)  # raises where one of them is encrypted
        schema = parquet.schema
        asked = [one for one in range(len(schema)) if schema.column(one).path.partition(".")[0] in columns]
        for number in range(parquet.num_row_groups):
            group = parquet.metadata.row_group(number)
            if start < group.num_rows:
                is_large = sum(group.column(one).total_uncompressed_size for one in asked) > TABLE_BYTES
                batches = parquet.iter_batches(step if is_large else TABLE_ROWS, [number], list(columns))
                tables = (whole_texts(pa.Table.from_batches([batch])) for batch in batches)
                yield from bounded(skip_rows(tables, start))
            start = max(0, start - group.num_rows)


def _is_signed(file: str, parquet: pq.ParquetFile) -> bool:
    """Return whether a signature follows the footer, as it does only where columns may be encrypted.

    Reading such a column is an error; asked for its size, pyarrow ends the process: where it decrypts what the footer
    says of a column, it lets no C++ exception through.
    """
    with open(file, "rb") as handle:
        handle.seek(-FOOTER_END_BYTES, SEEK_END)
        length = int.from_bytes(handle.read(4), "little")
    return bool(length != parquet.metadata.serialized_size)
