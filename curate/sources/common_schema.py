"""One schema for the tables of all parts of an input, and tables brought to it.

Files that were written at different times hold the same column in types that differ in width, or as null where a file
has no value; pandas makes floats of integers where one is missing. Numbers without a sign beside such that may have one
are joined where the values allow it. Decides nothing about which columns there are.
"""

import pyarrow as pa
import pyarrow.compute as pc

from diptych.curate.sources.column_types import is_inferred, wider
from diptych.errors import DataError

MOST_INT64 = 2**63 - 1
FITS = b"fits int64"  # metadata of a uint64 field: all its values are int64s, too


def seen_schema(table: pa.Table) -> pa.Schema:
    """Return the schema of a table that was read, in which a uint64 column is marked whose values are all int64s."""
    fields = [
        _with_mark(field, is_marked=(pc.max(table[number]).as_py() or 0) <= MOST_INT64)
        if field.type == pa.uint64()
        else field
        for number, field in enumerate(table.schema)
    ]
    return pa.schema(fields)


def without_marks(schema: pa.Schema) -> pa.Schema:
    """Return a schema without what ``seen_schema`` marked."""
    return pa.schema([_with_mark(field, is_marked=False) for field in schema])


def common_schema(first: pa.Schema, other: pa.Schema) -> pa.Schema:
    """Return the schema that has the columns of both, each in the narrowest type that has the values of both.

    Of uint64 beside a number with a sign that is int64, where ``seen_schema`` found that it will do.

    Raises:
        DataError: If a column has no such type; the message names neither file.
    """
    names = dict.fromkeys([*first.names, *other.names])
    return pa.schema([_common_field(first, other, name) for name in names])


def in_schema(table: pa.Table, schema: pa.Schema, file: str) -> pa.Table:
    """Return a table with the columns of a schema, in its types; a column that it lacks is null.

    Args:
        table: Its columns are among those of the schema.
        schema: What ``common_schema`` found.
        file: What was read, for messages.

    Raises:
        DataError: If a value has no place in the common type: an integer that no float is equal to.
    """
    if table.schema.equals(schema):
        return table
    columns = []
    for field in schema:
        if field.name not in table.column_names:
            columns.append(pa.nulls(table.num_rows, field.type))
            continue
        try:
            columns.append(table[field.name].cast(field.type))
        except pa.ArrowInvalid as error:
            kinds = f"{table[field.name].type} here and {field.type} with the other files"
            raise DataError(f"{file}: the column {field.name!r} is {kinds}, and not all fits: {error}") from error
    return pa.table(columns, schema=schema)


def _common_field(first: pa.Schema, other: pa.Schema, name: str) -> pa.Field:
    if name not in first.names or name not in other.names:
        return (first if name in first.names else other).field(name)
    field, known = first.field(name), other.field(name)
    if is_inferred(field) and is_inferred(known):
        return field.with_type(wider(field.type, known.type))
    if is_inferred(field):  # a file that says of which type its column is goes before one that does not
        field, known = known, field
    if field.type.equals(known.type):
        return _joined(field, known, field.type)
    kinds = {field.type, known.type}
    if sum(map(pa.types.is_decimal, kinds)) == 1 and all(map(_is_number, kinds)):
        return field.with_type(pa.float64())  # Arrow would round the decimal to the float that the other file has
    if pa.uint64() in kinds and any(map(pa.types.is_signed_integer, kinds)):
        (unsigned,) = (one for one in (field, known) if one.type == pa.uint64())
        if FITS in (unsigned.metadata or {}):
            return _joined(field, known, pa.int64())
        said = f"the column {name!r} holds {field.type} in one file and {known.type} in another"
        raise DataError(f"{said}, and a number above {MOST_INT64}, which no int64 is")
    try:
        if pa.binary() in kinds:
            raise pa.ArrowTypeError("would be texts that they are not")
        joined = pa.unify_schemas([pa.schema([field]), pa.schema([known])], promote_options="permissive")
    except pa.ArrowTypeError:
        kind, another = field.type, known.type
        raise DataError(f"the column {name!r} holds {kind} in one file and {another} in another") from None
    return _joined(field, known, joined.field(name).type)


def _joined(field: pa.Field, known: pa.Field, kind: pa.DataType) -> pa.Field:
    """Return a field of the type of two, marked where it is uint64 and all values of both are int64s."""
    fits = all(one.type != pa.uint64() or FITS in (one.metadata or {}) for one in (field, known))
    return _with_mark(field.with_type(kind), is_marked=kind == pa.uint64() and fits)


def _with_mark(field: pa.Field, *, is_marked: bool) -> pa.Field:
    others = {name: said for name, said in (field.metadata or {}).items() if name != FITS}
    return field.with_metadata({**others, FITS: b""} if is_marked else others)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_decimal(kind) or pa.types.is_floating(kind) or pa.types.is_integer(kind))
