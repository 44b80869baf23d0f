"""Parquet files read within bounds; of a damaged one the rows that can be read, and how many cannot.

Decides nothing about which columns are read.
"""

from collections.abc import Iterator, Sequence
from os import SEEK_END
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from diptych.curate.sources.bounded import bounded, skip_rows
from diptych.curate.sources.contract import TABLE_BYTES, TABLE_ROWS
from diptych.curate.sources.files import READ_ERRORS, is_about_content
from diptych.curate.sources.packings import known_packing
from diptych.curate.sources.whole_texts import whole_texts
from diptych.errors import first_line
from diptych.storage.store_path import listed_path

READ_AHEAD_BYTES = 2**20
FOOTER_END_BYTES = 8  # the length of the footer and "PAR1"
MOST_LOST = 10_000_000  # rows of one group; a damaged footer may say any number


class LostRows(NamedTuple):
    """Rows that follow one another and cannot be read, and why not."""

    rows: int
    why: str

    @property
    def problem(self) -> str:
        """The problem of each of them."""
        return f"bad_row: cannot be read: {self.why}"


def parquet_schema(file: str) -> pa.Schema:
    """Return the schema of a Parquet file.

    Raises:
        ValueError: If it is packed.
        ArrowException: If it cannot be read.
    """
    known_packing(file)
    with listed_path(file).open("rb", buffering=0) as handle:
        return pq.read_schema(handle)


def parquet_rows(file: str) -> int:
    """Return how many rows a Parquet file says that it has.

    Raises:
        ArrowException: If it cannot be read.
    """
    with listed_path(file).open("rb", buffering=0) as handle:
        return int(pq.read_metadata(handle).num_rows)


def parquet_tables(file: str, columns: Sequence[str], start: int, *, step: int) -> Iterator[pa.Table | LostRows]:
    """Yield columns of a Parquet file from a row on, without ever holding more than a table of it.

    Bytes of texts that are no UTF-8 are replaced. Where a row group is damaged, the rows from there to its end are
    lost.

    Args:
        file: Its path.
        columns: Their names.
        start: The first row.
        step: Rows to take at once from a row group that is larger than a table may be. With 1, a group of any size
            and make is read within bounds, but a row at a time.
    """
    with listed_path(file).open("rb", buffering=0) as handle:
        # So pyarrow reads pages as they are wanted; else it holds the whole column of a row group.
        parquet = pq.ParquetFile(
            handle, pre_buffer=False, buffer_size=READ_AHEAD_BYTES, page_checksum_verification=True
        )
        if _is_signed(file, parquet):
            next(parquet.iter_batches(1, columns=list(columns)), None)  # raises where one of them is encrypted
        for number in range(parquet.num_row_groups):
            rows = parquet.metadata.row_group(number).num_rows
            if start < rows:
                yield from _of_group(parquet, number, columns, start, step)
            start = max(0, start - rows)


def _of_group(
    parquet: pq.ParquetFile, number: int, columns: Sequence[str], start: int, step: int
) -> Iterator[pa.Table | LostRows]:
    group, schema = parquet.metadata.row_group(number), parquet.schema
    asked = [one for one in range(len(schema)) if schema.column(one).path.partition(".")[0] in columns]
    is_large = sum(group.column(one).total_uncompressed_size for one in asked) > TABLE_BYTES
    batches = parquet.iter_batches(step if is_large else TABLE_ROWS, [number], list(columns))
    tables = (whole_texts(pa.Table.from_batches([batch])) for batch in batches)
    try:
        for table in bounded(skip_rows(tables, start)):
            start += table.num_rows
            yield table
    except READ_ERRORS as error:
        if not is_about_content(error) or group.num_rows - start > MOST_LOST:
            raise
        yield LostRows(group.num_rows - start, first_line(error))


def _is_signed(file: str, parquet: pq.ParquetFile) -> bool:
    """Return whether a signature follows the footer, as it does only where columns may be encrypted.

    Reading such a column is an error; asked for its size, pyarrow ends the process: where it decrypts what the footer
    says of a column, it lets no C++ exception through.
    """
    with listed_path(file).open("rb", buffering=FOOTER_END_BYTES) as handle:
        handle.seek(-FOOTER_END_BYTES, SEEK_END)
        length = int.from_bytes(handle.read(4), "little")
    return bool(length != parquet.metadata.serialized_size)
