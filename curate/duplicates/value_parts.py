"""Hashes in parts of bounded size, so that what is sorted is a part and never all of them at once.

Decides nothing about what is done with a part; results do not depend on how many there are.
"""

from collections.abc import Iterator

import numpy as np

from diptych.curate.duplicates.buckets import Hashes, Rows

SORTED_ROWS = 1 << 22  # in a part that is sorted, about: 40 bytes each while it is
TABLE_ROWS = 1 << 24  # in a part of a table, about: 24 bytes each while it is searched
CHUNK = 1 << 20  # rows looked at at a time
SAMPLE_ROWS = 1 << 16

BitValues = tuple[np.uint64, np.uint64]  # some bits, and what they are in a part


def sorted_parts(values: Hashes) -> Iterator[Rows]:
    """Yield the rows of hashes in the order of their values, in parts: int32; equal ones are in one part, in any order.

    Args:
        values: uint64 (N,).
    """
    parts = -(-len(values) // SORTED_ROWS)
    sample = np.sort(values[:: max(1, len(values) // SAMPLE_ROWS)])
    edges = np.unique(sample[np.arange(1, parts) * len(sample) // parts]) if parts > 1 else sample[:0]
    for low, high in zip([None, *edges], [*edges, None], strict=True):
        rows = _rows_between(values, low, high)
        yield rows[np.argsort(values[rows])]


def table_parts(values: Hashes, table: int) -> list[BitValues]:
    """Return bits of a table and their values by which hashes are parted; one part without bits where they are few.

    Args:
        values: uint64 (N,).
        table: Its bits.
    """
    wanted = min(max(0, (len(values) - 1).bit_length() - (TABLE_ROWS - 1).bit_length()), table.bit_count())
    sample = values[:: max(1, len(values) // SAMPLE_ROWS)]
    bits = [bit for bit in range(64) if table >> bit & 1]
    # The bits that part them best: each in half.
    bits.sort(key=lambda bit: abs(np.count_nonzero(sample & np.uint64(1 << bit)) - len(sample) / 2))
    chosen = bits[:wanted]
    mask = np.uint64(sum(1 << bit for bit in chosen))
    spread = (sum(1 << bit for place, bit in enumerate(chosen) if part >> place & 1) for part in range(1 << wanted))
    return [(mask, np.uint64(value)) for value in spread]


def take_part(values: Hashes, part: BitValues) -> Hashes:
    """Return the hashes of a part, in their order: uint64; all of them, not copied, where it has no bits."""
    mask, wanted = part
    if not mask:
        return values
    chunks = (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
    return np.concatenate([chunk[(chunk & mask) == wanted] for chunk in chunks])


def _rows_between(values: Hashes, low: np.uint64 | None, high: np.uint64 | None) -> Rows:
    """Return the rows from one value on, or from the least, up to another, not included, or up to all: int32."""
    found = [np.empty(0, np.int32)]
    for start in range(0, len(values), CHUNK):
        chunk = values[start : start + CHUNK]
        is_there = np.ones(len(chunk), bool) if low is None else chunk >= low
        if high is not None:
            is_there &= chunk < high
        found.append((np.flatnonzero(is_there) + start).astype(np.int32))
    return np.concatenate(found)
