"""What dedup compares, read from the columns of a dataset into arrays of one entry per row.

Texts pass in batches and are not kept, so that memory is a small multiple of the rows. Decides nothing about what is a
duplicate.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.curate.conditions import Columns, check_expression, check_order, check_query
from diptych.curate.config import Dedup
from diptych.curate.duplicates.equal_bytes import ByteDigests
from diptych.curate.duplicates.hamming import MAX_ROWS, Rows
from diptych.errors import ConfigError, DataError, first_line
from diptych.store.sql import connect

BATCH_ROWS = 1 << 17


@dataclass(frozen=True)
class ComparedRows:
    """What dedup looks at, one entry per row.

    Attributes:
        order: int32 (N,): the rows in order of preference.
        first_of_equals: int32 (N,): the most preferred row with the same bytes; itself where that is not known.
        hashes: uint64 (V, N): the picture's own hash, then those of its variants; V is 0 where none is compared.
        has_hash: bool (V, N).
    """

    order: Rows
    first_of_equals: Rows
    hashes: npt.NDArray[np.uint64]
    has_hash: npt.NDArray[np.bool_]


def read_rows(columns: Columns, settings: Dedup) -> ComparedRows:
    """Read what the settings compare.

    Raises:
        ConfigError: If the hash columns or the preference are not SQL over columns that are there.
        DataError: If there are 2**31 rows or more, or a sha256 is none.
    """
    if columns.dataset.rows > MAX_ROWS:
        raise DataError(
            f"{columns.dataset.path}: has {columns.dataset.rows:,} rows; dedup compares {MAX_ROWS:,} at most"
        )
    con = connect(columns.dataset.path)
    check_settings(con, columns.relation(shards=1), settings, list(columns.sets))
    order = np.empty(columns.dataset.rows, np.int32)
    numbered = f"SELECT CAST(row_number() OVER () - 1 AS INTEGER) AS row_ FROM {columns.relation()}"
    for start, batch in _batches(con, f"{numbered} ORDER BY {settings.prefer}\n, row_", settings):
        order[start : start + len(batch)] = batch["row_"].to_numpy()
    return _read_pictures(con, columns, settings, order)


def check_settings(con: Any, relation: str, settings: Dedup, labels: Sequence[str]) -> None:
    """Try the hash columns and the order of preference on no rows.

    Raises:
        ConfigError: If one of them is not SQL over columns of the relation.
    """
    for number, sql in enumerate(hashes_sql(settings)):
        where = f"dedup: {'variants' if number else 'perceptual'}: {sql!r}"
        check_expression(con, sql, where=where)
        check_query(con, f"SELECT CAST({sql} AS UBIGINT) FROM {relation} LIMIT 0", where=where, labels=labels)
    where = f"dedup: prefer: {settings.prefer!r}"
    check_order(con, settings.prefer, where=where)
    check_query(con, f"SELECT 1 FROM {relation} ORDER BY\n{settings.prefer}\nLIMIT 0", where=where, labels=labels)


def hashes_sql(settings: Dedup) -> tuple[str, ...]:
    """Return the SQL of each hash that is compared, the picture's own first."""
    return (settings.perceptual, *settings.variants) if settings.perceptual is not None else ()


def _read_pictures(con: Any, columns: Columns, settings: Dedup, order: Rows) -> ComparedRows:
    named = hashes_sql(settings)
    digests = ByteDigests(len(order))
    hashes, has_hash = np.zeros((len(named), len(order)), np.uint64), np.zeros((len(named), len(order)), np.bool_)
    # Rows that cannot be read take no part: their bytes say nothing about a picture.
    selected = ["CASE WHEN status = 'ok' THEN sha256 END", *(f"CAST({sql} AS UBIGINT)" for sql in named)]
    for start, batch in _batches(con, f"SELECT {', '.join(selected)} FROM {columns.relation()}", settings):
        try:
            digests.put(start, batch.column(0))
        except ValueError as error:
            raise DataError(f"{columns.dataset.path}: {error}; see: diptych verify DATASET") from error
        part = slice(start, start + len(batch))
        for number, column in enumerate(batch.columns[1:]):
            hashes[number, part] = pc.fill_null(column, 0).to_numpy()
            has_hash[number, part] = column.is_valid().to_numpy(zero_copy_only=False)
    return ComparedRows(order, digests.first_of_equals(order), hashes, has_hash)


def _batches(con: Any, query: str, settings: Dedup) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield the rows of a query in batches, each with the number of its first row."""
    import duckdb

    start = 0
    try:
        for batch in con.cursor().sql(query).to_arrow_reader(BATCH_ROWS):
            yield start, batch
            start += len(batch)
    except (duckdb.Error, pa.ArrowException) as error:  # what only shows on values, such as a cast that does not fit
        named = ", ".join(hashes_sql(settings))
        raise ConfigError(f"dedup: {first_line(error)} (perceptual, variants: {named})") from error
