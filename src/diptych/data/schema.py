"""THE row format: which columns the data of a dataset has, and what other readers are told about them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from diptych.errors import OtherVersion, ShardError

FORMAT_VERSION = 2

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
PICTURES = "image.bytes"  # the path of the pictures' bytes in a Parquet file
DATA_FIELDS: tuple[pa.Field, ...] = (
    pa.field("key", pa.string()),
    pa.field("image", IMAGE),
    pa.field("caption", pa.string()),
    pa.field("url", pa.string()),
    pa.field("width", pa.int32()),
    pa.field("height", pa.int32()),
    pa.field("format", pa.string()),
    pa.field("sha256", pa.string()),
    pa.field("status", pa.string()),
    pa.field("error", pa.string()),
)
DATA_COLUMNS = tuple(field.name for field in DATA_FIELDS)
# What sources of files carry along: the path of a row's file within the folder, and of its member within the tar.
FILE, MEMBER = "file", "member"
# What a step of curate decides about a row: whether it stays and why not, which row stands for it (its key, and its
# number), and its place in the order of preference.
DECISION_SCHEMA = pa.schema(
    [
        pa.field("key", pa.string()),
        pa.field("keep", pa.bool_()),
        pa.field("reason", pa.string()),
        pa.field("duplicate_of", pa.string()),
        pa.field("duplicate_of_row", pa.int64()),
        pa.field("rank", pa.int64()),
    ]
)
# The types that columns have, by the names that facts about columns use.
ARROW_TYPES: Mapping[str, pa.DataType] = {
    "bool": pa.bool_(),
    "float32": pa.float32(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "string": pa.string(),
    "strings": pa.list_(pa.string()),
    "uint64": pa.uint64(),
}


def data_schema(extra: Sequence[pa.Field] = ()) -> pa.Schema:
    """Return the schema of ``data``: THE columns, then the extra ones, with the metadata that makes ``image`` an Image.

    Raises:
        ShardError: If an extra column has the name of one of THE columns or of another one; to SQL case is nothing.
    """
    seen = set(DATA_COLUMNS)
    for field in extra:
        name = field.name.casefold()
        if name in seen:
            owner = "belongs to diptych" if name in DATA_COLUMNS else "is there twice, as SQL takes names"
            raise ShardError(f"the column {field.name!r} {owner}; rename it in the source")
        seen.add(name)
    return with_huggingface_metadata(pa.schema([*DATA_FIELDS, *extra]))


def image_column(pictures: pa.Array, keys: Sequence[str], formats: Sequence[str | None]) -> pa.StructArray:
    """Return the column ``image``: each picture under the key of its row with the ending of its format.

    Args:
        pictures: Bytes (binary), null where a row has no picture.
        keys: Of the rows.
        formats: Of the pictures; None of what is none.
    """
    names = [f"{key}.{kind}" if kind else key for key, kind in zip(keys, formats, strict=True)]
    parts = [pictures, pa.array(names, pa.string())]
    return pa.StructArray.from_arrays(parts, fields=list(IMAGE), mask=pictures.is_null())


def with_huggingface_metadata(schema: pa.Schema) -> pa.Schema:
    """Return the schema with the key ``huggingface``, by which ``datasets.load_dataset`` gives images, not structs."""
    features = {field.name: _feature(field.type) for field in schema}
    metadata = json.dumps({"info": {"features": features}}, sort_keys=True)
    return schema.with_metadata({**(schema.metadata or {}), b"huggingface": metadata.encode()})


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if kind == IMAGE:
        return {"_type": "Image"}
    if pa.types.is_dictionary(kind):
        return _feature(kind.value_type)
    if pa.types.is_fixed_size_list(kind):
        return {"feature": _feature(kind.value_type), "length": kind.list_size, "_type": "List"}
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    return {"dtype": _dtype_name(kind), "_type": "Value"}


def _dtype_name(kind: pa.DataType) -> str:
    names = {"double": "float64", "float": "float32", "halffloat": "float16"}
    names |= {"date32[day]": "date32", "date64[ms]": "date64"}
    return names.get(str(kind), str(kind))


def check_version(place: object, value: Mapping[str, Any]) -> None:
    """Refuse what is of another version of the format, so that nobody takes it for damaged and writes over it.

    Args:
        place: Where it lies, for the message.
        value: Has the version as ``format_version``.

    Raises:
        OtherVersion: If it is.
    """
    version = value.get("format_version")
    if isinstance(version, int) and version != FORMAT_VERSION:
        what_to_do = "install a newer one" if version > FORMAT_VERSION else "make it anew, nothing converts it"
        raise OtherVersion(f"{place}: format version {version}; this diptych reads {FORMAT_VERSION}: {what_to_do}")
