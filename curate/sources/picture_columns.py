"""Columns of Parquet that hold pictures, however their writer packed them: the bytes of each, or why there are none.

Bytes of any width, in a dictionary, in a struct with a field ``bytes`` (Hugging Face datasets), in a list of one, or as
text in base64. Decides nothing about what the bytes are.
"""

import base64
import binascii
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from diptych.curate.sources.list_types import has_views, is_list

MAX_SHOWN = 60
BYTES_FIELD, PATH_FIELD = "bytes", "path"


class PictureColumn(NamedTuple):
    """The pictures of some rows.

    Attributes:
        bytes: Binary, null where there is none.
        problems: String, why there is none where something else is there, else null.
    """

    bytes: pa.Array
    problems: pa.Array


def holds_pictures(kind: pa.DataType) -> bool:
    """Return whether a column of this type can hold pictures.

    >>> holds_pictures(pa.list_(pa.large_binary())), holds_pictures(pa.int64())
    (True, False)
    """
    if pa.types.is_dictionary(kind) or is_list(kind):
        return holds_pictures(kind.value_type)
    if pa.types.is_struct(kind):
        return bool(kind.get_field_index(BYTES_FIELD) >= 0)
    return _is_binary(kind) or _is_text(kind) or pa.types.is_null(kind)


def pictures_in(column: pa.ChunkedArray | pa.Array) -> PictureColumn:
    """Return the pictures of a column of a type that ``holds_pictures``."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    kind = array.type
    if pa.types.is_dictionary(kind):
        return pictures_in(array.cast(kind.value_type))
    if pa.types.is_struct(kind):
        return _of_structs(array)
    if is_list(kind):
        return _of_lists(array)
    if _is_text(kind):
        return _of_texts(array)
    return PictureColumn(array.cast(pa.binary()), pa.nulls(len(array), pa.string()))


def _of_structs(array: pa.Array) -> PictureColumn:
    found = pictures_in(pc.struct_field(array, BYTES_FIELD))
    if array.type.get_field_index(PATH_FIELD) < 0:
        return found
    paths = pc.struct_field(array, PATH_FIELD).cast(pa.string())
    shown = pc.utf8_slice_codeunits(paths, 0, MAX_SHOWN)
    told = pc.binary_join_element_wise("no_image: it has no bytes, only the path ", shown, "")
    only_path = pc.and_(found.bytes.is_null(), pc.and_(found.problems.is_null(), pc.is_valid(paths)))
    return PictureColumn(found.bytes, pc.if_else(only_path, told, found.problems))


def _of_lists(array: pa.Array) -> PictureColumn:
    lists = array if has_views(array.type) else array.cast(pa.large_list(array.type.value_type))
    counts = pc.list_value_length(lists)
    firsts = pc.if_else(pc.greater(counts, 0), lists.offsets[: len(lists)], None)
    found = pictures_in(lists.values.take(firsts))
    several = pc.fill_null(pc.greater(counts, 1), False)
    shown = counts.cast(pa.string())
    told = pc.binary_join_element_wise("bad_row: it has ", shown, " pictures; give each a row of its own", "")
    return PictureColumn(
        pc.if_else(several, pa.scalar(None, pa.binary()), found.bytes), pc.if_else(several, told, found.problems)
    )


def _of_texts(array: pa.Array) -> PictureColumn:
    pairs = [_decoded(text) for text in array.cast(pa.string()).to_pylist()]
    data, problems = zip(*pairs, strict=True) if pairs else ((), ())
    return PictureColumn(pa.array(data, pa.binary()), pa.array(problems, pa.string()))


def _decoded(text: str | None) -> tuple[bytes | None, str | None]:
    """Return the bytes of base64, also of a data URI (RFC 2397), or why there are none."""
    if text is None:
        return None, None
    body = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode("".join(body.split()), validate=True), None
    except (binascii.Error, ValueError):
        return None, f"bad_row: a text that is no base64: {text[:MAX_SHOWN]}"


def _is_binary(kind: pa.DataType) -> bool:
    is_view = pa.types.is_binary_view(kind)
    return bool(
        is_view or pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
