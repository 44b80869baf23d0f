"""Tables of URLs and captions, as LAION, DataComp, COYO or CC12M are published. Every row of the file becomes a row."""

import gzip
import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from diptych.curate.config import UrlTable
from diptych.curate.sources import find_files
from diptych.errors import DataError
from diptych.lookup import describe_unknown
from diptych.shards import DATA_COLUMNS

BLOCK_ROWS = 10_000
FORMATS = ("parquet", "csv", "tsv", "jsonl", "json", "txt")
SUFFIXES = tuple(f".{name}{end}" for name in FORMATS for end in ("", ".gz"))
MAX_PROBLEM = 200


class UrlTableSource:
    """See ``UrlTable`` in the config."""

    def __init__(self, settings: UrlTable) -> None:
        """Find the files; reads none yet."""
        self._settings = settings
        self._files = find_files(settings.path, SUFFIXES)

    def inputs(self) -> list[dict[str, Any]]:
        """Return name, size and sha256 of each file."""
        return [_identify(file) for file in self._files]

    def count(self) -> int:
        """Return the number of rows."""
        return self._count

    def bytes_on_disk(self) -> int | None:
        """Return None: what lies behind a URL is not known before it is fetched."""
        return None

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rows of all files in order."""
        readers: dict[str, Callable[[Path], Iterator[pa.Table]]] = {
            "parquet": self._parquet,
            "csv": lambda file: self._csv(file, ","),
            "tsv": lambda file: self._csv(file, "\t"),
            "json": self._json,
            "jsonl": self._jsonl,
            "txt": self._txt,
        }
        for file in self._files:
            for table in readers[_format(file)](file):
                yield self._rows(table, file)

    @cached_property
    def _count(self) -> int:
        if all(_format(file) == "parquet" for file in self._files):
            return sum(pq.read_metadata(file).num_rows for file in self._files)
        return sum(table.num_rows for table in self.tables())

    def _rows(self, table: pa.Table, file: Path) -> pa.Table:
        """Return the table under the names of the house, all text as strings."""
        settings = self._settings
        caption = settings.caption_column
        wanted = [settings.url_column, *([caption] if caption else []), *settings.columns]
        if _format(file) == "txt":
            wanted = ["url"]
        for name in wanted:
            if name not in table.column_names:
                raise DataError(f"{file}: {describe_unknown('column', name, table.column_names)}")
        is_txt = _format(file) == "txt"
        columns = {
            "caption": _text(table[caption]) if caption and not is_txt else pa.nulls(table.num_rows, pa.string()),
            "url": _text(table["url" if is_txt else settings.url_column]),
            "problem": table["problem"] if "problem" in table.column_names else pa.nulls(table.num_rows, pa.string()),
        }
        for name in settings.columns:
            is_binary = pa.types.is_binary(table[name].type)
            columns[carried_name(name)] = _text(table[name]) if is_binary else table[name]
        return pa.table(columns)

    def _parquet(self, file: Path) -> Iterator[pa.Table]:
        settings = self._settings
        wanted = {settings.url_column, settings.caption_column, *settings.columns}
        try:
            with file.open("rb") as handle:
                parquet = pq.ParquetFile(handle)
                columns = [name for name in parquet.schema_arrow.names if name in wanted]
                if parquet.metadata.num_rows == 0 or len(columns) < len(wanted - {None}):
                    yield parquet.schema_arrow.empty_table()  # lets a missing column be named
                for batch in parquet.iter_batches(BLOCK_ROWS, columns=columns):
                    yield pa.Table.from_batches([batch])
        except pa.ArrowInvalid as error:
            raise DataError(f"{file}: not a readable Parquet file: {error}") from error

    def _csv(self, file: Path, delimiter: str) -> Iterator[pa.Table]:
        bad: list[str] = []

        def remember(row: pa_csv.InvalidRow) -> str:
            text = f"{row.actual_columns} columns instead of {row.expected_columns}: {row.text}"
            bad.append(f"bad_row: {text[:MAX_PROBLEM]}")
            return "skip"

        names = list(self._settings.column_names) if self._settings.column_names else None
        try:
            with _opened(file) as handle:
                header = names or _header(file, delimiter)
                reader = pa_csv.open_csv(
                    handle,
                    pa_csv.ReadOptions(use_threads=False, column_names=names),
                    pa_csv.ParseOptions(
                        delimiter=delimiter,
                        quote_char='"' if self._settings.quote else False,
                        newlines_in_values=self._settings.quote,
                        invalid_row_handler=remember,
                    ),
                    # Everything as bytes: a caption of digits is a caption, and "NA" and stray Latin-1 are no errors.
                    pa_csv.ConvertOptions(
                        column_types=dict.fromkeys(header, pa.binary()), strings_can_be_null=True, null_values=[""]
                    ),
                )
                for batch in reader:
                    yield pa.Table.from_batches([batch])
            if bad:
                empty = {name: pa.nulls(len(bad), pa.binary()) for name in header}
                yield pa.table({**empty, "problem": pa.array(bad)})
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{file}: not readable as {_format(file)}: {_first_line(error)}") from error

    def _json(self, file: Path) -> Iterator[pa.Table]:
        try:
            with _opened(file) as handle:
                value = json.loads(handle.read())
        except (ValueError, OSError) as error:
            raise DataError(f"{file}: not readable as JSON: {_first_line(error)}") from error
        if isinstance(value, dict):  # column -> values, or column -> {row: value} as pandas writes it
            columns = [list(column.values()) if isinstance(column, dict) else column for column in value.values()]
            value = [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]
        if not isinstance(value, list):
            raise DataError(f"{file}: JSON of a URL table is a list of objects")
        yield from self._objects(iter(value))

    def _jsonl(self, file: Path) -> Iterator[pa.Table]:
        with _opened(file) as handle:
            yield from self._objects(_parse_line(line) for line in handle if line.strip())

    def _objects(self, rows: Iterator[Any]) -> Iterator[pa.Table]:
        """Yield tables of the wanted keys as text; what is no object becomes a row with a problem."""
        settings = self._settings
        wanted = [
            settings.url_column,
            *([settings.caption_column] if settings.caption_column else []),
            *settings.columns,
        ]
        while block := list(itertools.islice(rows, BLOCK_ROWS)):
            problems = [None if isinstance(row, dict) else f"bad_row: {str(row)[:MAX_PROBLEM]}" for row in block]
            known = {name for row in block if isinstance(row, dict) for name in row}
            objects = [row if isinstance(row, dict) else {} for row in block]
            present = [name for name in wanted if name in known] if known else wanted
            columns: dict[str, Any] = {
                name: pa.array([_as_text(row.get(name)) for row in objects], pa.string()) for name in present
            }
            yield pa.table({**columns, "problem": pa.array(problems, pa.string())})

    def _txt(self, file: Path) -> Iterator[pa.Table]:
        with _opened(file) as handle:
            lines = (line.decode("utf-8", "replace").strip() for line in handle)
            kept = (line for line in lines if line)
            while block := list(itertools.islice(kept, BLOCK_ROWS)):
                yield pa.table({"url": pa.array(block, pa.string())})


def carried_name(name: str) -> str:
    """Return the name under which a column of the source is carried: its own, unless diptych has one of that name.

    >>> carried_name("width"), carried_name("punsafe")
    ('source_width', 'punsafe')
    """
    return f"source_{name}" if name in (*DATA_COLUMNS, "problem", "bytes", "path") else name


def _format(file: Path) -> str:
    name = file.name.lower().removesuffix(".gz")
    suffix = name.rpartition(".")[2]
    if suffix not in FORMATS:
        raise DataError(
            f"{file}: the format of a URL table is told by its name; known: {', '.join(FORMATS)} (also .gz)"
        )
    return suffix


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    with gzip.open(file, "rb") if file.name.lower().endswith(".gz") else file.open("rb") as handle:
        yield handle  # type: ignore[misc]  # GzipFile reads as a binary file does


def _header(file: Path, delimiter: str) -> list[str]:
    import csv

    with _opened(file) as handle:
        line = handle.readline().decode("utf-8-sig", "replace").rstrip("\r\n")
    return next(csv.reader([line], delimiter=delimiter), [])


def _identify(file: Path) -> dict[str, Any]:
    with file.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return {"name": file.name, "bytes": file.stat().st_size, "sha256": digest}


def _parse_line(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return line.decode("utf-8", "replace").strip()


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        # A lone surrogate is legal JSON and illegal UTF-8.
        return None if value is None else value.encode("utf-8", "replace").decode("utf-8")
    return json.dumps(value, sort_keys=True)


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        values = [None if value is None else value.decode("utf-8", "replace") for value in column.to_pylist()]
        return pa.chunked_array([pa.array(values, pa.string())])
    return column.cast(pa.string())


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
