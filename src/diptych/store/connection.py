"""An open DuckDB file: SQL in, rows or an Arrow table out, all or nothing in a transaction, one line where it fails.

One process may write, or any number may read. Nothing from the network or from other files is reached, whatever SQL
somebody tries. Decides nothing about tables.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from diptych.errors import MissingExtra, StoreError, StoreInUse, first_line
from diptych.shortage import what_ran_out
from diptych.storage.location import Location
from diptych.storage.spill import spill_settings
from diptych.storage.store_path import ReadPath
from diptych.store.seal import is_duckdb

SAFE: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,  # no Python variables as tables
}
# The oldest DuckDB that can read a file: what it writes by itself only its own version and newer ones can.
STORAGE = {"storage_compatibility_version": "v1.2.0"}

# What DuckDB 1 and 2 say where a file does not open. Whole phrases: a path may have any word in it, and so does
# "in block at location", which is no lock.
IN_USE = re.compile(r"Could not set lock on file|being used by another process|with a different configuration than")
DAMAGED = re.compile(r"[Cc]orrupt database file|computed checksum|Could not read enough bytes")
OTHER_VERSION = re.compile(r"storage version|version number", re.IGNORECASE)


class StoreFile:
    """A DuckDB file that is open.

    Attributes:
        path: Where it lies.
        called: What messages call it: its path, or the address of which it is a copy.
        read_only: Whether nothing is written.
    """

    def __init__(self, path: Path, *, read_only: bool) -> None:
        """Open the file; for writing, make it if there is none.

        Raises:
            StoreError: If it is no DuckDB file that can be read.
            StoreInUse: If another process is using it.
        """
        self.path = path
        self.called: ReadPath = path
        self.read_only = read_only
        self._connection = _connect(path, read_only=read_only)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
        """Run SQL; return the name and type of each column, and the rows.

        Raises:
            StoreError: If DuckDB refuses.
        """
        import duckdb

        try:
            done = self._connection.execute(sql, list(parameters)) if parameters else self._connection.execute(sql)
            columns = [(str(column[0]), str(column[1])) for column in done.description or ()]
            return columns, done.fetchall() if columns else []  # all: DuckDB 2 wants no query while rows are unread
        except duckdb.Error as error:
            raise StoreError(f"{self.called}: {_said(error)}") from error

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run SQL that has no answer.

        Raises:
            StoreError: If DuckDB refuses.
        """
        self.fetch(sql, parameters)

    def arrow(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Return the rows of a query as an Arrow table; JSON is text in it.

        Raises:
            StoreError: If DuckDB refuses.
        """
        import duckdb

        try:
            return self._connection.sql(sql, params=list(parameters)).to_arrow_table()
        except duckdb.Error as error:
            raise StoreError(f"{self.called}: {_said(error)}") from error

    def insert(self, table: str, rows: pa.Table, select: str = "*") -> None:
        """Insert rows by the names of their columns.

        Args:
            table: Where.
            rows: What; columns that it lacks become null.
            select: SQL over its columns that gives the columns of the table.

        Raises:
            StoreError: If DuckDB refuses.
        """
        if not rows.num_rows:
            return
        self._connection.register("incoming", rows)
        try:
            self.execute(f"INSERT INTO {table} BY NAME SELECT {select} FROM incoming")
        finally:
            self._connection.unregister("incoming")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what the block does appear as a whole or not at all.

        Raises:
            StoreError: If the disk or the database refuses; the file is then as it was.
        """
        self.execute("BEGIN")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            with suppress(StoreError):  # the reason for going back is the one to tell
                self.execute("ROLLBACK")
            raise


def _connect(path: Path, *, read_only: bool) -> Any:
    place = Location.at(path)
    if place.is_file() and not is_duckdb(place):
        raise StoreError(f"{path}: not a DuckDB file; give another path")
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise MissingExtra("evaluate", "duckdb") from error
    config = {**SAFE, **spill_settings(), **({} if read_only else STORAGE)}
    try:
        if not read_only and not path.exists():
            _begin(path, config)
        return duckdb.connect(str(path), read_only=read_only, config=config)
    except OSError as error:
        raise StoreError(f"{path}: cannot be made: {error.strerror}; give another place") from error
    except duckdb.Error as error:
        kind = StoreInUse if IN_USE.search(str(error)) else StoreError
        raise kind(f"{path}: {_refusal(error)}") from error


def _begin(path: Path, config: dict[str, Any]) -> None:
    """Make an empty file, whole or not at all: DuckDB itself leaves the half of one where the disk is full.

    It takes its place only where none is by now, since another process may have begun one.
    """
    import duckdb

    path.parent.mkdir(parents=True, exist_ok=True)
    begun = path.with_name(f".{os.getpid()}.tmp")
    try:
        duckdb.connect(str(begun), config=config).close()
        try:
            os.link(begun, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            begun.rename(path)
    except duckdb.Error as error:
        raise type(error)(str(error).replace(str(begun), str(path))) from error
    finally:
        begun.unlink(missing_ok=True)


def _refusal(error: BaseException) -> str:
    """Say in one line why a file does not open and what to do."""
    message, said = str(error), _said(error)
    if IN_USE.search(message):
        process = re.search(r"PID (\d+)", message)
        who = f"process {process[1]}" if process else "another connection"
        return f"{who} is using the store; wait until it is done, or stop it"
    if DAMAGED.search(message):
        return said
    if OTHER_VERSION.search(message):
        return f"written by another version of DuckDB: {said}; install a newer duckdb"
    if what_ran_out(error) == "disk":
        return f"cannot be made: {said}"
    return f"cannot be opened: {said}; give another path"


def _said(error: BaseException) -> str:
    """Return what DuckDB says in one line; of damage and full disks, which any query may meet, also what to do."""
    said = first_line(error)
    if what_ran_out(error) == "disk":
        return f"{said}; make room, then run again"
    return f"is damaged: {said}; restore it, or evaluate again into another store" if DAMAGED.search(said) else said
