"""Tables of bounded size, whatever files they are read from."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import pyarrow as pa

from diptych.curate.sources.contract import TABLE_BYTES, TABLE_ROWS

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
    """Join tables as far as the bounds allow. One that is larger by itself stays as it is.

    Raises:
        Exception: What reading them raises, behind all that was read before.
    """
    waiting: list[pa.Table] = []
    rows, size = 0, 0
    try:
        for table in tables:
            if waiting and (rows + table.num_rows > TABLE_ROWS or size + table.nbytes > TABLE_BYTES):
                yield pa.concat_tables(waiting)
                waiting, rows, size = [], 0, 0
            waiting.append(table)
            rows += table.num_rows
            size += table.nbytes
    except Exception:
        if waiting:
            yield pa.concat_tables(waiting)
        raise
    if waiting:
        yield pa.concat_tables(waiting)


def skip_rows(tables: Iterable[pa.Table], count: int) -> Iterator[pa.Table]:
    """Leave out the first rows."""
    for table in tables:
        if count < table.num_rows:
            yield table.slice(count)
        count = max(0, count - table.num_rows)
