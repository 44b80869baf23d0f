"""What is known of the rows of a part before a shard is made of them: what they are known by, and how large they are.

It is found by reading the part once, and remembered beside the digests of files, by content: a run that goes on, or a
file that was touched or copied, is not read for it again.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.config.identity import fingerprint
from diptych.curate.sources.common_schema import common_schema, seen_schema
from diptych.curate.sources.contract import Part, RowSource
from diptych.curate.sources.digests import IdentifiedPart, inputs_cache
from diptych.curate.sources.keys import Hashes, as_hashes, picture_hashes, row_digest, row_digests
from diptych.data.picture_files import MAX_PICTURE_BYTES
from diptych.data.shards import row_sizes
from diptych.errors import ShardError
from diptych.storage.location import Location

VERSION = 21  # of how rows are read and what they are known by
KEPT_S = 90 * 24 * 3600
CHECK, SCHEMA = b"check", b"schema"

Sizes = npt.NDArray[np.uint32]
OnRows = Callable[[int], None]


@dataclass(frozen=True)
class PartIndex:
    """What reading a part has shown.

    Attributes:
        hashes: uint64 (N,): what each row is known by.
        sizes: uint32 (N,): bytes of each row, as far as they are in the source.
        schema: Of all its tables; None where it has no rows, or is the only part there can be.
    """

    hashes: Hashes
    sizes: Sizes
    schema: pa.Schema | None = None


def index_part(source: RowSource, found: IdentifiedPart, reading: Any, on_rows: OnRows = lambda _: None) -> PartIndex:
    """Read a part, or remember what was found when it was read.

    Args:
        source: What it is a part of.
        found: The part and what identifies it.
        reading: What decides which rows are read from given bytes; part of what is remembered.
        on_rows: Called with the number of rows that are done further.

    Raises:
        DataError: If it cannot be read.
    """
    part = found.part
    if part.caption_of is not None:
        return _index_pictures(found, part.caption_of, on_rows)
    known = remembered_index(found, reading)
    if known is not None:
        on_rows(len(known.hashes))
        return known
    table = _read_rows(source, part, on_rows)
    _remember(_place_of(found, reading), table)
    return _as_index(table)


def remembered_index(found: IdentifiedPart, reading: Any) -> PartIndex | None:
    """Return what was found when a file of rows was read; None where nobody remembers."""
    table = _remembered(_place_of(found, reading))
    return None if table is None else _as_index(table)


def _place_of(found: IdentifiedPart, reading: Any) -> Location:
    facts = [VERSION, reading, Path(found.part.files[0]).suffixes[-2:]]
    return Location.at(inputs_cache() / f"{found.content['sha256'][:32]}-{fingerprint(facts)[:16]}.arrow")


def _as_index(table: pa.Table) -> PartIndex:
    schema = table.schema.metadata[SCHEMA]
    columns = pa.ipc.read_schema(pa.py_buffer(schema)) if schema else None
    return PartIndex(table["hash"].to_numpy(), table["bytes"].to_numpy(), columns)


def _index_pictures(found: IdentifiedPart, caption_of: Callable[[str], str | None], on_rows: OnRows) -> PartIndex:
    """Return what the files themselves and those beside them say, where each is the picture of one row."""
    read = [digest if digest and digest.bytes <= MAX_PICTURE_BYTES else None for digest in found.digests]
    known_by = []
    for file, digest in zip(found.part.files, read, strict=True):
        known_by.append(row_digest(digest.sha256 if digest else found.part.shown(file), caption_of(file)))
        on_rows(1)
    return PartIndex(as_hashes(known_by), np.array([digest.bytes if digest else 0 for digest in read], np.uint32))


def _read_rows(source: RowSource, part: Part, on_rows: OnRows) -> pa.Table:
    hashes, sizes = [np.empty(0, np.uint64)], [np.empty(0, np.uint32)]
    schema: pa.Schema | None = None
    for table in source.tables(part.files):
        seen = seen_schema(table)
        schema = seen if schema is None else common_schema(schema, seen)
        hashes.append(as_hashes(row_digests(table, picture_hashes(table))))
        sizes.append(row_sizes(table).astype(np.uint32))
        on_rows(table.num_rows)
    found = pa.table({"hash": np.concatenate(hashes), "bytes": np.concatenate(sizes)})
    return found.replace_schema_metadata({SCHEMA: schema.serialize().to_pybytes() if schema is not None else b""})


def _remembered(place: Location) -> pa.Table | None:
    try:
        with pa.memory_map(str(place)) as file:
            table = pa.ipc.open_file(file).read_all()
        if table.schema.metadata[CHECK] != _check(table):
            return None
        os.utime(place)
    except (OSError, pa.ArrowException, KeyError, TypeError):
        return None
    return table


def _remember(place: Location, table: pa.Table) -> None:
    whole = table.replace_schema_metadata({SCHEMA: table.schema.metadata[SCHEMA], CHECK: _check(table)})
    with contextlib.suppress(ShardError, OSError):  # a cache that cannot be written costs time and nothing else
        with place.publishing() as file, pa.ipc.new_file(file, whole.schema) as writer:
            writer.write_table(whole)
        for old in place.parent.children("*.arrow"):
            if os.stat(old).st_mtime < time.time() - KEPT_S:
                old.remove()


def _check(table: pa.Table) -> bytes:
    digest = hashlib.sha256(table.schema.metadata[SCHEMA])
    for column in table.columns:
        digest.update(np.ascontiguousarray(column.to_numpy()).data)
    return digest.hexdigest().encode()
