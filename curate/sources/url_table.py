"""Tables of URLs and captions, as LAION, DataComp, COYO or CC12M are published. Every row of the file becomes a row."""

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from diptych.curate.config import UrlTable
from diptych.curate.sources.bounded import parquet_tables, skip_rows
from diptych.curate.sources.column_types import arrow_type, column_of_text, with_carried
from diptych.curate.sources.columns import captions_in, carried_names, check_columns, text_column, url_column
from diptych.curate.sources.contract import PROBLEM, TABLE_ROWS, Part, Tables
from diptych.curate.sources.empty_files import is_empty, row_of_empty_file
from diptych.curate.sources.files import find_files, readable
from diptych.curate.sources.parquet_columns import sql_column
from diptych.curate.sources.text_tables import TablePart, TextTable
from diptych.errors import DataError

FORMATS = ("parquet", "csv", "tsv", "jsonl", "json", "txt")
ALSO_CALLED = {"ndjson": "jsonl"}
SUFFIXES = tuple(f".{name}{end}" for name in (*FORMATS, *ALSO_CALLED) for end in ("", ".gz"))


class UrlTableSource:
    """See ``UrlTable`` in the config."""

    def __init__(self, settings: UrlTable) -> None:
        """Take the settings."""
        self._settings = settings
        self._carried = carried_names(settings.columns)

    def parts(self) -> Sequence[Part]:
        """Return a part for each file."""
        return [Part(file.name, (str(file),)) for file in find_files(self._settings.path, SUFFIXES)]

    def tables(self, files: Sequence[str], start: int = 0) -> Tables:
        """Yield URLs, captions and the named columns."""
        file = files[0]
        with readable(file, _format(file)):
            if is_empty(file) and not self._is_table_of_no_rows(file):
                yield row_of_empty_file(file, has_pictures=False).slice(start)
            elif self.jumps(file):
                yield from (self._rows(table, None, file) for table in self._parquet(file, start))
            else:
                parts = self._text(file)
                yield from skip_rows((self._rows(table, problems, file) for table, problems in parts), start)

    def jumps(self, file: str) -> bool:
        """Return whether it is Parquet, in which row groups are passed over; of text, every line has to be read."""
        return _format(file) == "parquet"

    def _is_table_of_no_rows(self, file: str) -> bool:
        """Return whether a file without a byte is a whole table: of lines that need no header."""
        return _format(file) in ("jsonl", "txt") or (
            _format(file) in ("csv", "tsv") and bool(self._settings.column_names)
        )

    @property
    def _wanted(self) -> dict[str, str]:
        """The columns to read, and for each the key that says it."""
        return {**dict.fromkeys((*self._texts, *self._settings.columns), "columns"), **self._texts}

    @property
    def _texts(self) -> dict[str, str]:
        caption = self._settings.caption_column
        return {self._settings.url_column: "url_column", **({caption: "caption_column"} if caption else {})}

    def _parquet(self, file: str, start: int) -> Iterator[pa.Table]:
        names = pq.read_schema(file).names
        check_columns(self._wanted, names, file)
        return parquet_tables(file, [name for name in names if name in self._wanted], start, step=TABLE_ROWS)

    def _text(self, file: str) -> Iterator[TablePart]:
        settings = self._settings
        table = TextTable(
            file,
            settings.url_column,
            self._texts,
            settings.columns,
            settings.types,
            settings.column_names,
            quote=settings.quote,
            caption_list=settings.caption_list,
        )
        readers: dict[str, Callable[[], Iterator[TablePart]]] = {
            "csv": lambda: table.csv(","),
            "tsv": lambda: table.csv("\t"),
            "json": table.json,
            "jsonl": table.jsonl,
            "txt": table.txt,
        }
        return readers[_format(file)]()

    def _rows(self, table: pa.Table, problems: Sequence[str | None] | None, file: str) -> pa.Table:
        """Return the table under the names of the house, all text as strings."""
        if _format(file) == "txt":
            url, caption, carried = "url", None, {}
        else:
            url, caption, carried = self._settings.url_column, self._settings.caption_column, self._carried
            check_columns(self._wanted, table.column_names, file)
        nulls, lists = pa.nulls(table.num_rows, pa.string()), self._settings.caption_list
        columns = {
            "caption": captions_in(text_column(table, caption, file, lists=lists)) if caption else nulls,
            "url": url_column(table, url, file),
            PROBLEM: nulls if problems is None else pa.array(problems, pa.string()),
        }
        columns |= {final: self._carried_column(table, name, file) for final, name in carried.items()}
        has_types = _format(file) == "parquet"
        return with_carried(columns, {} if has_types else carried, self._settings.types)

    def _carried_column(self, table: pa.Table, name: str, file: str) -> pa.ChunkedArray:
        column, types = table[name], self._settings.types
        is_text = pa.types.is_binary(column.type)
        if _format(file) in ("csv", "tsv"):
            return column_of_text(text_column(table, name, file), name, types, file)
        if _format(file) == "parquet" and name in types and not column.type.equals(arrow_type(types[name])):
            return column_of_text(text_column(table, name, file), name, types, file)
        if is_text:
            return text_column(table, name, file)
        return sql_column(column, name, file) if _format(file) == "parquet" else column


def _format(file: str) -> str:
    suffix = file.lower().removesuffix(".gz").rpartition(".")[2]
    suffix = ALSO_CALLED.get(suffix, suffix)
    if suffix not in FORMATS:
        raise DataError(
            f"{file}: the format of a URL table is told by its name; known: {', '.join(FORMATS)} (also .gz)"
        )
    return suffix
