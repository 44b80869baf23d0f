"""By what rows may be ordered where one of them is kept: keys whose order is that of numbers, dates or truth values.

In texts 9 comes after 1000, and so it does in JSON, bytes, and lists and objects of them. NaN, which SQL takes for the
largest number, is no number here and comes last, as null does.
"""

import json
import re
from typing import Any

from diptych.curate.conditions import TrialTable, check_order
from diptych.errors import ConfigError

MAX_SHOWN = 40

# Names of DuckDB's types; a list of them ends with [], and is none.
_ORDERED = re.compile(
    r'U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|BIGNUM|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|BOOLEAN|"NULL"'
    r"|DATE|INTERVAL|TIME( WITH TIME ZONE)?|TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?"
)
_FLOATING = ("FLOAT", "DOUBLE")
_TEXT = re.compile(r"VARCHAR|JSON|ENUM\(.*\)", re.DOTALL)


def misordered_key(trial: TrialTable, order: str) -> str | None:
    """Return what is wrong with the first sort key that is not ordered as numbers are; None where all are.

    A key with a collation is the order of letters, which is meant.

    Args:
        trial: Where the columns are.
        order: A list of sort keys that passed ``check_order``.
    """
    keys = [key["expression"] for key in _keys(_tree(trial, order))]
    for name, kind in _described(trial, order, [key for key in keys if key["class"] != "COLLATE"]):
        if _TEXT.fullmatch(kind):
            shown = "text" if kind == "VARCHAR" else kind[:MAX_SHOWN]
            letters = f", or {name} COLLATE C if the order of letters is meant" if kind == "VARCHAR" else ""
            return (
                f"{name} is {shown}, in which 9 comes after 1000; say TRY_CAST({name} AS DOUBLE) for numbers{letters}"
            )
        if not _ORDERED.fullmatch(kind):
            remedy = "name a number, a date or a truth value of it"
            return f"{name} is {kind[:MAX_SHOWN]}, which is not ordered as numbers are; {remedy}"
    return None


def check_preference(trial: TrialTable, order: str, *, where: str) -> None:
    """Try an order of preference on a row of nulls.

    Raises:
        ConfigError: If it is not SQL over columns that are there; the message begins with ``where``.
    """
    check_order(trial, order, where=where)
    trial.check(f"SELECT 1 FROM {trial.source} ORDER BY\n{order}", where=where)
    wrong = misordered_key(trial, order)
    if wrong is not None:
        raise ConfigError(f"{where}: {wrong}")


def without_nan(trial: TrialTable, order: str) -> str:
    """Return the same sort keys with null for NaN.

    Args:
        trial: Where the columns are.
        order: A list of sort keys of which ``misordered_key`` has nothing to say.
    """
    tree = _tree(trial, order)
    keys = [key for key in _keys(tree) if key["expression"]["class"] != "COLLATE"]
    kinds = [kind for _, kind in _described(trial, order, [key["expression"] for key in keys])]
    nullif = _tree(trial, "nullif(1, CAST('nan' AS DOUBLE))")
    for key, kind in zip(keys, kinds, strict=True):
        if kind in _FLOATING:
            wrapped = json.loads(json.dumps(_keys(nullif)[0]["expression"]))
            wrapped["arguments"][0]["expression"] = key["expression"]
            key["expression"] = wrapped
    return _sql(trial, tree).partition(" ORDER BY ")[2] if set(kinds) & set(_FLOATING) else order


def _described(trial: TrialTable, order: str, keys: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return each key in SQL and the name of its type."""
    if not keys:
        return []
    tree = _tree(trial, order)
    tree["statements"][0]["node"] |= {"modifiers": [], "select_list": keys}
    described = trial.con.execute(f"DESCRIBE {_sql(trial, tree)} FROM {trial.source}").fetchall()
    return [(name, kind) for name, kind, *_ in described]


def _keys(tree: dict[str, Any]) -> list[dict[str, Any]]:
    return [key for modifier in tree["statements"][0]["node"]["modifiers"] for key in modifier["orders"]]


def _tree(trial: TrialTable, order: str) -> dict[str, Any]:
    query = f"SELECT 1 ORDER BY\n{order}\n"
    tree: dict[str, Any] = json.loads(trial.con.execute("SELECT json_serialize_sql(?)", [query]).fetchall()[0][0])
    return tree


def _sql(trial: TrialTable, tree: dict[str, Any]) -> str:
    return str(trial.con.execute("SELECT json_deserialize_sql(?::JSON)", [json.dumps(tree)]).fetchall()[0][0])
