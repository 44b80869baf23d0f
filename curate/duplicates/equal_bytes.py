"""Rows whose bytes are equal: by the whole sha256, so that two contents are never taken for one.

The digests lie in buckets by their first bits, which spill, so that one bucket at a time is sorted and not all of them.
"""

import binascii

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.curate.duplicates.buckets import Rows
from diptych.curate.duplicates.spilled import MAX_BUCKETS, SpilledBuckets

HEX_DIGITS = 64  # of a sha256
WORDS = 4  # of 64 bits, in a sha256
BUCKET_ROWS = 1 << 20  # in each bucket, about
RECORD = np.dtype([("row", np.int32), ("words", np.uint64, WORDS)])

Mask = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]


class ByteDigests:
    """The sha256 of the bytes of each row, on disk where there are many; some rows have none."""

    def __init__(self, rows: int) -> None:
        """Begin with none for any row."""
        self._rows = rows
        self._digests = SpilledBuckets(min(MAX_BUCKETS, 1 + rows // BUCKET_ROWS), RECORD)

    def __enter__(self) -> "ByteDigests":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Forget the digests."""
        self._digests.close()

    @property
    def is_spilled(self) -> bool:
        """Whether some lie on disk."""
        return self._digests.is_spilled

    def put(self, start: int, texts: pa.Array) -> None:
        """Take over the digests of the rows from ``start`` on, strings of hex digits; null for rows without one.

        Raises:
            ValueError: If a text is no sha256.
            OSError: If the disk refuses.
        """
        is_there = texts.is_valid().to_numpy(zero_copy_only=False)
        words = _to_words(pc.drop_null(texts))
        records = np.empty(len(words), RECORD)
        records["row"] = start + np.flatnonzero(is_there)
        records["words"] = words
        bucket = (words[:, 0] >> np.uint64(48)) * np.uint64(self._digests.buckets) // np.uint64(MAX_BUCKETS)
        self._digests.put(bucket.astype(np.int64), records)

    def first_of_equals(self, order: Rows) -> Rows:
        """Return for each row the row of equal bytes that comes first in ``order``: int32 (N,); itself without bytes.

        Args:
            order: int32 (N,): all rows, the most preferred first.

        Raises:
            OSError: If the disk refuses.
        """
        everything = np.arange(self._rows, dtype=np.int32)
        rank, first = np.empty(self._rows, np.int32), everything.copy()
        rank[order] = everything
        for bucket in range(self._digests.buckets):
            records = self._digests.take(bucket)
            records = records[np.argsort(rank[records["row"]])]
            rows, firsts = _first_of_equals(records["row"].copy(), np.ascontiguousarray(records["words"].T))
            first[rows] = firsts
        return first


def _first_of_equals(rows: Rows, words: Words) -> tuple[Rows, Rows]:
    """Return rows, in another order, and for each of them the first one of the same digest.

    Args:
        rows: int32 (M,), the most preferred first.
        words: uint64 (4, M): their digests.
    """
    order = np.argsort(words[0], kind="stable")
    begins, clashes = _begins(words, order)
    if clashes.any():
        order = _parted(words, order, begins, clashes)
        begins, clashes = _begins(words, order)
    starts = np.flatnonzero(begins | clashes)
    ordered = rows[order]
    return ordered, np.repeat(ordered[starts], np.diff(starts, append=len(rows)))


def _begins(words: Words, order: npt.NDArray[np.int64]) -> tuple[Mask, Mask]:
    """Return where a digest differs from the one before in its first word, and where in a later word only."""
    differs = np.zeros((2, len(order)), np.bool_)
    differs[0, :1] = True
    for number, each in enumerate(words):
        ordered = each[order]
        differs[min(number, 1), 1:] |= ordered[1:] != ordered[:-1]
    return differs[0], differs[1] & ~differs[0]


def _parted(words: Words, order: npt.NDArray[np.int64], begins: Mask, clashes: Mask) -> npt.NDArray[np.int64]:
    """Return the order with those parted that share only their first word, else the same."""
    run = np.cumsum(begins) - 1
    is_mixed = np.zeros(run[-1] + 1, np.bool_)
    is_mixed[run[clashes]] = True
    mixed = np.flatnonzero(is_mixed[run])
    parted = order.copy()
    parted[mixed] = order[mixed][np.lexsort(words[::-1, order[mixed]])]
    return parted


def _to_words(texts: pa.Array) -> Words:
    """Return the digests as words: uint64 (N, 4)."""
    _, offset_buffer, data = texts.buffers()
    ends = np.frombuffer(offset_buffer, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    try:
        if (np.diff(ends) != HEX_DIGITS).any():
            raise ValueError("another length")
        digests = binascii.unhexlify(memoryview(data)[ends[0] : ends[-1]]) if len(texts) else b""
    except ValueError as error:  # binascii.Error is one
        wrong = next(text for text in texts.to_pylist() if not _is_sha256(text))
        raise ValueError(f"sha256 {wrong!r} is not {HEX_DIGITS} hexadecimal digits") from error
    return np.frombuffer(digests, np.uint64).reshape(-1, WORDS)


def _is_sha256(text: str) -> bool:
    return len(text) == HEX_DIGITS and all(digit in "0123456789abcdefABCDEF" for digit in text)
