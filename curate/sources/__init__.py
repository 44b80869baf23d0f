"""Sources: where rows come from. Each yields tables of rows in a fixed order, whatever it reads."""

from collections.abc import Iterator
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


class RowSource(Protocol):
    """Rows in a fixed order.

    A table has the columns ``caption`` and ``url`` (strings or null) and one of three ways to the image: ``bytes``
    (binary) holds it, ``path`` (string) is a local file, and without both it is at ``url``. A string column ``problem``
    may say why a row is unusable from the start. All other columns are carried along.
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


def open_source(settings: Any) -> RowSource:
    """Return the source that the settings describe.

    Raises:
        DataError: If there is nothing at its path.
    """
    source: RowSource = resolve(SOURCES, "source", settings.kind)(settings)
    return source


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
