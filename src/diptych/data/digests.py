"""The hash of a shard without its pictures: its columns are known to be sound at the cost of reading those alone.

Where the pictures lie is said by the footer of the file. Readers of Parquet trust footers, and a changed one can end
the whole process, so the hash of the footer is compared before anybody parses it.
"""

import hashlib
import os
from typing import IO, Any, NamedTuple

import pyarrow.parquet as pq

from diptych.data.schema import PICTURES

BLOCK_BYTES = 4 * 2**20
TAIL_BYTES = 8  # the length of the footer as four bytes, and PAR1


class ColumnsDigest(NamedTuple):
    """Hashes (sha256, hex) of what is not pictures, and of the footer alone."""

    columns: str
    footer: str


def footer_sha256(file: IO[bytes]) -> str:
    """Return the sha256 (hex) of the footer of an open Parquet file, or of what takes its place; parses nothing."""
    size = _size(file)
    file.seek(max(size - TAIL_BYTES, 0))
    length = int.from_bytes(file.read(TAIL_BYTES)[:4], "little")
    digest = hashlib.sha256()
    _update(digest, file, max(size - TAIL_BYTES - length, 0), size)
    return digest.hexdigest()


def columns_digest(file: IO[bytes], footer: str | None = None) -> ColumnsDigest:
    """Return the hash of an open Parquet file without the column chunks of its pictures, and that of its footer.

    Args:
        file: The file.
        footer: What the hash of the footer must be before it is parsed; None where the file was written just now.

    Raises:
        ValueError: If the footer is another.
    """
    found = footer_sha256(file)
    if footer is not None and found != footer:
        raise ValueError("its footer is not what was written")
    file.seek(0)
    digest, at = hashlib.sha256(), 0
    for start, end in _pictures(pq.read_metadata(file)):
        _update(digest, file, at, start)
        at = end
    _update(digest, file, at, _size(file))
    return ColumnsDigest(digest.hexdigest(), found)


def _pictures(metadata: Any) -> list[tuple[int, int]]:
    """Return from where to where the column chunks of pictures lie, in order."""
    ranges = []
    for group in range(metadata.num_row_groups):
        for number in range(metadata.row_group(group).num_columns):
            chunk = metadata.row_group(group).column(number)
            if chunk.path_in_schema == PICTURES:
                start = chunk.data_page_offset
                start = min(start, chunk.dictionary_page_offset) if chunk.has_dictionary_page else start
                ranges.append((start, start + chunk.total_compressed_size))
    return sorted(ranges)


def _size(file: IO[bytes]) -> int:
    return file.seek(0, os.SEEK_END)


def _update(digest: Any, file: IO[bytes], start: int, end: int) -> None:
    file.seek(start)
    while start < end:
        block = file.read(min(BLOCK_BYTES, end - start))
        if not block:
            return
        digest.update(block)
        start += len(block)
