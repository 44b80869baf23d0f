"""Texts of Parquet whose bytes are no UTF-8: writers that check nothing leave Latin-1 or half characters in them.

Decides what such a text becomes, in columns, lists, structs and maps of texts alike. Knows no column by its name.
"""

from typing import Any

import pyarrow as pa

from diptych.curate.sources.list_types import is_list

# The bytes that a text of each type is.
BYTES_OF = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary(), pa.string_view(): pa.binary_view()}


def whole_texts(table: pa.Table) -> pa.Table:
    """Return the table with U+FFFD for the bytes of its texts that are no UTF-8; its types stay."""
    for number, field in enumerate(table.schema):
        if not _is_whole(table[number]):
            table = table.set_column(number, field, _mended(table[number], field.type))
    return table


def _is_whole(column: pa.ChunkedArray) -> bool:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _mended(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    is_packed = pa.types.is_dictionary(kind)
    plain = kind.value_type if is_packed else kind
    chunks = [chunk.dictionary_decode() if is_packed else chunk for chunk in column.chunks]
    values = [_decoded(value, plain) for chunk in chunks for value in chunk.cast(_as_bytes(plain)).to_pylist()]
    return pa.chunked_array([pa.array(values, kind)])


def _as_bytes(kind: pa.DataType) -> pa.DataType:
    if is_list(kind):
        return pa.list_(_as_bytes(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _as_bytes(field.type)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(_as_bytes(kind.key_type), _as_bytes(kind.item_type))
    return BYTES_OF.get(kind, kind)


def _decoded(value: Any, kind: pa.DataType) -> Any:
    """Return a value of a type, given with bytes for its texts."""
    if value is None:
        return None
    if is_list(kind):
        return [_decoded(item, kind.value_type) for item in value]
    if pa.types.is_struct(kind):
        return {field.name: _decoded(value[field.name], field.type) for field in kind}
    if pa.types.is_map(kind):
        return [(_decoded(key, kind.key_type), _decoded(item, kind.item_type)) for key, item in value]
    return value.decode("utf-8", "replace") if kind in BYTES_OF else value
