"""Tables of URLs and captions, as LAION, DataComp, COYO or CC12M are published. Every row of the file becomes a row."""

import csv
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
from diptych.curate.sources import PROBLEM, find_files, readable
from diptych.curate.sources.columns import carried_names, clean_text, text_column
from diptych.errors import DataError
from diptych.lookup import describe_unknown

BLOCK_ROWS = 10_000
CSV_BLOCK_BYTES = 64 * 2**20  # a field may not be longer than this
FORMATS = ("parquet", "csv", "tsv", "jsonl", "json", "txt")
SUFFIXES = tuple(f".{name}{end}" for name in FORMATS for end in ("", ".gz"))
MAX_PROBLEM = 200
MAX_KEYS_SHOWN = 20

# Rows under the names of the file, and for each why it is unusable (or None for all). Apart, because a user's table may
# have a column of any name.
Part = tuple[pa.Table, list[str | None] | None]


class UrlTableSource:
    """See ``UrlTable`` in the config."""

    def __init__(self, settings: UrlTable) -> None:
        """Find the files; reads none yet."""
        self._settings = settings
        self._carried = carried_names(settings.columns)
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
        readers: dict[str, Callable[[Path], Iterator[Part]]] = {
            "parquet": self._parquet,
            "csv": lambda file: self._csv(file, ","),
            "tsv": lambda file: self._csv(file, "\t"),
            "json": self._json,
            "jsonl": self._jsonl,
            "txt": self._txt,
        }
        for file in self._files:
            with readable(file, _format(file)):
                for table, problems in readers[_format(file)](file):
                    yield self._rows(table, problems, file)

    @cached_property
    def _count(self) -> int:
        if all(_format(file) == "parquet" for file in self._files):
            return sum(_count_rows(file) for file in self._files)
        return sum(table.num_rows for table in self.tables())

    @property
    def _wanted(self) -> list[str]:
        caption = self._settings.caption_column
        return [self._settings.url_column, *([caption] if caption else []), *self._settings.columns]

    def _rows(self, table: pa.Table, problems: list[str | None] | None, file: Path) -> pa.Table:
        """Return the table under the names of the house, all text as strings."""
        if _format(file) == "txt":
            url, caption, carried = "url", None, {}
        else:
            url, caption, carried = self._settings.url_column, self._settings.caption_column, self._carried
            _check_columns(self._wanted, table.column_names, file)
        nulls = pa.nulls(table.num_rows, pa.string())
        columns = {
            "caption": text_column(table, caption, file) if caption else nulls,
            "url": text_column(table, url, file),
            PROBLEM: nulls if problems is None else pa.array(problems, pa.string()),
        }
        for final, name in carried.items():
            is_binary = pa.types.is_binary(table[name].type)
            columns[final] = text_column(table, name, file) if is_binary else table[name]
        return pa.table(columns)

    def _parquet(self, file: Path) -> Iterator[Part]:
        with file.open("rb") as handle:
            parquet = pq.ParquetFile(handle)
            _check_columns(self._wanted, parquet.schema_arrow.names, file)
            columns = [name for name in parquet.schema_arrow.names if name in self._wanted]
            for batch in parquet.iter_batches(BLOCK_ROWS, columns=columns):
                yield pa.Table.from_batches([batch]), None

    def _csv(self, file: Path, delimiter: str) -> Iterator[Part]:
        bad: list[str | None] = []

        def remember(row: pa_csv.InvalidRow) -> str:
            text = f"{row.actual_columns} columns instead of {row.expected_columns}: {row.text}"
            bad.append(clean_text(f"bad_row: {text[:MAX_PROBLEM]}"))
            return "skip"

        names = list(self._settings.column_names) if self._settings.column_names else None
        header = names or _header(file, delimiter, quote=self._settings.quote)
        _check_columns(self._wanted, header, file)
        parsing = pa_csv.ParseOptions(
            delimiter=delimiter,
            quote_char='"' if self._settings.quote else False,
            newlines_in_values=self._settings.quote,
            invalid_row_handler=remember,
        )
        with _opened(file) as handle:
            yield from ((table, None) for table in _csv_tables(handle, parsing, names, header))
        if bad:
            yield pa.table({name: pa.nulls(len(bad), pa.binary()) for name in header}), bad

    def _json(self, file: Path) -> Iterator[Part]:
        with _opened(file) as handle:
            value = json.loads(handle.read())
        if isinstance(value, dict):  # column -> values, or column -> {row: value} as pandas writes it
            columns = [list(column.values()) if isinstance(column, dict) else column for column in value.values()]
            if not all(isinstance(column, list) for column in columns) or len({len(column) for column in columns}) > 1:
                raise DataError(f"{file}: JSON of a URL table is a list of objects, or columns of one length")
            value = [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]
        if not isinstance(value, list):
            raise DataError(f"{file}: JSON of a URL table is a list of objects")
        yield from self._objects(iter(value), file)

    def _jsonl(self, file: Path) -> Iterator[Part]:
        with _opened(file) as handle:
            yield from self._objects((_parse_line(line) for line in handle if line.strip()), file)

    def _objects(self, rows: Iterator[Any], file: Path) -> Iterator[Part]:
        """Yield tables of the wanted keys as text, null where an object lacks one.

        What is no object becomes a row with a problem. Only the URL must be there, in one of the first objects.
        """
        is_checked = False
        while block := list(itertools.islice(rows, BLOCK_ROWS)):
            known = {name: None for row in block if isinstance(row, dict) for name in row}
            if known and not is_checked:
                _check_columns([self._settings.url_column], list(known), file)
                is_checked = True
            texts, problems = zip(*(_texts(row, self._wanted) for row in block), strict=True)
            columns = {name: pa.array([text.get(name) for text in texts], pa.string()) for name in self._wanted}
            yield pa.table(columns), list(problems)

    def _txt(self, file: Path) -> Iterator[Part]:
        with _opened(file) as handle:
            lines = (line.decode("utf-8", "replace").strip() for line in handle)
            kept = (line for line in lines if line)
            while block := list(itertools.islice(kept, BLOCK_ROWS)):
                yield pa.table({"url": pa.array(block, pa.string())}), None


def _check_columns(wanted: list[str], there: list[str], file: Path) -> None:
    """Refuse a table that lacks a column or has it twice; the message says which ones there are."""
    for name in wanted:
        if name not in there:
            shown = [clean_text(key) or "" for key in there[:MAX_KEYS_SHOWN]]
            raise DataError(f"{file}: {describe_unknown('column', name, shown)}")
        if there.count(name) > 1:
            raise DataError(f"{file}: there are {there.count(name)} columns {name!r}; rename all but one")


def _csv_tables(
    handle: IO[bytes], parsing: pa_csv.ParseOptions, names: list[str] | None, header: list[str]
) -> Iterator[pa.Table]:
    """Yield everything as bytes: a caption of digits is a caption, and "NA" and stray Latin-1 are no errors."""
    reading = pa_csv.ReadOptions(use_threads=False, column_names=names, block_size=CSV_BLOCK_BYTES)
    converting = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(header, pa.binary()), strings_can_be_null=True, null_values=[""]
    )
    for batch in pa_csv.open_csv(handle, reading, parsing, converting):
        table = pa.Table.from_batches([batch])
        yield from (table.slice(start, BLOCK_ROWS) for start in range(0, table.num_rows, BLOCK_ROWS))


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


def _header(file: Path, delimiter: str, *, quote: bool) -> list[str]:
    with _opened(file) as handle:
        first = handle.readline()
        if first.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise DataError(f"{file}: cannot be read as {_format(file)}: it is UTF-16; save it as UTF-8")
        lines = (line.decode("utf-8-sig", "replace") for line in itertools.chain([first], handle))
        rows = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE)
        return next((row for row in rows if row), [])


def _count_rows(file: Path) -> int:
    with readable(file, "parquet"):
        rows: int = pq.read_metadata(file).num_rows
        return rows


def _identify(file: Path) -> dict[str, Any]:
    with file.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return {"name": file.name, "bytes": file.stat().st_size, "sha256": digest}


def _parse_line(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return line.decode("utf-8", "replace").strip()


def _texts(row: Any, wanted: list[str]) -> tuple[dict[str, str | None], str | None]:
    """Return the wanted values of an object as text, and the problem of what is no object."""
    try:
        if isinstance(row, dict):
            return {name: _as_text(row.get(name)) for name in wanted}, None
        return {}, clean_text(f"bad_row: {str(row)[:MAX_PROBLEM]}")
    except RecursionError:  # what can just be read may be too deep to be written
        return {}, "bad_row: nested too deeply"


def _as_text(value: Any) -> str | None:
    return clean_text(value) if value is None or isinstance(value, str) else json.dumps(value, sort_keys=True)
