"""What dedup compares, read from the columns of a dataset into arrays of one entry per row.

Texts pass in batches and are not kept, so that memory is a small multiple of the rows. Decides nothing about what is a
duplicate.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.curate.conditions import TrialTable, check_expression, trial_table
from diptych.curate.config import Dedup
from diptych.curate.duplicates.buckets import Rows
from diptych.curate.duplicates.equal_bytes import ByteDigests
from diptych.curate.duplicates.hamming import MAX_ROWS
from diptych.curate.missing_columns import what_lacks
from diptych.curate.preference import check_preference, without_nan
from diptych.data.sql import (
    aliases,
    batches,
    column_references,
    column_sql,
    connect,
    needed,
    relation,
    schemas,
    what_sql_says,
)
from diptych.data.table import DatasetTable
from diptych.errors import ConfigError, DataError


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


def read_rows(table: DatasetTable, settings: Dedup) -> ComparedRows:
    """Read what the settings compare.

    Raises:
        ConfigError: If the hash columns or the preference are not SQL over columns that are there.
        DataError: If there are 2**31 rows or more, or a sha256 is none.
        ShardError: If a shard is not what was written.
    """
    if len(table) > MAX_ROWS:
        raise DataError(f"{table.dataset.location}: has {len(table):,} rows; dedup compares {MAX_ROWS:,} at most")
    con = connect(table.dataset)
    columns = {name: column_sql(column) for name, column in table.columns.items()}
    hashes = [columns.get(name, name) for name in _hash_names(settings)]
    named = column_references(con, f"SELECT {', '.join(['1', *hashes])} ORDER BY\n{settings.prefer}\n")
    trial = trial_table(con, schemas(table, aliases(table, named)), missing=partial(what_lacks, table.dataset))
    check_settings(trial, settings)
    source = relation(table, needed(table, named))
    order = np.empty(len(table), np.int32)
    numbered = f"SELECT CAST(row_number() OVER () - 1 AS INTEGER) AS row_ FROM {source}"
    for start, batch in _batches(con, f"{numbered} ORDER BY {without_nan(trial, settings.prefer)}\n, row_", hashes):
        order[start : start + len(batch)] = batch["row_"].to_numpy()
    try:
        return _read_pictures(con, source, hashes, order)
    except ValueError as error:
        raise DataError(f"{table.dataset.location}: {error}; see: diptych verify DATASET") from error


def check_settings(trial: TrialTable, settings: Dedup) -> None:
    """Try the hash columns and the order of preference on a row of nulls.

    Raises:
        ConfigError: If one of them is not SQL over columns that are there.
    """
    for number, name in enumerate(_hash_names(settings)):
        where = f"dedup: {'variants' if number else 'perceptual'}: {name!r}"
        sql = trial.sql_of(name)
        check_expression(trial, sql, where=where)
        trial.check(f"SELECT CAST({sql} AS UBIGINT) FROM {trial.source}", where=where)
    check_preference(trial, settings.prefer, where=f"dedup: prefer: {settings.prefer!r}")


def _hash_names(settings: Dedup) -> tuple[str, ...]:
    """Return the hashes that are compared, as the settings name them, the picture's own first."""
    return (settings.perceptual, *settings.variants) if settings.perceptual is not None else ()


def _read_pictures(con: Any, source: str, named: Sequence[str], order: Rows) -> ComparedRows:
    hashes, has_hash = np.zeros((len(named), len(order)), np.uint64), np.zeros((len(named), len(order)), np.bool_)
    # Rows that cannot be read take no part: their bytes say nothing about a picture.
    pictures = "CASE WHEN data.status = 'ok' THEN data.sha256 END"
    selected = ", ".join([pictures, *(f"CAST({sql} AS UBIGINT)" for sql in named)])
    with ByteDigests(len(order)) as digests:
        for start, batch in _batches(con, f"SELECT {selected} FROM {source}", named):
            digests.put(start, batch.column(0))
            part = slice(start, start + len(batch))
            for number, column in enumerate(batch.columns[1:]):
                hashes[number, part] = pc.fill_null(column, 0).to_numpy()
                has_hash[number, part] = column.is_valid().to_numpy(zero_copy_only=False)
        return ComparedRows(order, digests.first_of_equals(order), hashes, has_hash)


def _batches(con: Any, query: str, hashes: Sequence[str]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield the rows of a query in batches, each with the number of its first row."""
    import duckdb

    start = 0
    try:
        for batch in batches(con.cursor(), query):
            yield start, batch
            start += len(batch)
    except duckdb.Error as error:  # what only shows on values, such as a cast that does not fit
        named = ", ".join(hashes) or "none"
        raise ConfigError(f"dedup: {what_sql_says(error)} (perceptual, variants: {named})") from error
