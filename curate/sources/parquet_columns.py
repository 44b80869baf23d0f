"""Carried columns of Parquet as SQL can take them, on which rules rest, and as ``datasets`` can, which reads exports.

NaN, SQL's largest number, is null, as it is from csv and JSON. Half floats, which SQL has not, are floats; maps, which
``datasets`` has not, are lists of key and value, UUIDs are text, and other extensions what they are stored as. What SQL
has no type for is refused. Decides nothing about which columns are carried.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from diptych.curate.sources.list_types import has_views, is_list
from diptych.data.sql import connect
from diptych.errors import DataError

MAX_SHOWN = 60
# Types that differ in width alone, or that SQL or ``datasets`` has not.
PLAIN: Mapping[pa.DataType, pa.DataType] = {
    pa.float16(): pa.float32(),
    pa.large_binary(): pa.binary(),
    pa.binary_view(): pa.binary(),
    pa.large_string(): pa.string(),
    pa.string_view(): pa.string(),
}


def sql_column(column: pa.ChunkedArray, name: str, file: str) -> pa.ChunkedArray:
    """Return a column in a type that SQL and ``datasets`` have, with null for NaN, also in lists.

    Args:
        column: As it was read.
        name: What the source calls it, for messages.
        file: What is read, for messages.

    Raises:
        DataError: If SQL has no such type.
    """
    if column.type == pa.uuid():
        return pa.chunked_array([[str(value) if value else None for value in column.to_pylist()]], pa.string())
    kind = _sql_type(column.type)
    if not _is_known(kind):
        remedy = "leave it out of columns, or store it as a type that SQL has"
        raise DataError(f"{file}: the column {name!r} holds {str(kind)[:MAX_SHOWN]}, which SQL cannot take; {remedy}")
    plain = pa.chunked_array([column.to_pylist()], kind) if has_views(column.type) else column.cast(kind)
    return pa.chunked_array([_without_nan(chunk) for chunk in plain.chunks], kind)


def key_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return keys as texts, as files of one input may hold them as numbers and as texts.

    A whole number among floats, which pandas makes of integers beside a null, has no point.

    >>> key_column(pa.chunked_array([[7.0, None]])).to_pylist(), key_column(pa.chunked_array([[b"k1"]])).to_pylist()
    (['7', None], ['k1'])
    """
    return pa.chunked_array([pa.array(map(_key_text, column.to_pylist()), pa.string())])


def _key_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.hex()
    if isinstance(value, float):
        return None if math.isnan(value) else str(int(value)) if value.is_integer() else str(value)
    return str(value)


def _sql_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _sql_type(kind.value_type)
    if isinstance(kind, pa.BaseExtensionType):
        return _sql_type(kind.storage_type)
    if kind in PLAIN:
        return PLAIN[kind]
    if pa.types.is_decimal(kind) and kind.bit_width < 128:
        return pa.decimal128(kind.precision, kind.scale)
    if pa.types.is_map(kind):
        return pa.list_(pa.struct([("key", _sql_type(kind.key_type)), ("value", _sql_type(kind.item_type))]))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_sql_type(kind.value_type), kind.list_size)
    if is_list(kind):
        return pa.list_(_sql_type(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct(
            [kind.field(number).with_type(_sql_type(kind.field(number).type)) for number in range(len(kind))]
        )
    return kind


def _without_nan(array: pa.Array) -> pa.Array:
    if pa.types.is_floating(array.type):
        return pc.if_else(pc.is_nan(array), None, array)
    buffers = 1 if pa.types.is_fixed_size_list(array.type) else 2  # validity, and offsets where lengths differ
    if buffers == 1 or pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        inner = _without_nan(array.values)
        return pa.Array.from_buffers(
            array.type, len(array), array.buffers()[:buffers], offset=array.offset, children=[inner]
        )
    return array


@lru_cache
def _is_known(kind: pa.DataType) -> bool:
    import duckdb

    con = connect()
    try:
        con.register("trial", pa.schema([("column", kind)]).empty_table())
        con.execute("DESCRIBE trial").fetchall()
    except duckdb.Error:
        return False
    return True
