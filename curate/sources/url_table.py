"""Tables of URLs and captions, as LAION, DataComp, COYO or CC12M are published. Every row of the file becomes a row."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from diptych.curate.config import UrlTable
from diptych.curate.sources.bounded import skip_rows
from diptych.curate.sources.column_types import arrow_type, column_of_text, with_carried
from diptych.curate.sources.columns import captions_in, carried_names, text_column, url_column
from diptych.curate.sources.contract import NOTE, PROBLEM, TABLE_ROWS, Part, Tables
from diptych.curate.sources.files import READ_ERRORS, find_files, is_about_content, readable
from diptych.curate.sources.packings import SUFFIXES as PACKED
from diptych.curate.sources.parquet_columns import sql_column
from diptych.curate.sources.parquet_reading import LostRows, parquet_rows, parquet_schema, parquet_tables
from diptych.curate.sources.part_columns import FoundColumns, as_wanted, check_parts, found_columns, without_values
from diptych.curate.sources.text_tables import TablePart, TextTable
from diptych.curate.sources.unread_files import EMPTY, is_empty, row_of_unread_file
from diptych.errors import DataError, first_line
from diptych.storage.store_path import read_path

FORMATS = ("parquet", "csv", "tsv", "jsonl", "json", "txt")
ALSO_CALLED = {"ndjson": "jsonl"}
SUFFIXES = tuple(f".{name}{end}" for name in (*FORMATS, *ALSO_CALLED) for end in ("", *PACKED))
DELIMITERS = {"csv": ",", "tsv": "\t"}
TOLD_BY_HEADER = ("parquet", *DELIMITERS)  # which columns there are, before a row is read


class UrlTableSource:
    """See ``UrlTable`` in the config."""

    def __init__(self, settings: UrlTable) -> None:
        """Take the settings."""
        self._settings = settings
        self._carried = carried_names(settings.columns)

    def parts(self) -> Sequence[Part]:
        """Return a part for each file; each column that is named is in one of them at least."""
        files = [str(file) for file in find_files(read_path(self._settings.path), SUFFIXES)]
        headers = [(file, self._header_if_readable(file)) for file in files]
        known = [(file, header) for file, header in headers if header is not None]
        if all(_format(file) in TOLD_BY_HEADER for file in files):
            check_parts(self._wanted, known)
        return [Part(Path(file).name, (file,)) for file in files]

    def tables(self, files: Sequence[str], start: int = 0) -> Tables:
        """Yield URLs, captions and the named columns."""
        file = files[0]
        with readable(file, _format(file)):
            if is_empty(file) and not self._is_table_of_no_rows(file):
                yield row_of_unread_file(file, EMPTY, has_pictures=False).slice(start)
            elif self.jumps(file):
                yield from self._or_row_of(file, self._parquet(file, start))
            else:
                yield from skip_rows(self._or_row_of(file, self._text(file)), start)

    def jumps(self, file: str) -> bool:
        """Return whether it is Parquet, in which row groups are passed over; of text, every line has to be read."""
        return _format(file) == "parquet"

    def _is_table_of_no_rows(self, file: str) -> bool:
        """Return whether a file without a byte is a whole table: of lines that need no header."""
        return _format(file) in ("jsonl", "txt") or (_format(file) in DELIMITERS and bool(self._settings.column_names))

    @property
    def _wanted(self) -> dict[str, str]:
        """The columns to read, and for each the key that says it."""
        return {**dict.fromkeys((*self._texts, *self._settings.columns), "columns"), **self._texts}

    @property
    def _texts(self) -> dict[str, str]:
        caption = self._settings.caption_column
        return {self._settings.url_column: "url_column", **({caption: "caption_column"} if caption else {})}

    def _or_row_of(self, file: str, tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """Yield tables, and where one of several files cannot be read any further, a row that says why."""
        try:
            yield from tables
        except READ_ERRORS as error:
            if read_path(self._settings.path).is_file() or not is_about_content(error):
                raise
            said = f"cannot be read as {_format(file)}: {first_line(error)}"
            yield row_of_unread_file(file, said, has_pictures=False)

    def _header_if_readable(self, file: str) -> Sequence[str] | None:
        """Return the names of the columns of a file; None also of one of which it is said later why there are none."""
        try:
            return self._header(file)
        except READ_ERRORS as error:
            if not is_about_content(error):
                raise DataError(f"{file}: cannot be read: {first_line(error)}") from error
            return None

    def _header(self, file: str) -> Sequence[str] | None:
        """Return the names of the columns of a file that has them before its rows; None of all others."""
        kind = _format(file)
        if is_empty(file) or kind not in TOLD_BY_HEADER:
            return None
        if kind == "parquet":
            return list(parquet_schema(file).names)
        return self._text_table(file).header(DELIMITERS[kind]) or None

    def _found(self, file: str) -> FoundColumns | None:
        """Return which columns a file has; None where it has no header, and columns of the names that are wanted."""
        header = self._header(file)
        return None if header is None else found_columns(self._wanted, header, file)

    def _parquet(self, file: str, start: int) -> Iterator[pa.Table]:
        found = self._found(file) or FoundColumns({}, ())
        if self._lacks_urls(found):
            yield from [self._row_without_urls(file)] if parquet_rows(file) else []
            return
        for table in parquet_tables(file, list(dict.fromkeys(found.called.values())), start, step=TABLE_ROWS):
            if isinstance(table, LostRows):
                for nothing in without_values(found, table.rows):
                    yield self._rows(nothing, [table.problem] * nothing.num_rows, found, file)
            else:
                yield self._rows(as_wanted(table, found), None, found, file)

    def _text(self, file: str) -> Iterator[pa.Table]:
        found = self._found(file)
        if found is not None and self._lacks_urls(found):
            yield self._row_without_urls(file)
            return
        for table, problems in self._read_text(file):
            yield self._rows(as_wanted(table, found) if found else table, problems, found, file)

    def _lacks_urls(self, found: FoundColumns) -> bool:
        return self._settings.url_column in found.lacking

    def _row_without_urls(self, file: str) -> pa.Table:
        return row_of_unread_file(file, f"it has no column {self._settings.url_column!r}", has_pictures=False)

    def _text_table(self, file: str) -> TextTable:
        settings = self._settings
        return TextTable(
            file,
            settings.url_column,
            self._texts,
            settings.columns,
            settings.types,
            settings.column_names,
            quote=settings.quote,
            caption_list=settings.caption_list,
        )

    def _read_text(self, file: str) -> Iterator[TablePart]:
        table, kind = self._text_table(file), _format(file)
        if kind in DELIMITERS:
            return table.csv(DELIMITERS[kind])
        readers: dict[str, Callable[[], Iterator[TablePart]]] = {
            "json": table.json,
            "jsonl": table.jsonl,
            "txt": table.txt,
        }
        return readers[kind]()

    def _rows(
        self, table: pa.Table, problems: Sequence[str | None] | None, found: FoundColumns | None, file: str
    ) -> pa.Table:
        """Return the table under the names of the house, all text as strings."""
        if _format(file) == "txt":
            url, caption, carried = "url", None, {}
        else:
            url, caption, carried = self._settings.url_column, self._settings.caption_column, self._carried
        nulls, lists = pa.nulls(table.num_rows, pa.string()), self._settings.caption_list
        columns = {
            "caption": captions_in(text_column(table, caption, file, lists=lists)) if caption else nulls,
            "url": url_column(table, url, file),
            PROBLEM: nulls if problems is None else pa.array(problems, pa.string()),
        }
        if found is not None and (note := found.note(Path(file).name)):
            columns[NOTE] = pa.array([note] * table.num_rows, pa.string())
        columns |= {final: self._carried_column(table, name, file) for final, name in carried.items()}
        has_types = _format(file) == "parquet"
        return with_carried(columns, {} if has_types else carried, self._settings.types)

    def _carried_column(self, table: pa.Table, name: str, file: str) -> pa.ChunkedArray:
        column, types = table[name], self._settings.types
        is_text = pa.types.is_binary(column.type)
        if _format(file) in DELIMITERS:
            return column_of_text(text_column(table, name, file), name, types, file)
        if _format(file) == "parquet" and name in types and not column.type.equals(arrow_type(types[name])):
            return column_of_text(text_column(table, name, file), name, types, file)
        if is_text:
            return text_column(table, name, file)
        return sql_column(column, name, file) if _format(file) == "parquet" else column


def _format(file: str) -> str:
    name = file.lower()
    plain = next((name.removesuffix(end) for end in PACKED if name.endswith(end)), name)
    suffix = plain.rpartition(".")[2]
    suffix = ALSO_CALLED.get(suffix, suffix)
    if suffix not in FORMATS:
        known = f"{', '.join(FORMATS)} (also {', '.join(PACKED)})"
        raise DataError(f"{file}: the format of a URL table is told by its name; known: {known}")
    return suffix
