"""Parquet files that hold image bytes: Hugging Face datasets, img2dataset's parquet output, another dataset of ours."""

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from diptych.curate.config import ParquetImages
from diptych.curate.sources.bounded import parquet_tables
from diptych.curate.sources.columns import (
    captions_in,
    carried_names,
    check_columns,
    holds_urls,
    text_column,
    url_column,
)
from diptych.curate.sources.contract import BYTES, PROBLEM, Part, Tables
from diptych.curate.sources.empty_files import is_empty, row_of_empty_file
from diptych.curate.sources.files import find_files, readable
from diptych.curate.sources.parquet_columns import key_column, sql_column
from diptych.curate.sources.picture_columns import holds_pictures, pictures_in
from diptych.errors import DataError

OWN_KEY = "key"  # by which its writer knows a row; carried, as ours is another one


class ParquetSource:
    """See ``ParquetImages`` in the config."""

    def __init__(self, settings: ParquetImages) -> None:
        """Take the settings."""
        self._settings = settings
        self._carried = carried_names(settings.columns)

    def parts(self) -> Sequence[Part]:
        """Return a part for each file; all that hold something have the columns."""
        files = find_files(self._settings.path, (".parquet",))
        for file in files:
            self._check(str(file))
        return [Part(file.name, (str(file),)) for file in files]

    def tables(self, files: Sequence[str], start: int = 0) -> Tables:
        """Yield bytes, captions and the named columns."""
        with readable(files[0], "parquet"):
            yield from self._tables(files[0], start)

    def jumps(self, file: str) -> bool:
        """Return True: row groups before the row are passed over."""
        return True

    def _tables(self, file: str, start: int) -> Iterator[pa.Table]:
        if is_empty(file):
            yield row_of_empty_file(file, has_pictures=True).slice(start)
            return
        there = pq.read_schema(file)
        carried, url = self._carried_of(there.names), self._url(there)
        wanted = dict.fromkeys([*self._wanted, *carried.values(), *([url] if url else [])])
        for table in parquet_tables(file, list(wanted), start, step=1):
            yield self._rows(table, carried, file)

    @property
    def _wanted(self) -> dict[str, str]:
        """The columns to read, and for each the key that says it."""
        settings = self._settings
        texts = {settings.caption_column: "caption_column", settings.url_column: "url_column"}
        named = {settings.image_column: "image_column", **{name: key for name, key in texts.items() if name}}
        return {**dict.fromkeys((*named, *settings.columns), "columns"), **named}

    def _url(self, there: pa.Schema) -> str | None:
        """Return the column of URLs: the one that is named, else ``url`` where it can hold some."""
        is_there = "url" in there.names and holds_urls(there.field("url").type)
        return self._settings.url_column or ("url" if is_there else None)

    def _carried_of(self, there: Sequence[str]) -> Mapping[str, str]:
        """Return name in the dataset -> name in a file, of the columns that are carried; the file's own keys, too."""
        own = carried_names([OWN_KEY])
        is_new = OWN_KEY in there and not {*own} & {name.casefold() for name in self._carried}
        return {**self._carried, **own} if is_new else self._carried

    def _rows(self, table: pa.Table, carried: Mapping[str, str], file: str) -> pa.Table:
        settings, url = self._settings, self._url(table.schema)
        nulls = pa.nulls(table.num_rows, pa.string())
        pictures = pictures_in(table[settings.image_column])
        caption = settings.caption_column
        columns = {
            "caption": captions_in(text_column(table, caption, file, lists=settings.caption_list))
            if caption
            else nulls,
            "url": url_column(table, url, file) if url else nulls,
            PROBLEM: pictures.problems,
            BYTES: pictures.bytes,
        }
        for final, name in carried.items():
            is_named = name in settings.columns
            columns[final] = sql_column(table[name], name, file) if is_named else key_column(table[name])
        return pa.table(columns)

    def _check(self, file: str) -> None:
        if is_empty(file):
            return
        with readable(file, "parquet"):
            schema = pq.read_schema(file)
        check_columns(self._wanted, schema.names, file)
        kind = schema.field(self._settings.image_column).type
        if not holds_pictures(kind):
            raise DataError(f"{file}: the column {self._settings.image_column!r} holds {kind}, not image bytes")
