"""How a shard is laid out in Parquet: codings, statistics, pages. Decides bytes, not which rows a row group has."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from diptych.data.schema import PICTURES


def writer_options(schema: pa.Schema) -> dict[str, Any]:
    """Return how pyarrow's ``ParquetWriter`` is to write tables of a schema."""
    # Image bytes are compressed already; everything else gains from zstd.
    leaves = [leaf for field in schema for leaf in _leaves(field.name, field.type)]
    compression = {leaf: "NONE" if leaf.endswith(PICTURES) else "ZSTD" for leaf in leaves}
    return {
        "compression": compression,
        "use_dictionary": [leaf for leaf in leaves if leaf in ("caption", "format", "status", "reason")],
        # Least and greatest bytes of a picture help nobody, and finding them costs as much as writing them.
        "write_statistics": [leaf for leaf in leaves if not leaf.endswith(PICTURES)],
        "write_batch_size": 1 if is_written_one_by_one(schema) else 1024,
        "write_page_index": True,
        "write_page_checksum": True,
        "version": "2.6",
    }


def is_written_one_by_one(schema: pa.Schema) -> bool:
    """Return whether a batch of the writer has one value: wherever there are pictures.

    A page ends behind the batch that fills it (1 MiB). Batches of many pictures would make pages as large as their row
    group, which writers and readers hold whole.
    """
    return any(PICTURES in _leaves(field.name, field.type) for field in schema)


def _leaves(prefix: str, kind: pa.DataType) -> Iterable[str]:
    if pa.types.is_struct(kind):
        return [leaf for field in kind for leaf in _leaves(f"{prefix}.{field.name}", field.type)]
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_large_list(kind):
        return list(_leaves(f"{prefix}.list.element", kind.value_type))
    return [prefix]
