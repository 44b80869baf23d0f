"""DuckDB over column files that lie in one row order: put side by side by position, behind a fence.

A query may come from a config that people share, so a connection reads the files of one folder and nothing else.
Decides nothing about what is asked.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def connect(folder: Path | None = None) -> Any:
    """Return an in-memory DuckDB connection that can read the files of a folder and nothing else."""
    import duckdb

    con = duckdb.connect(config={"threads": available_threads()})
    if folder is not None:
        con.cursor().execute(f"SET allowed_directories = [{text(str(folder.resolve()))}]")
    con.cursor().execute("SET enable_external_access = false")
    con.cursor().execute("SET lock_configuration = true")
    return con


def available_threads() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def rows_of(files: Sequence[os.PathLike[str]], columns: str) -> str:
    """Return the subquery of some columns (``* EXCLUDE (image)``, ``keep, reason``) of Parquet files, in row order."""
    listed = ", ".join(text(os.path.realpath(file)) for file in files)
    return f"(SELECT {columns} FROM read_parquet([{listed}], hive_partitioning = false))"


def side_by_side(parts: Sequence[str]) -> str:
    """Return the FROM clause that joins subqueries by position: column sets have one order and no key."""
    return " POSITIONAL JOIN ".join(parts)


def quoted(name: str) -> str:
    """Return an SQL identifier in quotes; a quote in the name is doubled."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return an SQL literal of a text; a quote in the text is doubled."""
    return "'" + value.replace("'", "''") + "'"
