"""A table as DuckDB sees it: its parts side by side by position, behind a fence, and which parts a query asks for.

A query may come from a config that people share, so a connection reads the files of one dataset and nothing else.
Decides nothing about what is asked.
"""

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from diptych.data.column_names import DATA, describe_unknown_column
from diptych.data.dataset import Dataset
from diptych.data.table import KEY, PICTURE, REASON, DatasetTable, TableColumn, columns_of
from diptych.errors import first_line
from diptych.lookup import describe_unknown
from diptych.processors import own_cpus
from diptych.storage.for_duckdb import duckdb_name, open_places
from diptych.storage.location import Location
from diptych.storage.spill import spill_settings

# How DuckDB says that there is no such column, by itself or in a table.
UNKNOWN_COLUMN = re.compile(r'Referenced column "(.+?)" not found|does not have a column named "(.+?)"')
UNKNOWN_TABLE = re.compile(r'Referenced table "(.+?)" not found')
KIND_OF_ERROR = re.compile(r"^[A-Z]\w*( [A-Z]\w*)* Error: ")  # such as Binder Error
BATCH_ROWS = 1 << 17
Reference = tuple[str, ...]  # a column in SQL by its parts: ("label", "column") or ("column",)


def connect(dataset: Dataset | None = None) -> Any:
    """Return an in-memory DuckDB connection that can read the files of a dataset and nothing else."""
    import duckdb

    con = duckdb.connect(config={"threads": own_cpus(), **spill_settings()})
    if dataset is not None:
        folders = ", ".join(map(text, open_places(con, dataset.places)))
        con.cursor().execute(f"SET allowed_directories = [{folders}]")
    con.cursor().execute("SET enable_external_access = false")
    con.cursor().execute("SET lock_configuration = true")
    return con


@contextmanager
def interrupted_after(con: Any, seconds: float) -> Iterator[None]:
    """Break off what a connection or a cursor does when it takes longer; DuckDB looks between two batches of rows.

    Raises:
        TimeoutError: If it did.
    """
    import duckdb

    passed = threading.Event()

    def stop() -> None:
        passed.set()
        con.interrupt()

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    except duckdb.InterruptException as error:
        if not passed.is_set():
            raise
        raise TimeoutError(f"takes longer than {seconds:,.0f} s") from error
    finally:
        timer.cancel()


def batches(con: Any, query: str) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a query in batches of some 100,000, of which none is held by whoever makes the next.

    Args:
        con: A connection or a cursor.
        query: A SELECT statement.

    Raises:
        duckdb.Error: As DuckDB says, also where that shows only after some rows, which pyarrow tells in its own way.
    """
    import duckdb

    try:
        yield from con.sql(query).to_arrow_reader(BATCH_ROWS)
    except (OSError, pa.ArrowException) as error:
        kind = duckdb.InterruptException if str(error).startswith("INTERRUPT") else duckdb.Error
        raise kind(str(error)) from error


def relation(table: DatasetTable, labels: Iterable[str]) -> str:
    """Return the FROM clause over the data without pictures, as ``data``, and some sets under their labels.

    A column that only one of them has can be named alone, ``label.column`` names it in any case. Rows keep their order;
    DuckDB reads the columns that a query names.

    Raises:
        ShardError: If a shard is not what was written.
    """
    labels = list(labels)
    table.check(labels)
    parts = [f"{_rows_of(table.dataset.files, PICTURE)} AS {DATA}"]
    parts += [f"{_rows_of(table.sets[label].files, KEY)} AS {quoted(label)}" for label in labels]
    return side_by_side(parts)


def schemas(table: DatasetTable, labels: Iterable[str]) -> dict[str, pa.Schema]:
    """Return what each part of ``relation`` has, by label: with it SQL can be tried on no rows."""
    found = {DATA: table.data_schema}
    for label in labels:
        fields = {column.column: column.type for column in columns_of(label, table.sets[label])}
        found[label] = pa.schema(list({**fields, REASON: pa.string()}.items()))
    return found


def aliases(table: DatasetTable, references: Iterable[Reference] = ()) -> list[str]:
    """Return the labels under which sets stand in SQL: the first of each set, or those by which references name it.

    So a set with two labels stands there once, and its columns can be named alone.
    """
    named = {reference[0].casefold() for reference in references if len(reference) > 1}
    by_set: dict[str, list[str]] = {}
    for label, column_set in table.sets.items():
        by_set.setdefault(str(column_set.location), []).append(label)
    chosen = {
        label
        for labels in by_set.values()
        for label in [one for one in labels if one.casefold() in named] or labels[:1]
    }
    return [label for label in table.sets if label in chosen]


def needed(table: DatasetTable, references: Iterable[Reference]) -> list[str]:
    """Return the labels of the sets that references may mean, by the label or by a column's own name."""
    references = list(references)
    firsts = {reference[0].casefold() for reference in references}
    return [
        label
        for label in aliases(table, references)
        if firsts
        & {label.casefold(), REASON, *(each.column.casefold() for each in columns_of(label, table.sets[label]))}
    ]


def column_references(con: Any, query: str) -> set[Reference]:
    """Return the columns that a query names; none where it cannot be read, which whoever runs it will say.

    What a lambda calls its parameters is no column in it.

    Args:
        con: A connection, of which nothing is used but the parser.
        query: A SELECT statement.
    """
    found: set[Reference] = set()
    waiting: list[tuple[Any, frozenset[str]]] = [(syntax_tree(con, query), frozenset())]
    while waiting:
        part, parameters = waiting.pop()
        if isinstance(part, dict):
            if part.get("class") == "COLUMN_REF" and part["column_names"][0] not in parameters:
                found.add(tuple(part["column_names"]))
            if part.get("class") == "LAMBDA":
                parameters |= _parameters_of(part)
            waiting += [(value, parameters) for value in part.values()]
        elif isinstance(part, list):
            waiting += [(value, parameters) for value in part]
    return found


def _parameters_of(function: dict[str, Any]) -> set[str]:
    """Return the names of the parameters of a lambda: one, or those of a row."""
    given = function["lhs"]
    parts = [given, *(one["expression"] for one in given.get("arguments", ()))]
    return {part["column_names"][0] for part in parts if part.get("class") == "COLUMN_REF"}


def syntax_tree(con: Any, query: str) -> dict[str, Any]:
    """Return the syntax tree of a query, as DuckDB's ``json_serialize_sql`` gives it, which has errors, too.

    A command line has code points for bytes that it could not decode, of which DuckDB would raise.

    Args:
        con: A connection, of which nothing is used but the parser.
        query: A SELECT statement.
    """
    try:
        query.encode()
    except UnicodeEncodeError as error:
        character = f"{query[error.start]!r}, which is no character"
        return {"error": True, "error_message": f"has {character}; write it in UTF-8, under a locale of UTF-8"}
    tree: dict[str, Any] = json.loads(con.cursor().execute("SELECT json_serialize_sql(?)", [query]).fetchall()[0][0])
    return tree


def unknown_to_all(name: str) -> str:
    """Return nothing: where a column could come from is not known; see ``what_sql_lacks``."""
    return ""


def what_sql_lacks(
    error: BaseException, names: Iterable[str], *, missing: Callable[[str], str] = unknown_to_all
) -> str:
    """Return what DuckDB says against a query, in one line; of a column or label that is not there, which there are.

    Args:
        error: Its error.
        names: Of the columns that there are.
        missing: From the name of a column or label that is not there to what would make it; empty where nothing would.
    """
    names, said = list(names), first_line(error)
    column, label = UNKNOWN_COLUMN.search(said), UNKNOWN_TABLE.search(said)
    if column:
        name = column[1] or column[2]
        if said_of_it := missing(name):
            return f"unknown column {name!r}: {said_of_it}"
        # The line that DuckDB shows has the name in double quotes only if the query has.
        is_quoted = f'"{name}"' in str(error).partition("\nLINE ")[2]
        hint = f"; a text is written in single quotes: {text(name)}" if is_quoted else ""
        return describe_unknown_column(name, names) + hint
    if label and (said_of_it := missing(label[1])):
        return f"unknown label {label[1]!r}: {said_of_it}"
    if label:
        return describe_unknown("label", label[1], {name.rpartition(".")[0] for name in names if "." in name})
    return what_sql_says(error)


def what_sql_says(error: BaseException) -> str:
    """Return the first line of an error of DuckDB, without the kind of error."""
    return KIND_OF_ERROR.sub("", first_line(error))


def column_sql(column: TableColumn) -> str:
    """Return a column in SQL over ``relation``."""
    return f"{quoted(column.label)}.{quoted(column.column)}"


def side_by_side(parts: Sequence[str]) -> str:
    """Return the FROM clause that joins subqueries by position: column sets have one order and no key."""
    return " POSITIONAL JOIN ".join(parts)


def quoted(name: str) -> str:
    """Return an SQL identifier in quotes; a quote in the name is doubled."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return an SQL literal of a text; a quote in the text is doubled."""
    return "'" + value.replace("'", "''") + "'"


def _rows_of(files: Sequence[Location], left_out: str) -> str:
    """Return the subquery of all columns but one of Parquet files, in row order."""
    listed = ", ".join(text(duckdb_name(file)) for file in files)
    return f"(SELECT * EXCLUDE ({left_out}) FROM read_parquet([{listed}], hive_partitioning = false))"
