"""One schema for the tables of all parts of an input, and tables brought to it.

Files that were written at different times hold the same column in types that differ in width, or as null where a file
has no value; pandas makes floats of integers where one is missing. Decides nothing about which columns there are.
"""

import pyarrow as pa

from diptych.curate.sources.column_types import is_inferred, wider
from diptych.errors import DataError


def common_schema(first: pa.Schema, other: pa.Schema) -> pa.Schema:
    """Return the schema that has the columns of both, each in the narrowest type that has the values of both.

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
        return field
    kinds = {field.type, known.type}
    if sum(map(pa.types.is_decimal, kinds)) == 1 and all(map(_is_number, kinds)):
        return field.with_type(pa.float64())  # Arrow would round the decimal to the float that the other file has
    is_whole = pa.types.is_unsigned_integer(field.type) != pa.types.is_unsigned_integer(known.type)
    try:
        if (pa.uint64() in kinds and is_whole and all(map(pa.types.is_integer, kinds))) or pa.binary() in kinds:
            raise pa.ArrowTypeError("would be numbers or texts that they are not")
        joined = pa.unify_schemas([pa.schema([field]), pa.schema([known])], promote_options="permissive")
    except pa.ArrowTypeError:
        kind, another = field.type, known.type
        raise DataError(f"the column {name!r} holds {kind} in one file and {another} in another") from None
    return field.with_type(joined.field(name).type)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_decimal(kind) or pa.types.is_floating(kind) or pa.types.is_integer(kind))
