"""Sources: where rows come from. Each yields tables of rows in a fixed order, whatever it reads."""

import csv
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from diptych.errors import DataError
from diptych.lookup import resolve

# To add one: a module with a class made from its settings, a line here (alphabetical), settings in config.py, a test.
SOURCES: dict[str, str] = {
    "folder": "diptych.curate.sources.folder:FolderSource",
    "parquet": "diptych.curate.sources.parquet:ParquetSource",
    "url_table": "diptych.curate.sources.url_table:UrlTableSource",
    "webdataset": "diptych.curate.sources.webdataset:WebDatasetSource",
}

# Columns of the tables that no dataset has; a user's table may well have a column "problem" or "path".
PROBLEM, BYTES, PATH = "__problem", "__bytes", "__path"

# What the libraries below throw at damaged or hostile files. EOFError: a cut gzip; KeyError: pyarrow's for a name that
# is there twice; RecursionError: nested JSON.
READ_ERRORS = (
    pa.ArrowException,
    ValueError,  # also UnicodeError
    TypeError,
    KeyError,
    RecursionError,
    EOFError,
    OSError,  # also gzip.BadGzipFile
    zlib.error,
    lzma.LZMAError,
    tarfile.TarError,
    csv.Error,
)


class RowSource(Protocol):
    """Rows in a fixed order.

    A table has the columns ``caption`` and ``url`` (strings or null) and one of three ways to the image: ``__bytes``
    (binary) holds it, ``__path`` (binary, as ``os.fsencode`` gives it) is a local file, and without both it is at
    ``url``. The string column ``__problem`` says why a row is unusable from the start. All other columns are carried
    along.
    """

    def inputs(self) -> list[dict[str, Any]]:
        """Return what identifies the content: one entry per file."""
        ...

    def count(self) -> int:
        """Return the number of rows."""
        ...

    def bytes_on_disk(self) -> int | None:
        """Return how many bytes the images take, where that is known before they are fetched."""
        ...

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rows in order, in tables of any size, all of one schema."""
        ...


class GuardedSource:
    """A source of which every failure to read is a ``DataError`` and every table has the same schema."""

    def __init__(self, source: RowSource, path: Path, kind: str) -> None:
        """Stand before ``source``, which reads ``path``."""
        self._source = source
        self._path = path
        self._kind = kind

    def inputs(self) -> list[dict[str, Any]]:
        """Return what identifies the content: one entry per file."""
        with readable(self._path, self._kind):
            return self._source.inputs()

    def count(self) -> int:
        """Return the number of rows."""
        with readable(self._path, self._kind):
            return self._source.count()

    def bytes_on_disk(self) -> int | None:
        """Return how many bytes the images take, where that is known before they are fetched."""
        with readable(self._path, self._kind):
            return self._source.bytes_on_disk()

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rows in order; nothing at all where there are none."""
        schema: pa.Schema | None = None
        with readable(self._path, self._kind):
            for table in self._source.tables():
                schema = schema or table.schema
                if not table.schema.equals(schema):
                    raise DataError(f"{self._path}: {_difference(schema, table.schema)}")
                yield table


def open_source(settings: Any) -> RowSource:
    """Return the source that the settings describe.

    Raises:
        DataError: If there is nothing at its path, or nothing readable.
    """
    make = resolve(SOURCES, "source", settings.kind)
    with readable(settings.path, settings.kind):
        return GuardedSource(make(settings), settings.path, settings.kind)


@contextmanager
def readable(path: Path, kind: str) -> Iterator[None]:
    """Turn what a library says about a file that it cannot read into one line.

    Raises:
        DataError: Instead of any of ``READ_ERRORS``.
    """
    try:
        yield
    except READ_ERRORS as error:
        # A KeyError shows as the bare key, an EOFError as nothing: then the kind of error is said, too.
        cause = (str(error).strip().splitlines() or [""])[0]
        cause = f"{type(error).__name__} {cause}".strip() if isinstance(error, KeyError) or not cause else cause
        raise DataError(f"{path}: cannot be read as {kind}: {cause}") from error


def _difference(first: pa.Schema, other: pa.Schema) -> str:
    for name in first.names:
        if name in other.names and first.field(name).type != other.field(name).type:
            kinds = f"{first.field(name).type} in one file and {other.field(name).type} in another"
            return f"the column {name!r} holds {kinds}"
    return f"the files have different columns: {', '.join(first.names)} and {', '.join(other.names)}"


def cut(tables: Iterator[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Yield tables of exactly ``rows`` rows each (the last one fewer), however the given ones are cut."""
    waiting: list[pa.Table] = []
    total = 0
    for table in tables:
        waiting.append(table)
        total += table.num_rows
        while total >= rows:
            joined = pa.concat_tables(waiting)
            yield joined.slice(0, rows)
            waiting, total = [joined.slice(rows)], total - rows
    if total:
        yield pa.concat_tables(waiting)


def find_files(path: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Return the file, the files of a folder with one of the suffixes, or what a glob matches; sorted by name.

    Raises:
        DataError: If there is none.
    """
    if path.is_file():
        return [path]
    if path.is_dir():
        found = [file for file in path.iterdir() if file.is_file() and file.name.lower().endswith(suffixes)]
    else:
        found = [file for file in path.parent.glob(path.name) if file.is_file()]
    if not found:
        raise DataError(f"{path}: no file there that ends in {', '.join(suffixes)}")
    return sorted(found)
