"""Keys: a row's name, made of its content, so that rows before it may come and go.

A key is 16 hex digits, the first ones of the sha256 of what a row's picture is known by, a line feed and its caption.
The picture is known by the sha256 (hex) of its bytes where the source holds them, else by its URL, or by the row's name
in the source. So two captions of one picture are two rows. Of equal rows the first has this key, the next ones -1, -2,
... behind it, counted over the whole dataset.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.curate.sources.contract import BYTES, NAME, PROBLEM

HASH_BYTES = 8
HASH_DIGITS = 2 * HASH_BYTES
CHUNK = 1 << 20

Hashes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]


class LaterRows(NamedTuple):
    """Rows that have equal ones before them.

    Attributes:
        rows: int64 (N,): their numbers, ascending.
        ordinals: int64 (N,): how many equal ones come before, at least 1.
    """

    rows: Rows
    ordinals: Rows


def row_digest(picture: str | None, caption: str | None, problem: str | None = None) -> bytes:
    """Return the sha256 by which a row is known.

    Args:
        picture: The sha256 (hex) of its picture, else its URL or name.
        caption: Of the picture; none is the same as an empty one.
        problem: Why the row is unusable; once it is usable, it is another row.

    >>> row_digest("http://a.example/1.jpg", "a cat").hex()[:16]
    'c044f89de7dda8df'
    """
    text = f"{picture or ''}\n{caption or ''}"
    return hashlib.sha256((text if problem is None else f"{text}\n{problem}").encode()).digest()


def picture_hashes(table: pa.Table) -> list[str | None]:
    """Return the sha256 (hex) of the picture of each row of a source's table, None where the source holds none."""
    pictures = table[BYTES] if BYTES in table.column_names else pa.nulls(table.num_rows, pa.binary())
    return [hashlib.sha256(picture.as_buffer()).hexdigest() if picture.is_valid else None for picture in pictures]


def row_digests(table: pa.Table, pictures: Sequence[str | None]) -> list[bytes]:
    """Return what each row of a source's table is known by.

    Args:
        table: The table.
        pictures: Its ``picture_hashes``.
    """
    names = table[NAME].to_pylist() if NAME in table.column_names else [None] * table.num_rows
    texts = zip(*(table[column].to_pylist() for column in ("url", "caption", PROBLEM)), strict=True)
    return [
        row_digest(name, caption) if picture is None and name is not None else row_digest(picture or url, caption, why)
        for picture, name, (url, caption, why) in zip(pictures, names, texts, strict=True)
    ]


def as_hashes(digests: Sequence[bytes]) -> Hashes:
    """Return uint64 (N,): the first 8 bytes of each digest."""
    return np.frombuffer(b"".join(digest[:HASH_BYTES] for digest in digests), ">u8").astype(np.uint64)


def key_text(digest: bytes, ordinal: int) -> str:
    """Return the key of a row.

    >>> key_text(bytes(32), 0), key_text(bytes(32), 2)
    ('0000000000000000', '0000000000000000-2')
    """
    text = digest[:HASH_BYTES].hex()
    return f"{text}-{ordinal}" if ordinal else text


def read_keys(keys: pa.ChunkedArray) -> tuple[Hashes, Rows]:
    """Return uint64 (N,) and int64 (N,): the hashes and ordinals that keys are made of.

    >>> read_keys(pa.chunked_array([["00000000000000ff", "0000000000000001-3"]]))
    (array([255,   1], dtype=uint64), array([0, 3]))
    """
    heads = "".join(pc.utf8_slice_codeunits(keys, 0, HASH_DIGITS).to_pylist())
    tails = pc.utf8_slice_codeunits(keys, HASH_DIGITS + 1, 2 * HASH_DIGITS)
    ordinals = pc.if_else(pc.equal(tails, ""), "0", tails).cast(pa.int64())
    return np.frombuffer(bytes.fromhex(heads), ">u8").astype(np.uint64), ordinals.to_numpy()


def later_rows(hashes: Hashes) -> LaterRows:
    """Return the rows that have equal ones before them; takes 8 bytes a row beside what it is given.

    >>> later_rows(np.array([7, 5, 7, 7, 5], np.uint64))
    LaterRows(rows=array([2, 3, 4]), ordinals=array([1, 2, 1]))
    """
    ordered = np.sort(hashes)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    del ordered
    among = np.flatnonzero(is_among(hashes, repeated))
    by_hash = among[np.argsort(hashes[among], kind="stable")]
    values = hashes[by_hash]
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]]) if len(values) else np.empty(0, np.int64)
    sizes = np.diff(np.r_[starts, len(values)])
    ordinals = np.arange(len(values)) - np.repeat(starts, sizes)
    is_later = ordinals > 0
    order = np.argsort(by_hash[is_later])
    return LaterRows(by_hash[is_later][order], ordinals[is_later][order])


def is_among(values: Hashes, known: Hashes) -> npt.NDArray[np.bool_]:
    """Return bool (N,): whether each value is one of ``known``, uint64 (M,), ascending."""
    found = np.zeros(len(values), bool)
    if len(known):
        for start in range(0, len(values), CHUNK):
            chunk = values[start : start + CHUNK]
            places = np.minimum(np.searchsorted(known, chunk), len(known) - 1)
            found[start : start + CHUNK] = known[places] == chunk
    return found
