"""Parquet files that hold image bytes: Hugging Face datasets, img2dataset's parquet output, another dataset of ours."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from diptych.curate.config import ParquetImages
from diptych.curate.sources.bounded import parquet_tables
from diptych.curate.sources.columns import carried_names, check_columns, text_column
from diptych.curate.sources.contract import BYTES, PROBLEM, Part, Tables
from diptych.curate.sources.files import find_files, readable
from diptych.curate.sources.parquet_columns import sql_column
from diptych.errors import DataError


class ParquetSource:
    """See ``ParquetImages`` in the config."""

    def __init__(self, settings: ParquetImages) -> None:
        """Take the settings."""
        self._settings = settings
        self._carried = carried_names(settings.columns)

    def parts(self) -> Sequence[Part]:
        """Return a part for each file; all of them have the columns."""
        files = find_files(self._settings.path, (".parquet",))
        for file in files:
            self._check(str(file))
        return [Part(file.name, (str(file),)) for file in files]

    def tables(self, files: Sequence[str], start: int = 0) -> Tables:
        """Yield bytes, captions and the named columns."""
        with readable(files[0], "parquet"):
            for table in parquet_tables(files[0], self._wanted, start, step=1):
                yield self._rows(table, files[0])

    def jumps(self, file: str) -> bool:
        """Return True: row groups before the row are passed over."""
        return True

    @property
    def _wanted(self) -> tuple[str, ...]:
        caption = self._settings.caption_column
        return (self._settings.image_column, *((caption,) if caption else ()), *self._settings.columns)

    def _rows(self, table: pa.Table, file: str) -> pa.Table:
        settings = self._settings
        nulls = pa.nulls(table.num_rows, pa.string())
        columns = {
            "caption": text_column(table, settings.caption_column, file) if settings.caption_column else nulls,
            "url": nulls,
            PROBLEM: nulls,
            BYTES: image_bytes(table[settings.image_column]),
        }
        carried = {final: sql_column(table[name], name, file) for final, name in self._carried.items()}
        return pa.table({**columns, **carried})

    def _check(self, file: str) -> None:
        with readable(file, "parquet"):
            schema = pq.read_schema(file)
        check_columns(self._wanted, schema.names, file)
        kind = schema.field(self._settings.image_column).type
        is_struct = pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0
        if not is_struct and not pa.types.is_binary(kind) and not pa.types.is_large_binary(kind):
            raise DataError(f"{file}: the column {self._settings.image_column!r} holds {kind}, not image bytes")


def image_bytes(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a binary column from a binary column or from a struct with a field ``bytes``."""
    if pa.types.is_struct(column.type):
        chunks = [pc.struct_field(chunk, "bytes").cast(pa.binary()) for chunk in column.chunks]
        return pa.chunked_array(chunks, pa.binary())
    return column.cast(pa.binary())
