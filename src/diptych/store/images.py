"""The columns of images: those that the table has, and every further one of the data, which is an entry of ``more``.

So what a config carries along, what a prompt brings and an axis that comes later are stored, grouped and filtered like
``model`` and ``steps``, and no schema changes. A query names a column by ``column_sql``, wherever it lies.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from diptych.data.sql import text
from diptych.store.image_rows import FurtherColumn, ImageRow
from diptych.store.insertion import shapes

WHOSE = ("run_id", "dataset")
PLACE = ("shard", "shard_row")
OWN: Mapping[str, pa.DataType] = {
    name: shape for name, shape in shapes(ImageRow).items() if shape is not None and name not in {*WHOSE, *PLACE}
}


class ImageColumns(NamedTuple):
    """The columns of some images: those of the table, and further ones."""

    own: pa.Table
    more: pa.Table


def image_columns(data: pa.Table) -> ImageColumns:
    """Return the columns of data as the store has them.

    A column of the table's name but of a type that does not fit it is a further one. Of further columns numbers, texts,
    lists of texts, dates and truth values are kept; what has another type is left out.
    """
    own, more = {}, {}
    for name in data.column_names:
        fitting = _cast(data[name], OWN.get(name))
        if fitting is not None:
            own[name] = fitting
        elif (kept := _storable(data[name])) is not None:
            more[name] = kept
    return ImageColumns(pa.table(own), pa.table(more))


def further_of(rows: Sequence[ImageRow]) -> pa.Table:
    """Return the entries of ``more`` of some rows as columns."""
    names = dict.fromkeys(name for row in rows for name in row.more)
    return pa.table({name: pa.array([row.more.get(name) for row in rows]) for name in names})


def more_sql(names: Sequence[str]) -> str:
    """Return the SQL that makes ``more`` of the columns ``further_0``, ``further_1`` and so on."""
    parts = (f"{text(name)}, further_{number}" for number, name in enumerate(names))
    return f"json_object({', '.join(parts)})"


def facts_of(images: pa.Table, more: pa.Table) -> list[FurtherColumn]:
    """Return what the store notes of further columns: whose they are, and their types in SQL."""
    whose = dict.fromkeys(zip(images["run_id"].to_pylist(), images["dataset"].to_pylist(), strict=True))
    return [FurtherColumn(*each, field.name, _sql_type(field.type)) for each in whose for field in more.schema]


def column_sql(name: str, further: Mapping[str, str]) -> str:
    """Return the SQL of a column of ``images`` by its name; NULL for one that no image has.

    Args:
        name: Of the column.
        further: Name -> type in SQL of what there is beside the table's own columns.
    """
    if name in OWN or name in (*WHOSE, *PLACE):
        return f"images.{name}"
    if name not in further:
        return "NULL"
    pointer = text("/" + name.replace("~", "~0").replace("/", "~1"))  # RFC 6901
    if further[name].endswith("[]"):
        return f"CAST(json_extract(images.more, {pointer}) AS {further[name]})"
    return f"TRY_CAST(json_extract_string(images.more, {pointer}) AS {further[name]})"


def _cast(column: pa.ChunkedArray, wanted: pa.DataType | None) -> pa.ChunkedArray | None:
    """Return a column in a type; None where it does not fit."""
    try:
        return None if wanted is None else column.cast(wanted)
    except pa.ArrowException:
        return None


def _storable(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return a further column in a type that JSON has; None where there is none."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _storable(column.cast(kind.value_type))
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = column.cast(pa.float64())
        return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))
    if pa.types.is_temporal(kind) and not pa.types.is_duration(kind):
        return column.cast(pa.string())
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return column if _is_plain(kind.value_type if is_list else kind, is_list=is_list) else None


def _is_plain(kind: pa.DataType, *, is_list: bool) -> bool:
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return is_text or (not is_list and (pa.types.is_integer(kind) or pa.types.is_boolean(kind)))


def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "BOOLEAN"
    if pa.types.is_integer(kind):
        return "UBIGINT" if kind == pa.uint64() else "BIGINT"
    if pa.types.is_floating(kind):
        return "DOUBLE"
    return "VARCHAR" if pa.types.is_string(kind) or pa.types.is_large_string(kind) else "VARCHAR[]"
