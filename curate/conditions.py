"""The columns that SQL from a config can name, put side by side by position, and the fences around that SQL.

Column sets lie in one row order, so they are never joined on a key. Conditions come from configs that people share:
each is one expression over one row. Subqueries, windows, aggregates and random functions are refused: they would look
at the machine, mix rows up, or give another answer each time.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from diptych.data.dataset import ColumnSet, Dataset
from diptych.errors import ConfigError, first_line
from diptych.store.sql import quoted, rows_of, side_by_side


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
        parts = [f"{rows_of(self.dataset.files[:shards], '* EXCLUDE (image)')} AS data"]
        for label, column_set in self.sets.items():
            parts.append(f"{rows_of(column_set.files[:shards], '* EXCLUDE (key)')} AS {quoted(label)}")
        return side_by_side(parts)


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
    return side_by_side(parts)


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
        raise ConfigError(f"{where}: {first_line(error)} (labels at hand: {', '.join(labels) or 'none'})") from error


def check_expression(con: Any, text: str, *, where: str) -> None:
    """Refuse what is not one condition over the columns of one row.

    Raises:
        ConfigError: The message begins with ``where``.
    """
    node = _parse(con, f"SELECT (\n{text}\n)", where)
    if len(node["select_list"]) != 1 or node["modifiers"]:
        raise ConfigError(f"{where} is not one SQL condition")
    _check_row_wise(con, node["select_list"], where)


def check_order(con: Any, text: str, *, where: str) -> None:
    """Refuse what is not a list of sort keys over the columns of one row.

    Raises:
        ConfigError: The message begins with ``where``.
    """
    node = _parse(con, f"SELECT 1 ORDER BY\n{text}\n", where)
    kinds = [modifier["type"] for modifier in node["modifiers"]]
    if len(node["select_list"]) != 1 or kinds != ["ORDER_MODIFIER"]:
        raise ConfigError(f"{where} is not a list of SQL sort keys")
    _check_row_wise(con, node["modifiers"], where)


def _parse(con: Any, query: str, where: str) -> dict[str, Any]:
    """Return the syntax tree of a SELECT without FROM."""
    tree = json.loads(con.execute("SELECT json_serialize_sql(?)", [query]).fetchall()[0][0])
    if tree["error"]:
        raise ConfigError(f"{where}: {tree['error_message']}")
    nodes = [statement["node"] for statement in tree["statements"]]
    plain = len(nodes) == 1 and nodes[0]["type"] == "SELECT_NODE" and nodes[0]["from_table"]["type"] == "EMPTY"
    if not plain or nodes[0]["where_clause"] or nodes[0]["having"] or nodes[0]["qualify"]:
        raise ConfigError(f"{where} is not one SQL expression")
    node: dict[str, Any] = nodes[0]
    return node


def _check_row_wise(con: Any, tree: Any, where: str) -> None:
    classes, functions = set[str](), set[str]()
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            classes.add(str(part.get("class")))
            functions.update([part["function_name"]] if "function_name" in part else [])
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    for kind in sorted(classes & {"SUBQUERY", "WINDOW", "STAR", "PARAMETER", "DEFAULT"}):
        raise ConfigError(f"{where}: {kind.lower()} is not allowed; a rule looks at the columns of one row")
    known = con.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() "
        "WHERE function_type = 'scalar' AND stability = 'CONSISTENT' AND function_name <> 'getenv'"
    ).fetchall()
    for name in sorted(functions - {name for (name,) in known}):
        raise ConfigError(f"{where}: {name}() is not allowed; a rule looks at one row and always answers the same")
