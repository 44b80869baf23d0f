"""From a rule in SQL to the line it draws: which expression is compared with which number.

A rule may be any condition. Where it, or one of its parts joined by AND, compares an expression over the columns of
one row with a number, that number is a threshold whose two sides can be looked at.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from diptych.data.sql import Reference

OPERATORS = {
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_LESSTHANOREQUALTO": "<=",
}
TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
# What an expression may be made of: nothing that looks at other rows or at other tables.
ROW_WISE = {"COLUMN_REF", "CONSTANT", "FUNCTION", "CAST", "OPERATOR", "CASE"}


class Threshold(NamedTuple):
    """A line that a rule draws.

    Attributes:
        expression: SQL over the columns of one row.
        name: The expression as people read it.
        operator: ``>``, ``>=``, ``<`` or ``<=``, between the expression and the value of what is kept.
        value: The number.
        column: The parts of the column's name where the expression is a column alone; else empty.
    """

    expression: str
    name: str
    operator: str
    value: float
    column: Reference = ()

    @property
    def keeps_above(self) -> bool:
        """Whether larger values are kept."""
        return self.operator in {">", ">="}

    @property
    def value_is_kept(self) -> bool:
        """Whether the number itself is kept."""
        return self.operator in {">=", "<="}


def find_thresholds(con: Any, where: str) -> list[Threshold]:
    """Return the thresholds of a condition in the order in which they stand there; none if it cannot be read.

    Args:
        con: A DuckDB connection; nothing of it is used but its parser.
        where: The condition.
    """
    import duckdb

    try:
        text = con.cursor().execute("SELECT json_serialize_sql(?)", [f"SELECT (\n{where}\n)"]).fetchall()[0][0]
        tree = json.loads(text)
        if tree["error"]:
            return []
        node = tree["statements"][0]["node"]["select_list"][0]
        found = [_read(con, tree, part) for part in _conjuncts(node)]
    except (duckdb.Error, KeyError, IndexError, TypeError, ValueError):
        return []
    return [threshold for threshold in found if threshold is not None]


def _conjuncts(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if node["type"] == "CONJUNCTION_AND":
        for child in node["children"]:
            yield from _conjuncts(child)
    else:
        yield node


def _read(con: Any, tree: dict[str, Any], node: dict[str, Any]) -> Threshold | None:
    if node["type"] not in OPERATORS:
        return None
    left, right, operator = node["left"], node["right"], OPERATORS[node["type"]]
    if "COLUMN_REF" not in _classes(left):
        left, right, operator = right, left, TURNED[operator]
    if "COLUMN_REF" not in _classes(left) or "COLUMN_REF" in _classes(right):
        return None
    if not (_classes(left) | _classes(right)) <= ROW_WISE:
        return None
    expression = _sql(con, tree, left)
    value = con.cursor().execute(f"SELECT TRY_CAST(({_sql(con, tree, right)}) AS DOUBLE)").fetchall()[0][0]
    if value is None:
        return None
    column = tuple(left["column_names"]) if left["class"] == "COLUMN_REF" else ()
    return Threshold(expression, _readable(expression), operator, float(value), column)


def _classes(node: Any) -> set[str]:
    found: set[str] = set()
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            found |= {str(part["class"])} if "class" in part else set()
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return found


def _sql(con: Any, tree: dict[str, Any], node: dict[str, Any]) -> str:
    """Return the SQL of a part of a syntax tree."""
    statement = json.loads(json.dumps(tree["statements"][0]))
    statement["node"]["select_list"] = [node]
    query = json.dumps({"error": False, "statements": [statement]})
    text = str(con.cursor().execute("SELECT json_deserialize_sql(?::JSON)", [query]).fetchall()[0][0])
    return text.removeprefix("SELECT ")


def _readable(expression: str) -> str:
    """Return an expression as people read it: columns of the data by their own names, and no quotes.

    >>> _readable('least("data".width, image.short_side)')
    'least(width, image.short_side)'
    """
    return re.sub(r'(?<![\w"])("data"|data)\.(?=["a-zA-Z_])', "", expression).replace('"', "")
