"""Columns of Parquet that hold pictures, however their writer packed them: the bytes of each, or why there are none.

Bytes of any width, in a dictionary, in a struct with a field ``bytes`` (Hugging Face datasets), in a list of one, as a
list of numbers, or in base64, as a text or as the bytes of one. Decides nothing about what the bytes are.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from diptych.curate.sources.image_suffixes import IMAGE_SUFFIXES
from diptych.curate.sources.list_types import has_views, is_list

MAX_SHOWN = 60
BYTES_FIELD, PATH_FIELD = "bytes", "path"
DATA = re.compile("data:", re.IGNORECASE)
URL = re.compile("https?://", re.IGNORECASE)
FOLLOWED = "read the files with the source folder, captions in a metadata.csv with file_name and text"
OTHER_ALPHABET = str.maketrans("-_", "+/")
LONGEST_START = 16
# How the base64 of JPEG, PNG, GIF, WebP, BMP, TIFF (II, MM), of AVIF, HEIC and JPEG 2000, of JPEG XL and SVG begins.
# No picture begins so, and what goes on in anything but base64 is left as it is.
IN_BASE64 = re.compile(
    rb"(?i:data:)|[/_]9j[/_]|iVBORw0KGgo|R0lGODdh|R0lGODlh|UklGR|Qk[0-3]|SUkq|TU0AK|AAAA|[/_]w[o-r]|PHN2Zy|PD94"
)


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
    if is_list(kind) and is_list(kind.value_type) and not holds_pictures(kind.value_type.value_type):
        return False  # the numbers of pixels, in rows
    if pa.types.is_dictionary(kind) or is_list(kind):
        return _is_list_of_bytes(kind) or holds_pictures(kind.value_type)
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
    if _is_list_of_bytes(kind):
        return _made([_joined(numbers) for numbers in array])
    if is_list(kind):
        return _of_lists(array)
    if _is_text(kind):
        return _made([_decoded(text) for text in array.cast(pa.string()).to_pylist()])
    return PictureColumn(_unpacked(array.cast(pa.binary())), pa.nulls(len(array), pa.string()))


def _of_structs(array: pa.Array) -> PictureColumn:
    found = pictures_in(pc.struct_field(array, BYTES_FIELD))
    if array.type.get_field_index(PATH_FIELD) < 0:
        return found
    paths = pc.struct_field(array, PATH_FIELD).cast(pa.string())
    shown = pc.utf8_slice_codeunits(paths, 0, MAX_SHOWN)
    told = pc.binary_join_element_wise("no_image: it has no bytes, only the path ", shown, f"; {FOLLOWED}", "")
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


def _made(pairs: Sequence[tuple[bytes | None, str | None]]) -> PictureColumn:
    data, problems = zip(*pairs, strict=True) if pairs else ((), ())
    return PictureColumn(pa.array(data, pa.binary()), pa.array(problems, pa.string()))


def _decoded(text: str | None) -> tuple[bytes | None, str | None]:
    """Return the bytes of base64 in either alphabet (RFC 4648), or of a data URI (RFC 2397), or why there are none."""
    if text is None:
        return None, None
    body = text
    if DATA.match(text):
        head, _, body = text.partition(",")
        if not head.lower().rstrip().endswith(";base64"):
            return unquote_to_bytes(body), None
        body = unquote_to_bytes(body).decode("utf-8", "replace")
    body = "".join(body.split()).rstrip("=").translate(OTHER_ALPHABET)
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4), validate=True), None
    except (binascii.Error, ValueError):
        return None, f"bad_row: {_no_base64(text)}"


def _no_base64(text: str) -> str:
    """Return what a text is that is no picture, and which source reads what it may name."""
    shown = text[:MAX_SHOWN]
    if URL.match(text):
        return f"a URL, which is not fetched: {shown}; read such a table as the source url_table"
    if PurePath(text).suffix[1:].lower() in IMAGE_SUFFIXES:
        return f"the path of a file, which is not followed: {shown}; {FOLLOWED}"
    return f"a text that is no base64: {shown}"


def _unpacked(pictures: pa.Array) -> pa.Array:
    """Return bytes, those of a text in base64 decoded; most columns hold none, and are not copied."""
    found = {number: one.as_py() for number, one in enumerate(pictures) if one.is_valid and _is_base64(one.as_buffer())}
    decoded = {number: _decoded(data.decode("latin-1"))[0] for number, data in found.items()}
    if not any(decoded.values()):
        return pictures
    return pa.array([decoded.get(number) or one.as_py() for number, one in enumerate(pictures)], pa.binary())


def _is_base64(data: pa.Buffer) -> bool:
    return IN_BASE64.match(memoryview(data)[:LONGEST_START]) is not None


def _joined(numbers: pa.Scalar) -> tuple[bytes | None, str | None]:
    """Return the bytes that a list has as numbers, of 8 bits or more, or why it has none."""
    if not numbers.is_valid:
        return None, None
    values = numbers.values
    if pa.types.is_int8(values.type):
        values = values.view(pa.uint8())  # as Java has bytes
    wrong = pc.fill_null(pc.or_(pc.less(values, 0), pc.greater(values, 255)), True)
    if pc.any(wrong).as_py():
        shown = values.filter(wrong)[0].as_py()
        return None, f"bad_row: a list with {'null' if shown is None else shown}, which is no byte"
    return values.to_numpy(zero_copy_only=False).astype(np.uint8).tobytes(), None


def _is_list_of_bytes(kind: pa.DataType) -> bool:
    return is_list(kind) and bool(pa.types.is_integer(kind.value_type))


def _is_binary(kind: pa.DataType) -> bool:
    is_view = pa.types.is_binary_view(kind)
    return bool(
        is_view or pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
