"""Parquet files that hold image bytes: Hugging Face datasets, img2dataset's parquet output, another dataset of ours."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from diptych.curate.config import ParquetImages
from diptych.curate.sources import BYTES, PROBLEM, find_files, readable
from diptych.curate.sources.columns import carried_names, text_column
from diptych.errors import DataError
from diptych.lookup import describe_unknown

BLOCK_ROWS = 256


class ParquetSource:
    """See ``ParquetImages`` in the config."""

    def __init__(self, settings: ParquetImages) -> None:
        """Find the files and check that they have the columns."""
        self._settings = settings
        self._carried = carried_names(settings.columns)
        self._files = find_files(settings.path, (".parquet",))
        for file in self._files:
            self._check(file)

    def inputs(self) -> list[dict[str, Any]]:
        """Return name, size and time of change of each file."""
        stats = [(path, path.stat()) for path in self._files]
        return [{"name": path.name, "bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns} for path, stat in stats]

    def count(self) -> int:
        """Return the number of rows."""
        return self._count

    @cached_property
    def _count(self) -> int:
        return sum(_count_rows(file) for file in self._files)

    def bytes_on_disk(self) -> int | None:
        """Return the size of the files."""
        return sum(path.stat().st_size for path in self._files)

    def tables(self) -> Iterator[pa.Table]:
        """Yield bytes, captions and the named columns of all files in order."""
        settings = self._settings
        names = [
            settings.image_column,
            *([settings.caption_column] if settings.caption_column else []),
            *settings.columns,
        ]
        for file in self._files:
            with readable(file, "parquet"), file.open("rb") as handle:
                for batch in pq.ParquetFile(handle).iter_batches(BLOCK_ROWS, columns=names):
                    yield self._rows(pa.Table.from_batches([batch]), file)

    def _rows(self, table: pa.Table, file: Path) -> pa.Table:
        settings = self._settings
        nulls = pa.nulls(table.num_rows, pa.string())
        columns = {
            "caption": text_column(table, settings.caption_column, file) if settings.caption_column else nulls,
            "url": nulls,
            PROBLEM: nulls,
            BYTES: image_bytes(table[settings.image_column]),
        }
        return pa.table({**columns, **{final: table[name] for final, name in self._carried.items()}})

    def _check(self, file: Path) -> None:
        with readable(file, "parquet"):
            schema = pq.read_schema(file)
        for name in (self._settings.image_column, self._settings.caption_column, *self._settings.columns):
            if name is not None and name not in schema.names:
                raise DataError(f"{file}: {describe_unknown('column', name, schema.names)}")
        kind = schema.field(self._settings.image_column).type
        is_struct = pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0
        if not is_struct and not pa.types.is_binary(kind) and not pa.types.is_large_binary(kind):
            raise DataError(f"{file}: the column {self._settings.image_column!r} holds {kind}, not image bytes")


def _count_rows(file: Path) -> int:
    with readable(file, "parquet"):
        rows: int = pq.read_metadata(file).num_rows
        return rows


def image_bytes(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a binary column from a binary column or from a struct with a field ``bytes``."""
    if pa.types.is_struct(column.type):
        chunks = [pc.struct_field(chunk, "bytes").cast(pa.binary()) for chunk in column.chunks]
        return pa.chunked_array(chunks, pa.binary())
    return column.cast(pa.binary())
