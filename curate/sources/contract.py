"""What a source is: parts in a fixed order, and tables of the rows in them.

A worker is told which rows to read (``RowRange``), not given the rows, so that it may be anywhere.
"""

import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from diptych.data.folder_walk import valid_name

# Columns of the tables that no dataset has; a user's table may well have a column "problem" or "name".
PROBLEM, BYTES, NAME, NOTE = "__problem", "__bytes", "__name", "__note"
HELPER_COLUMNS = (PROBLEM, BYTES, NAME, NOTE)

TABLE_ROWS = 10_000
TABLE_BYTES = 16 * 2**20


Tables = Generator[pa.Table, None, None]


def leads_out(file: str, root: str) -> bool:
    """Return whether a path, which others may have written, is none of those within a folder.

    >>> leads_out("a/b.jpg", "a"), leads_out("a/../b.jpg", "a"), leads_out("b.jpg", "."), leads_out("/b.jpg", ".")
    (False, True, False, True)
    """
    start = "" if root == "." else f"{root.rstrip('/')}/"
    within = file[len(start) :]
    return not file.startswith(start) or within.startswith("/") or ".." in within.split("/")


@dataclass(frozen=True)
class RowRange:
    """Some rows that follow one another.

    Attributes:
        files: Where they lie.
        start: The first of them, counted over all rows of ``files``.
        stop: Behind the last.
    """

    files: tuple[str, ...]
    start: int
    stop: int


@dataclass(frozen=True)
class Part:
    """Rows that are cut into shards by themselves, so that what comes behind them changes none of their shards.

    Attributes:
        name: What it is called where inputs are listed.
        files: One file of rows; or files of which each is one row, its picture.
        caption_of: Where each file is one row: gives the caption of a file.
        beside: Further files that decide the rows.
        root: Folder from which on the names of ``files`` count.
    """

    name: str
    files: tuple[str, ...]
    caption_of: Callable[[str], str | None] | None = None
    beside: tuple[str, ...] = ()
    root: str = ""

    @property
    def one_each(self) -> bool:
        """Whether each file is one row."""
        return self.caption_of is not None

    def shown(self, file: str) -> str:
        """Return the path of a file within the root; a name that is no UTF-8 has replacement characters."""
        return valid_name(os.path.relpath(file, self.root))

    def range(self, start: int, stop: int) -> RowRange:
        """Return the rows from one on up to another."""
        if self.one_each:
            return RowRange(self.files[start:stop], 0, stop - start)
        return RowRange(self.files, start, stop)


class RowSource(Protocol):
    """Rows in a fixed order.

    A table has the columns ``caption`` and ``url`` (strings or null) and ``__problem`` (string: why a row is unusable
    from the start, else null). ``__bytes`` (binary) holds the picture; without that column it is at ``url``. By
    ``__name`` (string) a row without a picture is known where its name says more than its URL; ``__note`` (string) says
    what beside a picture that is there could not be read; both columns may be missing. All others are carried along.
    """

    def parts(self) -> Sequence[Part]:
        """Return what is there; reads no rows."""
        ...

    def tables(self, files: Sequence[str], start: int = 0) -> Tables:
        """Yield the rows of files of one part from row ``start`` on, in tables bounded by rows and bytes.

        Raises:
            DataError: If a file cannot be read.
        """
        ...

    def jumps(self, file: str) -> bool:
        """Return whether a later row of a file is reached without reading those before it."""
        ...
