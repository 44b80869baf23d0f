"""The columns that SQL from a config can name, put side by side by position, and the fences around that SQL.

Column sets lie in one row order, so they are never joined on a key. Conditions come from configs that people share:
they are single expressions, and may look at columns but not at the machine.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from diptych.dataset import ColumnSet, Dataset
from diptych.errors import ConfigError


@dataclass(frozen=True)
class Columns:
    """The columns of a dataset and of column sets beside it, each set under its label."""

    dataset: Dataset
    sets: Mapping[str, ColumnSet]

    def relation(self, *, shards: int | None = None) -> str:
        """Return the FROM clause.

        A column that only one of them has can be named alone; ``label.column`` names it in any case.

        Args:
            shards: How many shards, from the first; None takes all.
        """
        parts = [f"{_files(self.dataset.files[:shards], 'EXCLUDE (image)')} AS data"]
        for label, column_set in self.sets.items():
            parts.append(f"{_files(column_set.files[:shards], 'EXCLUDE (key)')} AS {quoted(label)}")
        return " POSITIONAL JOIN ".join(parts)


def connect(folder: Path | None = None) -> Any:
    """Return an in-memory DuckDB connection that can read the files of a folder and nothing else."""
    import duckdb

    con = duckdb.connect(config={"threads": available_threads()})
    if folder is not None:
        con.cursor().execute(f"SET allowed_directories = [{_text(folder.resolve())}]")
    con.cursor().execute("SET enable_external_access = false")
    con.cursor().execute("SET lock_configuration = true")
    return con


def available_threads() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def register_empty(con: Any, schemas: Mapping[str, pa.Schema]) -> str:
    """Register an empty table per label, ``data`` among them, and return the FROM clause that has their columns.

    With it SQL can be checked before there is any data.
    """
    parts = []
    for number, (label, schema) in enumerate(schemas.items()):
        con.register(f"empty_{number}", schema.remove_metadata().empty_table())
        left_out = "image" if label == "data" else "key"
        star = f"* EXCLUDE ({left_out})" if left_out in schema.names else "*"
        parts.append(f"(SELECT {star} FROM empty_{number}) AS {quoted(label)}")
    return " POSITIONAL JOIN ".join(parts)


def check_query(con: Any, query: str, *, where: str, labels: Sequence[str]) -> None:
    """Try a query that yields no rows.

    Raises:
        ConfigError: If it is not one statement over columns that are there; the message begins with ``where``.
    """
    import duckdb

    try:
        if len(con.extract_statements(query)) != 1:
            raise ConfigError(f"{where} is not one SQL expression")
        con.execute(query).fetchall()  # not a cursor, which would not see registered tables
    except duckdb.Error as error:
        raise ConfigError(f"{where}: {_first_line(error)} (labels at hand: {', '.join(labels) or 'none'})") from error


def quoted(name: str) -> str:
    """Return an SQL identifier in quotes."""
    return '"' + name.replace('"', '""') + '"'


def _files(files: Sequence[Path], star: str) -> str:
    listed = ", ".join(_text(file.resolve()) for file in files)
    return f"(SELECT * {star} FROM read_parquet([{listed}], hive_partitioning = false))"


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
