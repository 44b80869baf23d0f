"""The store: one DuckDB file with what evaluations found, written as a whole run at a time and read by reports.

A run is replaced in one transaction, so that a reader, or a rerun after a kill, finds either the old run or the new
one. Rows arrive as Arrow tables, never one by one.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import pyarrow as pa

from diptych.addresses import Address
from diptych.config.identity import short_id
from diptych.data.claims import check_writable
from diptych.errors import ShardError, StoreError, StoreInUse, first_line
from diptych.storage.location import Location
from diptych.storage.object_stores import StoreLocation
from diptych.storage.store_path import ReadPath, StorePath
from diptych.store.connection import StoreFile
from diptych.store.digest import digest_of
from diptych.store.fetched import FetchedStore
from diptych.store.image_rows import DatasetRow, FurtherColumn, ImageRow, Run, ScoreColumn, ScoreRow
from diptych.store.images import column_sql, facts_of, further_of, more_sql
from diptych.store.insertion import json_text, rows_to_table, without_nan
from diptych.store.migrations import is_older, migrate
from diptych.store.rows import TABLE_OF, TABLES, AuditRow, DifferenceRow, ResultRow, SpreadRow
from diptych.store.seal import break_seal, check_seal, refuse_folder, seal_of, set_seal
from diptych.store.view_renewal import renew_view

__all__ = [
    "TABLES",
    "AuditRow",
    "DatasetRow",
    "DifferenceRow",
    "FurtherColumn",
    "ImageRow",
    "ResultRow",
    "Run",
    "ScoreColumn",
    "ScoreRow",
    "SpreadRow",
    "Store",
]

Row = TypeVar("Row")


class Store:
    """An open store. Use it as a context manager."""

    def __init__(self, file: StoreFile) -> None:
        """Wrap an open file; use ``Store.open``.

        Raises:
            StoreError: If it is none, such as a path.
        """
        if not isinstance(file, StoreFile):
            raise StoreError(f"{file}: not an open store; open it with diptych.open_store, or to write with Store.open")
        self._file = file
        self._fetched: FetchedStore | None = None

    @classmethod
    def open(cls, address: Address, read_only: bool = False) -> "Store":
        """Open a store; for writing, make it if there is none. An older schema is brought up to date first.

        Raises:
            DataError: If it lies in an object store, and that refuses.
            StoreError: If it is no store, it is of a newer diptych or of one before the first release, or, for
                reading, it does not exist, or is of an older schema where it cannot be written.
            StoreInUse: If another process is using it.
        """
        given = Location.at(address)
        if isinstance(given, StoreLocation):
            return cls._open_fetched(given, read_only)
        path = Path(given).absolute()
        refuse_folder(Location.at(path))
        if read_only and not path.is_file():
            raise StoreError(f"{path}: no such store; make it with: diptych evaluate run CONFIG")
        place = Location.at(path)
        check_seal(place)
        is_sealed = seal_of(place).is_file()
        file = StoreFile(path, read_only=read_only)
        try:
            if not read_only:
                break_seal(place)
            if is_older(file) and read_only:
                file.close()
                _bring_up_to_date(path)
                return cls.open(path, read_only=True)
            migrate(file)
        except BaseException:
            file.close()
            if is_sealed and not read_only:
                set_seal(place)
            raise
        return cls(file)

    @classmethod
    def _open_fetched(cls, place: StoreLocation, read_only: bool) -> "Store":
        """Open the copy of a store that lies in an object store."""
        if not read_only:
            check_writable(place)
        refuse_folder(place)
        fetched = FetchedStore(place, read_only=read_only)
        with fetched.opening():
            store = cls.open(fetched.path, read_only)
        store._fetched = fetched
        store._file.called = StorePath(place)
        return store

    @property
    def path(self) -> ReadPath:
        """The file, where the user has it."""
        return self._file.called

    def close(self) -> None:
        """Let go of the file; one that was open for writing is sealed, and uploaded where it lies in an object store.

        Raises:
            DataError: If the object store refuses; what was there before is there still.
            StoreInUse: If somebody else has written it there meanwhile.
        """
        self._file.close()
        try:
            if not self._file.read_only:
                set_seal(Location.at(self._file.path))
                if self._fetched is not None:
                    self._fetched.publish()
        finally:
            if self._fetched is not None:
                self._fetched.drop()

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
        columns, rows = self._file.fetch(sql, parameters)
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
        return self._file.arrow(sql, parameters)

    @property
    def further_columns(self) -> Mapping[str, str]:
        """Name -> type in SQL of the columns that images have in ``more``; VARCHAR where the runs do not agree."""
        found: dict[str, str] = {}
        for row in self.query("SELECT DISTINCT name, sql_type FROM further_columns ORDER BY name, sql_type"):
            found[row["name"]] = row["sql_type"] if row["name"] not in found else "VARCHAR"
        return found

    def image_sql(self, name: str) -> str:
        """Return the SQL of a column of ``images``, wherever it lies; NULL for one that no image of the store has."""
        return column_sql(name, self.further_columns)

    @contextmanager
    def replace_run(self, run: Run) -> Iterator[None]:
        """Put a run in the place of all of its name or id: what the block inserts appears as a whole or not at all.

        Raises:
            StoreError: If the disk or the database refuses; the store is then as it was.
        """
        with self._file.transaction():
            found = self._file.fetch("SELECT run_id FROM runs WHERE run_id = ? OR name = ?", [run.run_id, run.name])[1]
            self._delete([run_id for (run_id,) in found])
            self._insert(Run, [run])
            yield
            self._forget_unused_identities()
            self._renew_view()

    def delete_run(self, run_id: str) -> None:
        """Remove a run and what only it used."""
        with self._file.transaction():
            self._delete([run_id])
            self._forget_unused_identities()
            self._renew_view()

    def insert_identity(self, identity: Mapping[str, Any]) -> str:
        """Note an identity, once, and return its id: the first 8 hex digits of its fingerprint."""
        identity_id = short_id(identity)
        sql = "INSERT INTO identities VALUES (?, ?) ON CONFLICT DO NOTHING"
        self._file.execute(sql, [identity_id, json_text(identity, sort_keys=True)])
        return identity_id

    def insert_datasets(self, rows: Sequence[DatasetRow]) -> None:
        """Insert datasets of a run."""
        self._insert(DatasetRow, rows)

    def insert_images(self, rows: Sequence[ImageRow] | pa.Table, more: pa.Table | None = None) -> None:
        """Insert images.

        Args:
            rows: As rows, or as a table, which may leave columns of ``ImageRow`` out; those are null then.
            more: Further columns of the rows of a table, see ``images.image_columns``.
        """
        if isinstance(rows, pa.Table):
            images, further = rows, more if more is not None else pa.table({})
        else:
            images, further = rows_to_table(ImageRow, rows).drop_columns("more"), further_of(rows)
        self._insert(FurtherColumn, facts_of(images, further))
        names = further.column_names
        for number, name in enumerate(names):
            images = images.append_column(f"further_{number}", further[name])
        listed = ", ".join(images.column_names[: len(images.column_names) - len(names)])
        self._file.insert("images", without_nan(images), f"{listed}, {more_sql(names)} AS more")

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

    def insert_spreads(self, rows: Sequence[SpreadRow]) -> None:
        """Insert variances between and within prompts; NaN becomes null."""
        self._insert(SpreadRow, rows)

    def insert_audits(self, rows: Sequence[AuditRow]) -> None:
        """Insert shares of attributes; NaN becomes null."""
        self._insert(AuditRow, rows)

    def digest(self) -> str:
        """Return the sha256 (hex) of all that the runs found: rows in any order, without provenance and paths."""
        return digest_of(self._file)

    def _insert(self, kind: type[Row], rows: Sequence[Row] | pa.Table) -> None:
        table = rows if isinstance(rows, pa.Table) else rows_to_table(kind, rows)
        self._file.insert(TABLE_OF[kind], without_nan(table))

    def _delete(self, run_ids: Sequence[str]) -> None:
        for table in TABLES:
            if table != "identities":
                self._file.execute(f"DELETE FROM {table} WHERE list_contains(?::VARCHAR[], run_id)", [list(run_ids)])

    def _renew_view(self) -> None:
        renew_view(self._file, self.further_columns)

    def _forget_unused_identities(self) -> None:
        users = ("score_columns", "results", "differences", "spreads", "audits")
        used = " UNION ALL ".join(f"SELECT identity_id FROM {table} WHERE identity_id IS NOT NULL" for table in users)
        self._file.execute(f"DELETE FROM identities WHERE identity_id NOT IN ({used})")


def _bring_up_to_date(path: Path) -> None:
    """Bring a store that is to be read up to the newest schema, in place.

    Raises:
        StoreError: If it cannot be written.
        StoreInUse: If another process is using it.
    """
    why = f"{path}: is of an older schema, and is brought up to date in place before it is read"
    try:
        Store.open(path).close()
    except StoreInUse as error:
        raise StoreInUse(f"{why}; {str(error).removeprefix(f'{path}: ')}") from error
    except (StoreError, ShardError) as error:
        reason = first_line(error.__cause__ or error)
        raise StoreError(
            f"{why}, which fails here: {reason}; open it once where it can be written, or copy it there"
        ) from error
