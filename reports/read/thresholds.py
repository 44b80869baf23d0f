"""From a rule in SQL to the line it draws: which expression is compared with which number.

A rule may be any condition. Where it, or one of its parts joined by AND, compares an expression over the columns of
one row with a number, that number is a threshold whose two sides can be looked at.
"""

import json
import math
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.data.sql import Reference

OPERATORS = {
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_LESSTHANOREQUALTO": "<=",
}
TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
COMPARISONS: dict[str, Callable[[Any, float], npt.NDArray[np.bool_]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
BEFORE = "SELECT (\n"  # what the parser is given before a condition
# What an expression may be made of: nothing that looks at other rows or at other tables.
ROW_WISE = {"COLUMN_REF", "CONSTANT", "FUNCTION", "CAST", "TYPE", "OPERATOR", "CASE"}


class Threshold(NamedTuple):
    """A line that a rule draws.

    Attributes:
        expression: SQL over the columns of one row.
        name: The expression as people read it.
        operator: ``>``, ``>=``, ``<`` or ``<=``, between the expression and the value of what is kept.
        value: The number.
        column: The parts of the column's name where the expression is a column alone; else empty.
        compared: SQL of the number as the rule has it.
        around: The rule before and after the number, so that another number makes another rule.
        others: The parts of the rule beside this one, as one SQL condition; empty where there is none.
        is_single: Whether expression and number are compared in single precision.
        is_raised: Whether the expression is of single precision and the number makes DuckDB compare in double.
    """

    expression: str
    name: str
    operator: str
    value: float
    column: Reference = ()
    compared: str = ""
    around: tuple[str, str] = ("", "")
    others: str = ""
    is_single: bool = False
    is_raised: bool = False

    @property
    def keeps_above(self) -> bool:
        """Whether larger values are kept."""
        return self.operator in {">", ">="}

    @property
    def line(self) -> float:
        """The number as it is compared."""
        return float(self.as_compared(np.float64(self.value)))

    def as_compared(self, values: Any) -> npt.NDArray[np.float64]:
        """Return float64 values rounded to the precision in which they are compared."""
        return np.asarray(values, np.float32).astype(np.float64) if self.is_single else np.asarray(values, np.float64)

    def keeps(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Return bool (N,): values that lie on the side that is kept; NaN lies on none."""
        return COMPARISONS[self.operator](self.as_compared(values), self.line)


def find_thresholds(con: Any, where: str) -> list[Threshold]:
    """Return the thresholds of a condition in the order in which they stand there; none if it cannot be read.

    Args:
        con: A DuckDB connection; nothing of it is used but its parser.
        where: The condition.
    """
    import duckdb

    query = f"{BEFORE}{where}\n)"
    try:
        text = con.cursor().execute("SELECT json_serialize_sql(?)", [query]).fetchall()[0][0]
        tree = json.loads(text)
        if tree["error"]:
            return []
        parts = list(_conjuncts(tree["statements"][0]["node"]["select_list"][0]))
        found = [_read(_Rule(con, where, tree, parts), part) for part in parts]
    except (duckdb.Error, KeyError, IndexError, TypeError, ValueError):
        return []
    return [threshold for threshold in found if threshold is not None]


class _Rule(NamedTuple):
    """A condition: its text, its syntax tree, and the parts of it that AND joins."""

    con: Any
    where: str
    tree: dict[str, Any]
    parts: Sequence[dict[str, Any]]

    def sql(self, node: dict[str, Any]) -> str:
        """Return the SQL of a part of the tree."""
        statement = json.loads(json.dumps(self.tree["statements"][0]))
        statement["node"]["select_list"] = [node]
        query = json.dumps({"error": False, "statements": [statement]})
        text = str(self.con.cursor().execute("SELECT json_deserialize_sql(?::JSON)", [query]).fetchall()[0][0])
        return text.removeprefix("SELECT ")

    def around(self, side: dict[str, Any], node: dict[str, Any], number: float) -> tuple[str, str]:
        """Return the text of the rule before and after a number in it: as it is written where the number stands there.

        Args:
            side: The number's node.
            node: The comparison that it is a side of.
            number: Its value.
        """
        written, start = f"{BEFORE}{self.where}".encode(), int(side.get("query_location") or 0)
        stop = start + int(side.get("query_location_length") or 0)
        if side["class"] == "CONSTANT" and _is_number(written[start:stop], number):
            return written[len(BEFORE) : start].decode(), written[stop:].decode()
        name = "line_"
        while name in self.where:
            name += "_"
        column = {"class": "COLUMN_REF", "type": "COLUMN_REF", "alias": "", "query_location": 0, "column_names": [name]}
        marked = {key: column if value is side else value for key, value in node.items()}
        texts = [self.sql(marked if part is node else part) for part in self.parts]
        before, _, after = " AND ".join(texts).partition(name)
        return before, after

    def beside(self, node: dict[str, Any]) -> str:
        """Return the parts but one as one condition."""
        return " AND ".join(f"({self.sql(part)})" for part in self.parts if part is not node)


def _is_number(text: bytes, number: float) -> bool:
    try:
        return float(text) == number
    except ValueError:
        return False


def _conjuncts(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if node["type"] == "CONJUNCTION_AND":
        for child in node["children"]:
            yield from _conjuncts(child)
    else:
        yield node


def _read(rule: _Rule, node: dict[str, Any]) -> Threshold | None:
    if node["type"] not in OPERATORS:
        return None
    left, right, sign = node["left"], node["right"], OPERATORS[node["type"]]
    if "COLUMN_REF" not in _classes(left):
        left, right, sign = right, left, TURNED[sign]
    if "COLUMN_REF" not in _classes(left) or "COLUMN_REF" in _classes(right):
        return None
    if not (_classes(left) | _classes(right)) <= ROW_WISE:
        return None
    expression, compared = rule.sql(left), rule.sql(right)
    value = rule.con.cursor().execute(f"SELECT TRY_CAST(({compared}) AS DOUBLE)").fetchall()[0][0]
    if value is None or not math.isfinite(value):
        return None
    column = tuple(left["column_names"]) if left["class"] == "COLUMN_REF" else ()
    around = rule.around(right, node, float(value))
    return Threshold(expression, _readable(expression), sign, float(value), column, compared, around, rule.beside(node))


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


def _readable(expression: str) -> str:
    """Return an expression as people read it: columns of the data by their own names, and no quotes.

    >>> _readable('least("data".width, image.short_side)')
    'least(width, image.short_side)'
    """
    return re.sub(r'(?<![\w"])("data"|data)\.(?=["a-zA-Z_])', "", expression).replace('"', "")
