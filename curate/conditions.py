"""The fences around SQL from a config, and how it is tried before anything is read.

Conditions come from configs that people share: each is one expression over one row. Subqueries, windows, aggregates and
random functions are refused: they would look at the machine, mix rows up, or give another answer each time. So is what
makes a value of any size out of a short text: DuckDB can be interrupted between two batches of rows, not in one value.
"""

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from diptych.curate.sql_spelling import SPELLINGS, spelling_hint
from diptych.data.column_names import DATA, full_name
from diptych.data.sql import interrupted_after, quoted, side_by_side, syntax_tree, unknown_to_all, what_sql_lacks
from diptych.data.table import KEY, PICTURE
from diptych.errors import ConfigError
from diptych.lookup import nearest

TRIAL_S = 10.0
OTHER_TYPES = "No function matches"  # how DuckDB says that an operator or a function takes no such values
UNBALANCED = "is no whole SQL condition: its end is missing, or its brackets do not match"
# Words that are functions without parentheses, where no column is called so.
VALUES = {
    *(f"current_{word}" for word in ("catalog", "date", "role", "schema", "time", "timestamp", "user")),
    *("localtime", "localtimestamp", "session_user", "user"),
}


ALONE = " of one date"  # behind the name of such a function
CLOCKS_ALONE = {"age"}  # functions of two dates, which of one alone reckon from today
NEVER = {"getenv", "version"}  # as they say something of the machine
# Of one row as well, though DuckDB has them not as functions but as other SQL in their place, as it has means, too.
OF_ONE_ROW = {"array_to_string", "days_in_month", "fdiv", "if", "nullif", "split_part"}
# Functions whose answer is as long as a number says, or that may double it with each item of a list.
BOUNDLESS = {
    *("array_reduce", "array_resize", "bitstring", "format", "generate_series", "list_reduce", "list_resize", "lpad"),
    *("printf", "range", "reduce", "repeat", "rpad"),
}
TOO_LARGE = "is not allowed, as a value of any size could come of it, for which no limit of time or memory holds"


@dataclass(frozen=True)
class TrialTable:
    """Columns with one row of nulls, on which SQL is tried before anything is read.

    Of what stands beside the columns, such as a text that ought to be a number, DuckDB looks at none over no rows.

    Attributes:
        con: A connection that has them.
        source: The FROM clause.
        schemas: The columns by label, ``data`` among them.
        missing: What is said of a name that none of them has; empty where it is unknown, see ``sql.what_sql_lacks``.
    """

    con: Any
    source: str
    schemas: Mapping[str, pa.Schema]
    missing: Callable[[str], str] = unknown_to_all

    def check(self, query: str, *, where: str) -> None:
        """Try a query.

        Raises:
            ConfigError: If it is not one statement over columns that are there; the message begins with ``where``.
        """
        import duckdb

        try:
            if len(self.con.extract_statements(query)) != 1:
                raise ConfigError(f"{where} is not one SQL expression")
            with interrupted_after(self.con, TRIAL_S):
                self.con.execute(query).fetchall()  # not a cursor, which would not see registered tables
        except TimeoutError as error:
            raise ConfigError(f"{where}: {error}, and that over one row of nulls") from error
        except duckdb.Error as error:
            said = what_sql_lacks(error, self._names, missing=self.missing)
            hint = spelling_hint(query) if OTHER_TYPES in said else ""
            raise ConfigError(f"{where}: {said.rstrip('.')}{hint}") from error

    @property
    def _names(self) -> list[str]:
        """The columns as a config names them."""
        return [
            column if label == DATA else full_name(label, column)
            for label, schema in self.schemas.items()
            for column in schema.names
            if column != (PICTURE if label == DATA else KEY)
        ]

    def sql_of(self, name: str) -> str:
        """Return a name from a config in SQL: ``label.column`` in quotes, as a label may be any text, else as it is."""
        known = {
            full_name(label, column): f"{quoted(label)}.{quoted(column)}"
            for label, schema in self.schemas.items()
            for column in schema.names
        }
        return known.get(name, name)


def trial_table(
    con: Any, schemas: Mapping[str, pa.Schema], *, missing: Callable[[str], str] = unknown_to_all
) -> TrialTable:
    """Register a table of nulls per label, ``data`` among them; so SQL can be tried before there is any data."""
    parts = []
    for number, (label, schema) in enumerate(schemas.items()):
        nulls = [pa.nulls(1, field.type) for field in schema]
        con.register(f"trial_{number}", pa.Table.from_arrays(nulls, schema=schema.remove_metadata()))
        left_out = PICTURE if label == DATA else KEY
        star = f"* EXCLUDE ({left_out})" if left_out in schema.names else "*"
        parts.append(f"(SELECT {star} FROM trial_{number}) AS {quoted(label)}")
    return TrialTable(con, side_by_side(parts), schemas, missing)


def check_expression(trial: TrialTable, text: str, *, where: str) -> None:
    """Refuse what is not one condition over the columns of one row.

    Raises:
        ConfigError: The message begins with ``where``.
    """
    _refuse_blank(text, where)
    node = _parse(trial.con, f"SELECT (\n{text}\n)", where)
    if len(node["select_list"]) != 1 or node["modifiers"]:
        raise ConfigError(f"{where} is not one SQL condition")
    _check_row_wise(trial, node["select_list"], where)


def check_condition(trial: TrialTable, text: str, *, where: str) -> None:
    """Try what is true or false of a row on a row of nulls.

    Raises:
        ConfigError: If it is not a single SQL condition over columns that are there; the message begins with ``where``.
    """
    check_expression(trial, text, where=where)
    trial.check(f"SELECT (\n{text}\n) FROM {trial.source}", where=where)
    kind = str(trial.con.description[0][1]).strip('"')
    if kind != "BOOLEAN":  # which SQL would take for true wherever it is not 0
        shown = "a text" if kind == "VARCHAR" else f"of the type {kind}"
        hint = spelling_hint(text) or "; compare it, as in width >= 512"
        raise ConfigError(f"{where} is {shown}, neither true nor false{hint}")


def check_order(trial: TrialTable, text: str, *, where: str) -> None:
    """Refuse what is not a list of sort keys over the columns of one row.

    Raises:
        ConfigError: The message begins with ``where``.
    """
    _refuse_blank(text, where)
    node = _parse(trial.con, f"SELECT 1 ORDER BY\n{text}\n", where)
    kinds = [modifier["type"] for modifier in node["modifiers"]]
    if len(node["select_list"]) != 1 or kinds != ["ORDER_MODIFIER"]:
        raise ConfigError(f"{where} is not a list of SQL sort keys")
    _check_row_wise(trial, node["modifiers"], where)


def _refuse_blank(text: str, where: str) -> None:
    if not text.strip():
        raise ConfigError(f"{where} is empty; write SQL over the columns of one row")


def _parse(con: Any, query: str, where: str) -> dict[str, Any]:
    """Return the syntax tree of a SELECT without FROM."""
    tree = syntax_tree(con, query)
    if tree["error"]:
        # In what stands around the text.
        is_past_end = int(tree.get("position", 0)) >= len(query.encode("utf-8", "replace")) - 2
        raise ConfigError(f"{where}: {UNBALANCED if is_past_end else tree['error_message']}{spelling_hint(query)}")
    nodes = [statement["node"] for statement in tree["statements"]]
    plain = len(nodes) == 1 and nodes[0]["type"] == "SELECT_NODE" and nodes[0]["from_table"]["type"] == "EMPTY"
    if not plain or nodes[0]["where_clause"] or nodes[0]["having"] or nodes[0]["qualify"]:
        raise ConfigError(f"{where} is not one SQL expression")
    node: dict[str, Any] = nodes[0]
    return node


def _check_row_wise(trial: TrialTable, tree: Any, where: str) -> None:
    columns = {name.casefold() for schema in trial.schemas.values() for name in schema.names}
    classes, functions = set[str](), set[str]()
    for part in _parts(tree):
        classes.add(str(part.get("class")))
        functions.update([_called(part)] if "function_name" in part else [])
        names = part.get("column_names") or [] if part.get("class") == "COLUMN_REF" else []
        functions.update({name for name in names if name.casefold() in VALUES - columns} if len(names) == 1 else ())
    for kind in sorted(classes & {"SUBQUERY", "WINDOW", "STAR", "PARAMETER", "DEFAULT"}):
        raise ConfigError(f"{where}: {kind.lower()} is not allowed; a rule looks at the columns of one row")
    for boundless in sorted(_boundless(tree, functions)):
        raise ConfigError(f"{where}: {boundless} {TOO_LARGE}")
    known = _functions(trial.con)
    for name in sorted(name for name in functions if not known.get(name)):
        if name not in known and name.casefold() not in VALUES and not name.endswith(ALONE):
            raise ConfigError(f"{where}: {_no_function(name, known)}")
        shown = name if name.casefold() in VALUES or name.endswith(ALONE) else f"{name}()"
        raise ConfigError(f"{where}: {shown} is not allowed; a rule looks at one row and always answers the same")


def _no_function(name: str, known: Mapping[str, bool]) -> str:
    """Return what is said of a function that there is not; to the parser, an operator of no other kind is one, too."""
    if not name.isidentifier():
        return f"there is no operator {name}{f'; write {SPELLINGS[name]}' if name in SPELLINGS else ''}"
    close = nearest(name, (each for each in known if known[each] and each.isidentifier()), cutoff=0.7)
    hint = f"; did you mean {' or '.join(f'{each}()' for each in close)}?" if close else ""
    return f"there is no function {name}(){hint}"


def _parts(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield each object of a syntax tree."""
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def _boundless(tree: Any, functions: Set[str]) -> Iterator[str]:
    """Yield what could make a value of any size, in words: what is repeated within what is repeated multiplies."""
    yield from (f"{name}()" for name in functions if name.casefold() in BOUNDLESS)
    for kind, key, value in (("a lambda", "class", "LAMBDA"), ("a fixed-size array", "type_name", "array")):
        outer = (part for part in _parts(tree) if part.get(key) == value)
        if any(inner is not part and inner.get(key) == value for part in outer for inner in _parts(part)):
            yield f"{kind} within another"


def _called(function: dict[str, Any]) -> str:
    """Return the name of a function; with what it is given where that decides whether it looks at a clock."""
    name = str(function["function_name"])
    is_alone = name.casefold() in CLOCKS_ALONE and len(function.get("arguments", ())) == 1
    return f"{name}{ALONE}" if is_alone else name


def _functions(con: Any) -> dict[str, bool]:
    """Return the functions of DuckDB, and of each whether it looks at one row and always answers the same."""
    found = con.execute(
        "SELECT function_name, bool_or(function_type = 'scalar' AND stability = 'CONSISTENT') "
        "FROM duckdb_functions() GROUP BY function_name"
    ).fetchall()
    return {name: bool(is_allowed or name in OF_ONE_ROW) and name not in NEVER for name, is_allowed in found}
