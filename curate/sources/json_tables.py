"""Tables in one JSON document: a list of objects, or one of the orientations in which pandas writes a frame.

Decides which objects are the rows, and nothing about what is in them.
"""

import codecs
import json
from collections.abc import Mapping, Sequence
from typing import Any

from diptych.errors import DataError

SPLIT = {"columns", "data"}
MAX_SHOWN = 60
KNOWN = "a list of objects, or what pandas writes: columns of one length, rows by their labels, split or table"


def are_json_lines(data: bytes) -> bool:
    r"""Return whether the first line of a text is an object by itself, and another one begins behind it.

    >>> are_json_lines(b'{"a": 1}\n{"a": 2}\n'), are_json_lines(b'{"a": 1}'), are_json_lines(b'{\n"a": 1}')
    (True, False, False)
    """
    first, _, others = data.removeprefix(codecs.BOM_UTF8).strip().partition(b"\n")
    try:
        return others.lstrip().startswith(b"{") and isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def rows_of_json(value: Any, column: str, file: str) -> list[Any]:
    """Return the rows of a document.

    Args:
        value: The document.
        column: The column that has to be there, by which columns are told from rows.
        file: What is read, for messages.

    Raises:
        DataError: If it is of none of the kinds.
    """
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        raise DataError(f"{file}: JSON of a URL table is {KNOWN}; this is {json.dumps(value)[:MAX_SHOWN]}")
    data = value.get("data")
    if column not in value and isinstance(data, list):
        if set(value) >= SPLIT and isinstance(value["columns"], list):
            return [_named(value["columns"], row, file) for row in data]
        return data
    rows = list(value.values())
    if column not in value and all(isinstance(row, dict) for row in rows) and any(column in row for row in rows):
        return rows
    return _of_columns(value, column, file)


def _named(names: Sequence[Any], row: Any, file: str) -> Any:
    if not isinstance(row, list):
        return row
    if len(row) != len(names):
        raise DataError(
            f"{file}: a row has {len(row)} values, and there are {len(names)} columns: {str(row)[:MAX_SHOWN]}"
        )
    return dict(zip(map(str, names), row, strict=True))


def _of_columns(value: Mapping[str, Any], column: str, file: str) -> list[Any]:
    """Return the rows of columns: lists of one length, or values by the labels of their rows."""
    columns = value.values()
    if columns and all(isinstance(one, dict) for one in columns):
        labels = dict.fromkeys(label for one in (value.get(column, {}), *columns) for label in one)
        return [{name: one[label] for name, one in value.items() if label in one} for label in labels]
    if (odd := next((name for name, one in value.items() if not isinstance(one, list)), None)) is not None:
        raise DataError(f"{file}: JSON of a URL table is {KNOWN}; {odd!r} is no list: one row is written [{{...}}]")
    if len({len(one) for one in columns}) > 1:
        lengths = ", ".join(f"{name!r} has {len(one)}" for name, one in value.items())
        raise DataError(f"{file}: JSON of a URL table is {KNOWN}; here {lengths[:MAX_SHOWN]}")
    return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]
