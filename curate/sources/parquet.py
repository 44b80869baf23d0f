"""Parquet files that hold image bytes: Hugging Face datasets, img2dataset's parquet output, another dataset of ours."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from diptych.curate.config import ParquetImages
from diptych.curate.sources.columns import (
    captions_in,
    carried_names,
    holds_urls,
    text_column,
    url_column,
)
from diptych.curate.sources.contract import BYTES, NOTE, PROBLEM, Part, Tables
from diptych.curate.sources.files import READ_ERRORS, find_files, is_about_content, readable
from diptych.curate.sources.parquet_columns import key_column, sql_column
from diptych.curate.sources.parquet_reading import LostRows, parquet_rows, parquet_schema, parquet_tables
from diptych.curate.sources.part_columns import (
    FoundColumns,
    as_wanted,
    check_parts,
    found_columns,
    name_there,
    without_values,
)
from diptych.curate.sources.picture_columns import holds_pictures, pictures_in
from diptych.curate.sources.unread_files import EMPTY, is_empty, row_of_unread_file
from diptych.errors import DataError, first_line
from diptych.storage.store_path import read_path

URL = "url"
OWN_KEY = "key"  # by which its writer knows a row; carried, as ours is another one


class _Chosen(NamedTuple):
    """What is read of a file: its columns by the names that are wanted, those that are carried, and its URLs."""

    found: FoundColumns
    carried: Mapping[str, str]
    url: str | None


class ParquetSource:
    """See ``ParquetImages`` in the config."""

    def __init__(self, settings: ParquetImages) -> None:
        """Take the settings."""
        self._settings = settings
        self._carried = carried_names(settings.columns)

    def parts(self) -> Sequence[Part]:
        """Return a part for each file; each column that is named is in one of them at least."""
        files = [str(file) for file in find_files(read_path(self._settings.path), (".parquet",))]
        schemas, error = dict[str, pa.Schema](), None
        for file in files:
            if not is_empty(file):
                try:
                    with readable(file, "parquet"):
                        schemas[file] = parquet_schema(file)
                except DataError as refused:
                    error = error or refused
        if error is not None and not schemas:
            raise error
        check_parts(self._wanted, [(file, schema.names) for file, schema in schemas.items()])
        for file, schema in schemas.items():
            self._check_pictures(schema, found_columns(self._wanted, schema.names, file), file)
        return [Part(Path(file).name, (file,)) for file in files]

    def tables(self, files: Sequence[str], start: int = 0) -> Tables:
        """Yield bytes, captions and the named columns."""
        with readable(files[0], "parquet"):
            try:
                yield from self._tables(files[0], start)
            except READ_ERRORS as error:
                if read_path(self._settings.path).is_file() or not is_about_content(error):
                    raise
                said = f"cannot be read as parquet: {first_line(error)}"
                yield row_of_unread_file(files[0], said, has_pictures=True).slice(start)

    def jumps(self, file: str) -> bool:
        """Return True: row groups before the row are passed over."""
        return True

    def _tables(self, file: str, start: int) -> Iterator[pa.Table]:
        if is_empty(file):
            yield row_of_unread_file(file, EMPTY, has_pictures=True).slice(start)
            return
        chosen = self._chosen(parquet_schema(file), file)
        if self._settings.image_column in chosen.found.lacking:
            if parquet_rows(file):
                said = f"it has no column {self._settings.image_column!r}"
                yield row_of_unread_file(file, said, has_pictures=True).slice(start)
            return
        for table in parquet_tables(file, list(dict.fromkeys(chosen.found.called.values())), start, step=1):
            if isinstance(table, LostRows):
                yield from self._lost(table, chosen, file)
            else:
                yield self._rows(as_wanted(table, chosen.found), chosen, file)

    @property
    def _wanted(self) -> dict[str, str]:
        """The columns to read, and for each the key that says it."""
        settings = self._settings
        texts = {settings.caption_column: "caption_column", settings.url_column: "url_column"}
        named = {settings.image_column: "image_column", **{name: key for name, key in texts.items() if name}}
        return {**dict.fromkeys((*named, *settings.columns), "columns"), **named}

    def _chosen(self, there: pa.Schema, file: str) -> _Chosen:
        """Return what is read of a file: what is named, its URLs where it can have some, and its own keys."""
        found = found_columns(self._wanted, there.names, file)
        called, url, own = dict(found.called), self._settings.url_column, carried_names([OWN_KEY])
        if url is None and (name := name_there(URL, there.names)) and holds_urls(there.field(name).type):
            called[URL], url = name, URL
        name = name_there(OWN_KEY, there.names)
        if name is None or {*own} & {known.casefold() for known in self._carried}:
            own = {}
        else:
            called[OWN_KEY] = name
        return _Chosen(found._replace(called=called), {**self._carried, **own}, url)

    def _rows(self, table: pa.Table, chosen: _Chosen, file: str) -> pa.Table:
        settings, url = self._settings, chosen.url
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
        if note := chosen.found.note(Path(file).name):
            columns[NOTE] = pa.array([note] * table.num_rows, pa.string())
        for final, name in chosen.carried.items():
            is_named = name in settings.columns
            columns[final] = sql_column(table[name], name, file) if is_named else key_column(table[name])
        return pa.table(columns)

    def _lost(self, lost: LostRows, chosen: _Chosen, file: str) -> Iterator[pa.Table]:
        """Yield the rows of a damaged place, each with the problem."""
        for nothing in without_values(chosen.found, lost.rows):
            rows = self._rows(nothing, chosen, file)
            problems = pa.array([lost.problem] * nothing.num_rows, pa.string())
            yield rows.set_column(rows.column_names.index(PROBLEM), PROBLEM, problems)

    def _check_pictures(self, schema: pa.Schema, found: FoundColumns, file: str) -> None:
        name = found.called.get(self._settings.image_column)
        if name is not None and not holds_pictures(schema.field(name).type):
            kind = schema.field(name).type
            raise DataError(f"{file}: the column {name!r} holds {kind}, not image bytes")
