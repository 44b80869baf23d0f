"""Rows whose bytes are equal: by the whole sha256, so that two contents are never taken for one."""

import binascii

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.curate.duplicates.hamming import Rows

HEX_DIGITS = 64  # of a sha256
WORDS = 4  # of 64 bits, in a sha256

Mask = npt.NDArray[np.bool_]


class ByteDigests:
    """The sha256 of the bytes of each row, 32 bytes a row; some rows have none."""

    def __init__(self, rows: int) -> None:
        """Begin with none for any row."""
        self._words = np.zeros((WORDS, rows), np.uint64)
        self._is_there = np.zeros(rows, np.bool_)

    def put(self, start: int, texts: pa.Array) -> None:
        """Take over the digests of the rows from ``start`` on, strings of hex digits; null for rows without one.

        Raises:
            ValueError: If a text is no sha256.
        """
        rows = slice(start, start + len(texts))
        is_there = texts.is_valid().to_numpy(zero_copy_only=False)
        self._is_there[rows] = is_there
        self._words[:, rows][:, is_there] = _to_words(pc.drop_null(texts)).T

    def first_of_equals(self, order: Rows) -> Rows:
        """Return for each row the row of equal bytes that comes first in ``order``: int32 (N,); itself without bytes.

        Args:
            order: int32 (N,): all rows, the most preferred first.
        """
        rows = order[self._is_there[order]]
        rows = rows[np.argsort(self._words[0, rows], kind="stable")]
        begins, clashes = self._begins(rows)
        if clashes.any():
            rows = self._parted(rows, begins, clashes)
            begins, clashes = self._begins(rows)
        is_first = begins | clashes
        starts = np.flatnonzero(is_first)
        first = np.arange(len(order), dtype=np.int32)
        first[rows] = np.repeat(rows[starts], np.diff(starts, append=len(rows)))
        return first

    def _begins(self, rows: Rows) -> tuple[Mask, Mask]:
        """Return where a row differs from the one before in its first word, and where in a later word only."""
        differs = np.zeros((2, len(rows)), np.bool_)
        differs[0, :1] = True
        for number, words in enumerate(self._words):
            ordered = words[rows]
            differs[min(number, 1), 1:] |= ordered[1:] != ordered[:-1]
        return differs[0], differs[1] & ~differs[0]

    def _parted(self, rows: Rows, begins: Mask, clashes: Mask) -> Rows:
        """Return the rows with those parted that share only their first word, else in the same order."""
        run = np.cumsum(begins) - 1
        is_mixed = np.zeros(run[-1] + 1, np.bool_)
        is_mixed[run[clashes]] = True
        mixed = np.flatnonzero(is_mixed[run])
        parted = rows.copy()
        parted[mixed] = rows[mixed][np.lexsort(self._words[::-1, rows[mixed]])]
        return parted


def _to_words(texts: pa.Array) -> npt.NDArray[np.uint64]:
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
