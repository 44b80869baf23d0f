"""An object of a store as a file that is read by ranges: what is asked for and nothing ahead of it.

So a column of a Parquet file costs its own bytes. The end of a file, where Parquet has its footer, is fetched once and
kept for a while, since whoever checks a footer and whoever reads by it ask for the same bytes.
"""

import io
import os
from collections.abc import Callable
from typing import Any

TAIL_BYTES = 64 * 2**10  # what pyarrow asks for to find a footer

ReadRange = Callable[[int, int], bytes]


class RangedFile(io.RawIOBase):
    """A file for reading, over a function that returns the bytes from one place to another."""

    def __init__(self, size: int, read_range: ReadRange, read_tail: Callable[[], bytes]) -> None:
        """Open nothing yet.

        Args:
            size: Of the object in bytes.
            read_range: Returns the bytes from a place to another.
            read_tail: Returns the last ``TAIL_BYTES``, or all where there are fewer.
        """
        super().__init__()
        self._size = size
        self._read_range = read_range
        self._read_tail = read_tail
        self._at = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, asking for nothing."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes, all of those that are asked for."""
        stop = self._size if size is None or size < 0 else min(self._size, self._at + size)
        start, self._at = self._at, max(self._at, stop)
        if start >= stop:
            return b""
        first_of_tail = max(0, self._size - TAIL_BYTES)
        if start >= first_of_tail:
            return self._read_tail()[start - first_of_tail : stop - first_of_tail]
        return self._read_range(start, stop)

    def readall(self) -> bytes:
        """Return the rest."""
        return self.read()

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with the next bytes."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
