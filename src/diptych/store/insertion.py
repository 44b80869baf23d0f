"""From rows to the tables that are inserted: mappings as JSON, and no NaN, which SQL takes for the largest number."""

import dataclasses
import json
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

Row = TypeVar("Row")

SHAPES = {int: pa.int64(), float: pa.float64(), str: pa.string(), bool: pa.bool_()}


def rows_to_table(kind: type[Row], rows: Sequence[Row]) -> pa.Table:
    """Return dataclass rows as an Arrow table, mappings as JSON, NaN as null."""
    arrays = {}
    for name, shape in shapes(kind).items():
        values = [getattr(row, name) for row in rows]
        if shape is None:
            values = [json_text(value) for value in values]
        elif pa.types.is_string(shape):
            values = [_clean(value) for value in values]
        arrays[name] = pa.array(values, shape or pa.string(), from_pandas=True)
    return pa.table(arrays)


def shapes(kind: type[Row]) -> dict[str, pa.DataType | None]:
    """Return the Arrow type of each field of a dataclass; None for JSON."""
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]  # every kind is a dataclass
    return {field.name: _shape(hints[field.name]) for field in fields}


def json_text(value: Mapping[str, Any], *, sort_keys: bool = False) -> str | None:
    """Return a mapping as JSON that UTF-8 can hold."""
    return _clean(json.dumps(value, sort_keys=sort_keys, ensure_ascii=False, allow_nan=False))


def without_nan(table: pa.Table) -> pa.Table:
    """Return a table with null in the place of NaN."""
    for index, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            column = table.column(index)
            clean = pc.if_else(pc.is_nan(column), pa.scalar(None, field.type), column)
            table = table.set_column(index, field, clean)
    return table


def _shape(hint: Any) -> pa.DataType | None:
    if typing.get_origin(hint) is Mapping:
        return None
    if typing.get_origin(hint) is Sequence:
        return pa.list_(SHAPES[typing.get_args(hint)[0]])
    return next(SHAPES[part] for part in typing.get_args(hint) or (hint,) if part in SHAPES)


def _clean(text: str | None) -> str | None:
    """Replace lone surrogates, which no UTF-8 file can hold."""
    return None if text is None else text.encode("utf-8", "replace").decode("utf-8")
