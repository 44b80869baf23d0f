"""Columns of text and of pictures in the types that writers of Parquet give them."""

import base64
import io
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Values = Sequence[Any]

TEXT_TYPES: Mapping[str, Callable[[Values], pa.Array]] = {
    "string": lambda values: pa.array(values, pa.string()),
    "large string": lambda values: pa.array(values, pa.large_string()),
    "string view": lambda values: pa.array(values, pa.string_view()),
    "binary": lambda values: pa.array(_bytes(values), pa.binary()),
    "large binary": lambda values: pa.array(_bytes(values), pa.large_binary()),
    "binary view": lambda values: pa.array(_bytes(values), pa.binary_view()),
    "dictionary": lambda values: pa.array(values, pa.string()).dictionary_encode(),
    "large dictionary": lambda values: pa.array(values, pa.large_string()).dictionary_encode(),
}
LIST_TYPES: Mapping[str, Callable[[Values], pa.Array]] = {
    "list": lambda values: pa.array(_lists(values), pa.list_(pa.string())),
    "large list": lambda values: pa.array(_lists(values), pa.large_list(pa.large_string())),
    "list view": lambda values: pa.array(_lists(values), pa.list_view(pa.string())),
    "list of two": lambda values: pa.array(_lists(values, 2), pa.list_(pa.string(), 2)),
    "list of dictionary": lambda values: pa.array(_lists(values), pa.list_(pa.string())).cast(
        pa.list_(pa.dictionary(pa.int32(), pa.string()))
    ),
    "list of structs": lambda values: pa.array(
        [one and [{"id": 7, "caption": text} for text in one] for one in _lists(values)]
    ),
    "list of binary": lambda values: pa.array([one and _bytes(one) for one in _lists(values)], pa.list_(pa.binary())),
}
FOR_URLS = str.maketrans("+/", "-_", "=")
STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
LARGE_STRUCT = pa.struct([("path", pa.large_string()), ("bytes", pa.large_binary())])
PICTURE_TYPES: Mapping[str, Callable[[Values], pa.Array]] = {
    "binary": lambda values: pa.array(values, pa.binary()),
    "large binary": lambda values: pa.array(values, pa.large_binary()),
    "binary view": lambda values: pa.array(values, pa.binary_view()),
    "dictionary": lambda values: pa.array(values, pa.binary()).dictionary_encode(),
    "struct": lambda values: pa.array([_struct(value) for value in values], STRUCT),
    "large struct": lambda values: pa.array([_struct(value) for value in values], LARGE_STRUCT),
    "struct of view": lambda values: pa.array(
        [_struct(value) for value in values], pa.struct([("bytes", pa.binary_view())])
    ),
    "list": lambda values: pa.array([None if value is None else [value] for value in values], pa.list_(pa.binary())),
    "list of one": lambda values: pa.array(
        [None if value is None else [value] for value in values], pa.list_(pa.binary(), 1)
    ),
    "large list of structs": lambda values: pa.array(
        [[] if value is None else [_struct(value)] for value in values], pa.large_list(STRUCT)
    ),
    "large list view": lambda values: pa.array(
        [None if value is None else [value] for value in values], pa.large_list_view(pa.binary())
    ),
    "base64": lambda values: pa.array(_base64(values), pa.string()),
    "base64 for URLs": lambda values: pa.array(
        [value and value.translate(FOR_URLS) for value in _base64(values)], pa.string()
    ),
    "bytes of base64": lambda values: pa.array(_bytes(_base64(values)), pa.binary()),
    "numbers": lambda values: pa.array([None if value is None else list(value) for value in values]),
    "small numbers": lambda values: pa.array(
        [None if value is None else list(value) for value in values], pa.large_list(pa.uint8())
    ),
    "data URI of parameters": lambda values: pa.array(
        [value and f"data:image/jpeg;name=1.jpg;base64,{value}" for value in _base64(values)], pa.string()
    ),
    "base64 view": lambda values: pa.array(_base64(values), pa.string_view()),
    "data URI": lambda values: pa.array(
        [value and f"data:image/jpeg;base64,{value}" for value in _base64(values)], pa.large_string()
    ),
    "dictionary of base64": lambda values: pa.array(_base64(values), pa.string()).dictionary_encode(),
}


def parquet_table(
    choice: random.Random, told: list[str], rows: Sequence[Mapping[str, Any]], url: str, caption: str
) -> bytes:
    """Return a Parquet file of rows with odd types."""
    kinds = choice.choice(list(TEXT_TYPES)), choice.choice([*TEXT_TYPES, *LIST_TYPES, "null"])
    texts = [row[caption] for row in rows]
    kind = "null" if all(text is None for text in texts) and kinds[1] == "null" else kinds[1]
    kind = "string" if kind == "null" and any(texts) else kind
    told.append(f"{kinds[0]} and {kind}")
    columns = {
        url: TEXT_TYPES[kinds[0]]([row[url] for row in rows]),
        caption: pa.nulls(len(rows)) if kind == "null" else {**TEXT_TYPES, **LIST_TYPES}[kind](texts),
        "n": pa.array([row["n"] for row in rows], choice.choice((pa.int16(), pa.int64(), pa.uint16(), pa.float32()))),
    }
    return written(choice, columns)


def written(choice: random.Random, columns: Mapping[str, pa.Array]) -> bytes:
    """Return columns as a Parquet file, in some order, cut into some row groups and packed in some way."""
    names = choice.sample(list(columns), len(columns))
    table = pa.table({name: columns[name] for name in names})
    table = table.replace_schema_metadata({"huggingface": "{not json"}) if choice.random() < 0.2 else table
    buffer = io.BytesIO()
    with pq.ParquetWriter(
        buffer,
        table.schema,
        compression=choice.choice(("snappy", "zstd", "none", "gzip")),
        store_schema=choice.random() < 0.8,
        data_page_version=choice.choice(("1.0", "2.0")),
    ) as writer:
        has_views = "_view" in str(table.schema)  # of which Arrow writes no part
        size = 1000 if has_views else choice.choice((1, 2, 1000))
        for start in range(0, max(1, table.num_rows), size):
            writer.write_table(table.slice(start, size))
        if choice.random() < 0.2:
            writer.write_table(table.slice(0, 0))
    return buffer.getvalue()


def _bytes(values: Values) -> list[bytes | None]:
    return [None if value is None else value.encode() for value in values]


def _lists(values: Values, length: int | None = None) -> list[list[str] | None]:
    """Return lists whose first text that is not empty is the caption."""
    others = [] if length else [None, "  "]
    return [None if value is None else ["", value, *others] for value in values]


def _struct(value: bytes | None) -> dict[str, Any] | None:
    return None if value is None else {"bytes": value, "path": "x.jpg"}


def _base64(values: Values) -> list[str | None]:
    return [None if value is None else base64.b64encode(value).decode() for value in values]
