"""Of which type a column of text is: csv, JSON and the members of tars say what a value is, but not what its column is.

A column has the type that a config declares. Where it declares none, a table has the narrowest type that fits all its
values, and marks the column, so that ``wider`` may find one type for all tables of an input. Decides nothing about
which columns there are.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from diptych.errors import DataError

SCALARS: Mapping[str, pa.DataType] = {
    "bool": pa.bool_(),
    "float64": pa.float64(),
    "int64": pa.int64(),
    "string": pa.string(),
    "uint64": pa.uint64(),
}
LIST = "[]"
MAX_DEPTH = 3  # of lists that stay lists
INFERRED = b"inferred"  # metadata of a field whose type was not declared: the name of the column in the source
MAX_SHOWN = 60

# A number as programs write it: 007, +49 and what is too long for a float are none; they would not be the same again.
_INTEGER = r"^-?(0|[1-9]\d{0,18})$"
_NUMBER = r"^(-?(0|[1-9]\d{0,14}|(0|[1-9]\d*)\.\d*|\.\d+)([eE][-+]?\d+)?|nan|NaN|NAN|-?inf|-?Infinity)$"
_LONG_INTEGER = r"^-?\d{16,}$"
_TRUTH = r"^(true|false|True|False|TRUE|FALSE)$"


def arrow_type(name: str) -> pa.DataType:
    """Return the Arrow type of a name as configs have it.

    >>> arrow_type("float64[][]")
    ListType(list<item: list<item: double>>)
    """
    return pa.list_(arrow_type(name.removesuffix(LIST))) if name.endswith(LIST) else SCALARS[name]


def type_name(kind: pa.DataType) -> str:
    """Return the name of a type that a column was found to have; one without values is text.

    >>> type_name(pa.list_(pa.int64())), type_name(pa.null())
    ('int64[]', 'string')
    """
    if pa.types.is_list(kind):
        return type_name(kind.value_type) + LIST
    return next((name for name, known in SCALARS.items() if known.equals(kind)), "string")


def wider(first: pa.DataType, other: pa.DataType) -> pa.DataType:
    """Return the narrowest type that has all values of two; text where there is no other.

    >>> wider(pa.int64(), pa.float64()), wider(pa.int64(), pa.string()), wider(pa.null(), pa.bool_())
    (DataType(double), DataType(string), DataType(bool))
    """
    if first.equals(other) or pa.types.is_null(other):
        return first
    if pa.types.is_null(first):
        return other
    if pa.types.is_list(first) and pa.types.is_list(other):
        return pa.list_(wider(first.value_type, other.value_type))
    kinds = {type_name(first), type_name(other)}
    return pa.float64() if "float64" in kinds and kinds <= {"float64", "int64", "uint64"} else pa.string()


def is_inferred(field: pa.Field) -> bool:
    """Return whether the type of a field was found by looking at values."""
    return INFERRED in (field.metadata or {})


def settled(schema: pa.Schema) -> pa.Schema:
    """Return a joined schema as the pool has it: an inferred column of which no value was seen is text."""
    return pa.schema([_settled_field(field) for field in schema])


def shown_type(kind: pa.DataType) -> str:
    """Return a type as configs name it, or as Arrow does where they have no name for it."""
    return type_name(kind) if pa.types.is_list(kind) or kind in SCALARS.values() else str(kind)


def inferred_types(schema: pa.Schema) -> dict[str, str]:
    """Return the inferred types of a schema: name in the source -> name of the type."""
    return {field.metadata[INFERRED].decode(): type_name(field.type) for field in schema if is_inferred(field)}


def with_carried(columns: Mapping[str, Any], carried: Mapping[str, str], types: Mapping[str, str]) -> pa.Table:
    """Return a table of columns, of which those that are carried are marked where their type is not declared.

    Args:
        columns: By their names in the dataset.
        carried: Name in the dataset -> name in the source, of those that text was made a column of.
        types: Declared types, by the names in the source.
    """
    table = pa.table(dict(columns))
    marks = {final: {INFERRED: name.encode()} for final, name in carried.items() if name not in types}
    fields = [field.with_metadata(marks[field.name]) if field.name in marks else field for field in table.schema]
    return table.cast(pa.schema(fields))


def column_of_text(texts: pa.ChunkedArray, name: str, types: Mapping[str, str], file: str) -> pa.ChunkedArray:
    """Return a column of csv as what it is: numbers and truth values where all its texts are such, else text.

    Args:
        texts: Strings, null where a field is empty.
        name: Of the column.
        types: Declared types by name; this column may be among them.
        file: What is read, for messages.

    Raises:
        DataError: If a value does not fit the declared type.
    """
    kind = arrow_type(types[name]) if name in types else None
    if kind is not None and pa.types.is_list(kind):
        values = [None if text is None else _parsed(text) for text in texts.to_pylist()]
        return pa.chunked_array([column_of_json(values, name, types, file)])
    trimmed = pc.utf8_trim_whitespace(texts)
    if kind is None:
        return _narrowest(texts, trimmed)
    if pa.types.is_string(kind):
        return texts
    try:
        if pa.types.is_floating(kind):
            _refuse_rounding(trimmed, name, file)
        return _without_nan(trimmed.cast(kind))
    except pa.ArrowInvalid:
        wrong = next(text for text in trimmed if text.is_valid and not _casts(text, kind))
        raise DataError(_misfit(file, name, wrong.as_py(), kind)) from None


def column_of_json(values: Sequence[Any], name: str, types: Mapping[str, str], file: str) -> pa.Array:
    """Return a column of what JSON gave: truth values, numbers, texts and lists of them; all else is JSON text.

    Args:
        values: Of a key, None where it is not there.
        name: The key.
        types: Declared types by name; this key may be among them.
        file: What is read, for messages.

    Raises:
        DataError: If a value does not fit the declared type.
    """
    kind = arrow_type(types[name]) if name in types else _json_type(values, 0)
    try:
        return pa.array([_fitted(value, kind) for value in values], kind)
    except (ValueError, OverflowError, pa.ArrowException):
        wrong = next(value for value in values if not _fits(value, kind))
        raise DataError(_misfit(file, name, wrong, kind)) from None


def as_text(value: Any) -> str | None:
    """Return a string as valid UTF-8 (a lone surrogate is legal in JSON), anything else but None as JSON."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text.encode("utf-8", "replace").decode("utf-8")


def _settled_field(field: pa.Field) -> pa.Field:
    return field.with_type(arrow_type(type_name(field.type))) if is_inferred(field) else field


def _refuse_rounding(texts: pa.ChunkedArray, name: str, file: str) -> None:
    """Raise for an integer that would be another number as a float."""
    long = texts.filter(pc.fill_null(pc.match_substring_regex(texts, _LONG_INTEGER), False)).to_pylist()
    wrong = next((text for text in long if not _is_float(text)), None)
    if wrong is not None:
        raise DataError(_misfit(file, name, wrong, pa.float64()))


def _is_float(digits: str) -> bool:
    """Return whether a float is equal to an integer that is written out."""
    value = float(digits)
    return math.isfinite(value) and int(value) == int(digits)


def _narrowest(texts: pa.ChunkedArray, trimmed: pa.ChunkedArray) -> pa.ChunkedArray:
    for pattern, kind in ((_INTEGER, pa.int64()), (_NUMBER, pa.float64()), (_TRUTH, pa.bool_())):
        if pc.all(pc.match_substring_regex(trimmed, pattern), min_count=0).as_py():
            if texts.null_count == len(texts):
                return pa.chunked_array([pa.nulls(len(texts))])
            try:
                return _without_nan(trimmed.cast(kind))
            except pa.ArrowInvalid:  # digits beyond int64: as floats they would not be the same number again
                return texts
    return texts


def _without_nan(column: Any) -> Any:
    """Return the column with null for NaN, which SQL takes for the largest number."""
    return pc.if_else(pc.is_nan(column), None, column) if pa.types.is_floating(column.type) else column


def _json_type(values: Iterable[Any], depth: int) -> pa.DataType:
    kind = pa.null()
    for value in values:
        kind = wider(kind, _type_of(value, depth))
        if pa.types.is_string(kind):
            break
    return kind


def _type_of(value: Any, depth: int) -> pa.DataType:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return pa.null()
    if isinstance(value, list) and depth < MAX_DEPTH:
        return pa.list_(_json_type(value, depth + 1))
    if isinstance(value, int) and not isinstance(value, bool):
        return pa.int64() if -(2**63) <= value < 2**63 else pa.uint64() if 0 <= value < 2**64 else pa.string()
    return {bool: pa.bool_(), float: pa.float64()}.get(type(value), pa.string())


def _fitted(value: Any, kind: pa.DataType) -> Any:
    """Return a value as one of the type.

    Raises:
        ValueError: If it is none.
    """
    if value is None or pa.types.is_null(kind):
        return None
    if pa.types.is_string(kind):
        return as_text(value)
    value = _parsed(value) if isinstance(value, str) else value  # a number in quotes, where a number is declared
    if pa.types.is_list(kind):
        if isinstance(value, list):
            return [_fitted(one, kind.value_type) for one in value]
    elif pa.types.is_boolean(kind):
        if isinstance(value, bool):
            return value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if pa.types.is_floating(kind):
            return _as_float(value)
        if int(value) == value:
            return int(value)
    raise ValueError(value)


def _as_float(value: float) -> float | None:
    """Return a number as a float, None for NaN.

    Raises:
        ValueError: If it is an integer that no float is equal to.
    """
    if isinstance(value, int) and int(float(value)) != value:
        raise ValueError(value)
    return None if math.isnan(value) else float(value)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _fits(value: Any, kind: pa.DataType) -> bool:
    try:
        pa.array([_fitted(value, kind)], kind)
    except (ValueError, OverflowError, pa.ArrowException):
        return False
    return True


def _casts(text: pa.Scalar, kind: pa.DataType) -> bool:
    try:
        text.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def _misfit(file: str, name: str, value: Any, kind: pa.DataType) -> str:
    shown = repr((as_text(value) or "")[:MAX_SHOWN])
    remedy = f"declare source.types {name}: string, and say TRY_CAST({name} AS DOUBLE) where it is used"
    return f"{file}: the column {name!r} holds {shown}, which is no {type_name(kind)}; {remedy}"
