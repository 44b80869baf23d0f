"""The store: one DuckDB file with what evaluations found, written as a whole run at a time and read by reports.

One process may write, or any number may read. A run is replaced in one transaction, so that a reader, or a rerun after
a kill, finds either the old run or the new one. Rows arrive as Arrow tables, never one by one.
"""

import dataclasses
import json
import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from diptych.config.identity import fingerprint, short_id
from diptych.errors import MissingExtra, StoreError, first_line
from diptych.store.tables import (
    MIGRATIONS,
    TABLE_OF,
    TABLES,
    AuditRow,
    DatasetRow,
    DifferenceRow,
    ImageRow,
    ResultRow,
    Run,
    ScoreColumn,
    ScoreRow,
)

__all__ = [
    "TABLES",
    "AuditRow",
    "DatasetRow",
    "DifferenceRow",
    "ImageRow",
    "ResultRow",
    "Run",
    "ScoreColumn",
    "ScoreRow",
    "Store",
]

Row = TypeVar("Row")

# Nothing from the network or from other files, whatever SQL somebody tries, and no Python variables as tables.
SAFE: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
}
SHAPES = {int: pa.int64(), float: pa.float64(), str: pa.string(), bool: pa.bool_()}
# Columns that say what a run was made with and where; they are no part of what it found.
NOT_CONTENT = {"runs": {"provenance", "config"}, "datasets": {"path"}}


class Store:
    """An open store. Use it as a context manager."""

    def __init__(self, path: Path, connection: Any) -> None:
        """Wrap a connection; use ``Store.open``."""
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path, read_only: bool = False) -> "Store":
        """Open a store; for writing, make it if there is none. An older schema is brought up to date first.

        Raises:
            StoreError: If another process is using it, it is no store, it is of a newer diptych, or, for reading, it
                does not exist.
        """
        path = Path(path).absolute()
        if read_only and not path.is_file():
            raise StoreError(f"{path}: no such store; make it with: diptych evaluate run CONFIG")
        store = cls(path, _connect(path, read_only=read_only))
        try:
            version = store._version()
            if version < len(MIGRATIONS) and read_only:
                store.close()
                cls.open(path).close()
                return cls.open(path, read_only=True)
            if version < len(MIGRATIONS):
                store._migrate(version)
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> "Store":
        """Return the store."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return the rows of a query as dictionaries; columns of type JSON as the values that they hold.

        Raises:
            StoreError: If the SQL is wrong.
        """
        columns, rows = self._fetch(sql, parameters)
        is_json = [kind == "JSON" for _, kind in columns]
        return [
            {
                name: json.loads(value) if decode and value is not None else value
                for (name, _), decode, value in zip(columns, is_json, row, strict=True)
            }
            for row in rows
        ]

    def arrow(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Return the rows of a query as an Arrow table, for many rows; JSON is text in it.

        Raises:
            StoreError: If the SQL is wrong.
        """
        import duckdb

        try:
            return self._connection.sql(sql, params=list(parameters)).to_arrow_table()
        except duckdb.Error as error:
            raise StoreError(f"{self.path}: {first_line(error)}") from error

    @contextmanager
    def replace_run(self, run: Run) -> Iterator[None]:
        """Put a run in the place of all of its name or id: what the block inserts appears as a whole or not at all.

        Raises:
            StoreError: If the disk or the database refuses; the store is then as it was.
        """
        with self._transaction():
            found = self._fetch("SELECT run_id FROM runs WHERE run_id = ? OR name = ?", [run.run_id, run.name])[1]
            self._delete([run_id for (run_id,) in found])
            self._insert(Run, [run])
            yield
            self._forget_unused_identities()

    def delete_run(self, run_id: str) -> None:
        """Remove a run and what only it used."""
        with self._transaction():
            self._delete([run_id])
            self._forget_unused_identities()

    def insert_identity(self, identity: Mapping[str, Any]) -> str:
        """Note an identity, once, and return its id: the first 8 hex digits of its fingerprint."""
        identity_id = short_id(identity)
        sql = "INSERT INTO identities VALUES (?, ?) ON CONFLICT DO NOTHING"
        self._execute(sql, [identity_id, _json(identity, sort_keys=True)])
        return identity_id

    def insert_datasets(self, rows: Sequence[DatasetRow]) -> None:
        """Insert datasets of a run."""
        self._insert(DatasetRow, rows)

    def insert_images(self, rows: Sequence[ImageRow] | pa.Table) -> None:
        """Insert images; a table may leave columns of ``ImageRow`` out, which are null then."""
        self._insert(ImageRow, rows)

    def insert_score_columns(self, rows: Sequence[ScoreColumn]) -> None:
        """Insert what scores mean."""
        self._insert(ScoreColumn, rows)

    def insert_scores(self, rows: Sequence[ScoreRow] | pa.Table) -> None:
        """Insert scores; NaN becomes null."""
        self._insert(ScoreRow, rows)

    def insert_results(self, rows: Sequence[ResultRow]) -> None:
        """Insert results; NaN becomes null."""
        self._insert(ResultRow, rows)

    def insert_differences(self, rows: Sequence[DifferenceRow]) -> None:
        """Insert differences; NaN becomes null."""
        self._insert(DifferenceRow, rows)

    def insert_audits(self, rows: Sequence[AuditRow]) -> None:
        """Insert shares of attributes; NaN becomes null."""
        self._insert(AuditRow, rows)

    def digest(self) -> str:
        """Return the sha256 (hex) of all that the runs found: rows in any order, without provenance and paths."""
        content = {}
        for table in TABLES:
            left_out = NOT_CONTENT.get(table, set())
            columns = [name for name, _ in self._fetch(f"SELECT * FROM {table} LIMIT 0")[0] if name not in left_out]
            content[table] = self._fetch(f"SELECT {', '.join(columns)} FROM {table} ORDER BY ALL")[1]
        return fingerprint(content)

    def _insert(self, kind: type[Row], rows: Sequence[Row] | pa.Table) -> None:
        table = rows if isinstance(rows, pa.Table) else rows_to_table(kind, rows)
        if not table.num_rows:
            return
        self._connection.register("incoming", _without_nan(table))
        try:
            self._execute(f"INSERT INTO {TABLE_OF[kind]} BY NAME SELECT * FROM incoming")
        finally:
            self._connection.unregister("incoming")

    def _delete(self, run_ids: Sequence[str]) -> None:
        for table in TABLES:
            if table != "identities":
                self._execute(f"DELETE FROM {table} WHERE list_contains(?::VARCHAR[], run_id)", [list(run_ids)])

    def _forget_unused_identities(self) -> None:
        users = ("score_columns", "results", "differences", "audits")
        used = " UNION ALL ".join(f"SELECT identity_id FROM {table} WHERE identity_id IS NOT NULL" for table in users)
        self._execute(f"DELETE FROM identities WHERE identity_id NOT IN ({used})")

    def _version(self) -> int:
        tables = {name for (name,) in self._fetch("SELECT table_name FROM duckdb_tables() WHERE NOT internal")[1]}
        if not tables:
            return 0
        if "schema_version" not in tables:
            raise StoreError(f"{self.path}: a DuckDB file, but not a store of diptych; give another path")
        version = int(self._fetch("SELECT max(version) FROM schema_version")[1][0][0])
        if version > len(MIGRATIONS):
            raise StoreError(
                f"{self.path}: schema version {version}; this diptych reads {len(MIGRATIONS)}: install a newer one"
            )
        return version

    def _migrate(self, version: int) -> None:
        with self._transaction():
            for migration in MIGRATIONS[version:]:
                migration(self._execute)
            self._execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER)")
            self._execute("DELETE FROM schema_version")
            self._execute("INSERT INTO schema_version VALUES (?)", [len(MIGRATIONS)])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._execute("BEGIN")
        try:
            yield
            self._execute("COMMIT")
        except BaseException:
            with suppress(StoreError):  # the reason for going back is the one to tell
                self._execute("ROLLBACK")
            raise

    def _execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self._fetch(sql, parameters)

    def _fetch(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
        """Run SQL and read all of its answer: DuckDB 2 refuses the next query while a result is unread."""
        import duckdb

        try:
            done = self._connection.execute(sql, list(parameters)) if parameters else self._connection.execute(sql)
            columns = [(str(column[0]), str(column[1])) for column in done.description or ()]
            return columns, done.fetchall() if columns else []
        except duckdb.Error as error:
            raise StoreError(f"{self.path}: {first_line(error)}") from error


def rows_to_table(kind: type[Row], rows: Sequence[Row]) -> pa.Table:
    """Return dataclass rows as an Arrow table, mappings as JSON, NaN as null."""
    hints = typing.get_type_hints(kind)
    arrays = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]  # every kind is a dataclass
        shape, values = _shape(hints[field.name]), [getattr(row, field.name) for row in rows]
        if shape is None:
            values = [_json(value) for value in values]
        elif pa.types.is_string(shape):
            values = [_clean(value) for value in values]
        arrays[field.name] = pa.array(values, shape or pa.string(), from_pandas=True)
    return pa.table(arrays)


def _shape(hint: Any) -> pa.DataType | None:
    """Return the Arrow type of a field; None for JSON."""
    if typing.get_origin(hint) is Mapping:
        return None
    return next(SHAPES[part] for part in typing.get_args(hint) or (hint,) if part in SHAPES)


def _json(value: Mapping[str, Any], *, sort_keys: bool = False) -> str | None:
    return _clean(json.dumps(value, sort_keys=sort_keys, ensure_ascii=False, allow_nan=False))


def _clean(text: str | None) -> str | None:
    """Replace lone surrogates, which no UTF-8 file can hold."""
    return None if text is None else text.encode("utf-8", "replace").decode("utf-8")


def _without_nan(table: pa.Table) -> pa.Table:
    for index, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            column = table.column(index)
            clean = pc.if_else(pc.is_nan(column), pa.scalar(None, field.type), column)
            table = table.set_column(index, field, clean)
    return table


def _connect(path: Path, *, read_only: bool) -> Any:
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise MissingExtra("evaluate", "duckdb") from error
    try:
        if not read_only:
            path.parent.mkdir(parents=True, exist_ok=True)
        return duckdb.connect(str(path), read_only=read_only, config=SAFE)
    except OSError as error:
        raise StoreError(f"{path}: cannot be made: {error.strerror}; give another place") from error
    except duckdb.Error as error:
        raise StoreError(f"{path}: {_refusal(str(error))}") from error


def _refusal(message: str) -> str:
    """Say in one line why a file does not open and what to do."""
    if "lock" in message or "different configuration" in message:
        process = re.search(r"PID (\d+)", message)
        who = f"process {process[1]}" if process else "another connection"
        return f"{who} is using the store; wait until it is done, or stop it"
    if "not a valid DuckDB database" in message:
        return "not a DuckDB file; give another path"
    if "version" in message:
        return f"written by another version of DuckDB: {message.splitlines()[0]}; install a newer duckdb"
    return f"cannot be opened: {message.splitlines()[0]}; give another path"
