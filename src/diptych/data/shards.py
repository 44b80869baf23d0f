"""Shards: Parquet files that are written whole and only once, and how they are read back.

The same rows give the same bytes, however they were cut into tables on their way. Row groups are bounded in bytes and
rows, and every reader here goes group by group, so that no shard is too large to be read. Decides nothing about which
rows belong into which shard.
"""

import contextlib
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from diptych.addresses import Address
from diptych.data.digests import columns_digest
from diptych.data.parquet_layout import is_written_one_by_one, writer_options
from diptych.data.schema import IMAGE
from diptych.errors import ShardError, one_line
from diptych.storage.location import Location

# Readers load whole row groups: the Hub viewer refuses over about 286 MiB, 100 rows is what it asks for images.
MAX_ROW_GROUP_BYTES = 64 * 2**20
MAX_ROW_GROUP_ROWS = 10_000


@dataclass(frozen=True)
class ShardInfo:
    """One finished shard.

    Attributes:
        name: File name.
        rows: Number of rows.
        bytes: Size of the file.
        sha256: Of the file.
        columns: sha256 of the file without its pictures; that of the file where it has none.
        footer: sha256 of its footer, which says where everything lies.
        keys: sha256 of its ``key`` column (UTF-8 bytes and a newline each), by which shards are known to line up.
        source: What it was computed from: sha256 of the shard of the data, or identity of its rows in the source.
    """

    name: str
    rows: int
    bytes: int
    sha256: str
    columns: str
    footer: str
    keys: str
    source: str = ""


def shard_name(index: int) -> str:
    """Return the file name of shard ``index``.

    >>> shard_name(7)
    '00007.parquet'
    """
    return f"{index:05d}.parquet"


def shard_number(name: str) -> int:
    """Return the index of the shard with a file name.

    >>> shard_number("00007.parquet")
    7
    """
    return int(name.partition(".")[0])


def write_shard(tables: pa.Table | Iterable[pa.Table], address: Address, *, source: str = "") -> ShardInfo:
    """Write one shard, whole or not at all. The same rows give the same bytes, however cut into tables.

    Args:
        tables: The rows, with a string column ``key``; several tables of one schema are written one after the other,
            so that they need not be in memory at once. At least one.
        address: Where the shard belongs; replaced if it exists.
        source: See ``ShardInfo``.

    Raises:
        ShardError: If the disk refuses; what was there before is untouched.
    """
    parts = iter([tables] if isinstance(tables, pa.Table) else tables)
    first = next(parts)
    schema, groups = first.schema, _row_groups(itertools.chain([first], parts))
    del first  # no table and no group is held longer than it takes to write it
    keys, rows = hashlib.sha256(), 0
    place = Location.at(address)
    with place.publishing() as file:
        sink = _HashingFile(file)
        with pq.ParquetWriter(sink, schema, **writer_options(schema)) as writer:
            for group in groups:
                writer.write_table(group, row_group_size=max(1, group.num_rows))
                keys.update(_lines(group["key"]))
                rows += group.num_rows
                del group
        whole = sink.digest.hexdigest()
        columns, footer = columns_digest(file)
    return ShardInfo(place.name, rows, sink.size, whole, columns, footer, keys.hexdigest(), source)


def read_shard(address: Address, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a shard, or some of its columns.

    Raises:
        ShardError: If the file is missing, is damaged or lacks a column.
    """
    with reading(address) as parquet:
        schema = _chosen(parquet, columns, address)
        groups = [parquet.read_row_group(group, columns=schema.names) for group in range(parquet.num_row_groups)]
    return pa.concat_tables([schema.empty_table(), *(group.select(schema.names) for group in groups)])


def read_groups(address: Address, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Yield a shard, or some of its columns, one row group after the other: about 64 MiB of pictures at a time.

    Raises:
        ShardError: If the file is missing, is damaged or lacks a column.
    """
    with reading(address) as parquet:
        names = _chosen(parquet, columns, address).names
        for group in range(parquet.num_row_groups):
            yield parquet.read_row_group(group, columns=names).select(names)


@contextlib.contextmanager
def reading(address: Address) -> Iterator[pq.ParquetFile]:
    """Open a shard as a ``pyarrow.parquet.ParquetFile`` whose pages are checked as they are read.

    Raises:
        ShardError: If the file is missing or damaged, also when that shows while the block reads.
    """
    place = Location.at(address)
    try:
        # Through a plain file: the dataset layer of pyarrow would read a path such as name=value as a partition.
        with place.open() as file:
            yield pq.ParquetFile(file, page_checksum_verification=True)
    except FileNotFoundError as error:
        raise ShardError(f"{place}: the shard is missing; run the step that wrote it again") from error
    except (OSError, pa.ArrowException) as error:
        raise ShardError(
            f"{place}: the shard cannot be read ({one_line(error)}); see: diptych verify DATASET"
        ) from error


def _chosen(parquet: pq.ParquetFile, columns: Sequence[str] | None, address: Address) -> pa.Schema:
    """Return the schema of the columns that are wanted, in the order of the file."""
    schema = parquet.schema_arrow
    missing = [name for name in columns or () if name not in schema.names]
    if missing:
        raise ShardError(f"{address}: no column {missing[0]!r}; it has {', '.join(schema.names)}")
    if columns is None:
        return schema
    return pa.schema([schema.field(name) for name in columns], schema.metadata)


class _HashingFile:
    """A write-only file that hashes and counts what passes, for pyarrow."""

    def __init__(self, file: IO[bytes]) -> None:
        self.closed = False
        self.digest = hashlib.sha256()
        self.size = 0
        self._file = file

    def write(self, data: Any) -> int:
        view = memoryview(data)
        self.digest.update(view)
        self.size += view.nbytes
        self._file.write(view)
        return view.nbytes

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self.closed = True  # the owner closes the file, after fsync

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True


def keys_sha256(keys: Iterable[str]) -> str:
    """Return the sha256 (hex) of the keys of a shard, as its ``ShardInfo`` has it."""
    return hashlib.sha256(_key_lines(keys)).hexdigest()


def _key_lines(keys: Iterable[str]) -> bytes:
    return b"".join(f"{key}\n".encode() for key in keys)


def _lines(keys: pa.ChunkedArray) -> bytes:
    """Return the same of a column of keys, of which none is looked at by itself."""
    kind = pa.large_string()
    nothing, end = pa.scalar("", kind), pa.scalar("\n", kind)
    whole = pc.fill_null(keys.cast(kind), "None")  # as it is formatted
    lines = pc.binary_join_element_wise(whole, nothing, end)  # each key, and what joins it to nothing
    return b"".join(_content(chunk) for chunk in lines.chunks)


def _content(texts: pa.LargeStringArray) -> bytes:
    """Return texts one behind the other."""
    _, offset_buffer, data = texts.buffers()
    if data is None or not len(texts):
        return b""
    ends = np.frombuffer(offset_buffer, np.int64)[[texts.offset, texts.offset + len(texts)]].tolist()
    return memoryview(data)[ends[0] : ends[1]].tobytes()


def _row_groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Cut rows into groups of bounded bytes and rows; at least one, so that an empty table is a valid file.

    The groups, and the chunks in them, do not depend on how the rows were cut into tables: both decide bytes.
    """
    waiting: list[pa.Table] = []
    rows, total = 0, 0
    for table in tables:
        ends = np.cumsum(row_sizes(table))
        start = 0
        while (stop := _group_end(ends, start, rows, total)) < table.num_rows:
            waiting.append(table.slice(start, stop - start))
            yield _drained(waiting)
            start, rows, total = stop, 0, 0
        waiting.append(table.slice(start))
        rows += table.num_rows - start
        total += int(ends[-1] - (ends[start - 1] if start else 0)) if start < table.num_rows else 0
    yield _drained(waiting)


def _group_end(ends: npt.NDArray[np.int64], start: int, rows: int, total: int) -> int:
    """Return before which row of a table a group ends; the rows of the table where it goes on.

    Args:
        ends: int64 (N,): the bytes of the table up to each row, that row included.
        start: The first row of the table in the group.
        rows: Rows that the group has from tables before.
        total: Their bytes.
    """
    before = int(ends[start - 1]) if start else 0
    stop = int(np.searchsorted(ends, before + MAX_ROW_GROUP_BYTES - total, side="right"))
    return max(min(stop, start + MAX_ROW_GROUP_ROWS - rows), start if rows else start + 1)


def _drained(tables: list[pa.Table]) -> pa.Table:
    """Return tables as one, and empty the list, so that nothing is held twice.

    Pictures are not copied into one chunk where values are written one by one, so that chunks decide no bytes.
    """
    joined = pa.concat_tables(tables)
    tables.clear()
    if not is_written_one_by_one(joined.schema):
        return joined.combine_chunks()
    columns = [column if column.type == IMAGE else column.combine_chunks() for column in joined.columns]
    return pa.table(columns, schema=joined.schema)


def row_sizes(table: pa.Table) -> npt.NDArray[np.int64]:
    """Return the bytes of the pictures and texts in each row, which are what can make a row large: int64 (N,)."""
    sizes = np.zeros(table.num_rows, np.int64)
    for column in table.columns:
        values = pc.struct_field(column, "bytes") if column.type == IMAGE else column
        if any(is_kind(values.type) for is_kind in _BYTES_TYPES):
            sizes += pc.fill_null(pc.binary_length(values), 0).to_numpy()
    return sizes


_BYTES_TYPES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_string, pa.types.is_large_string)
