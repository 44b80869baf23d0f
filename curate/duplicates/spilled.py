"""Records in buckets: held in memory up to a limit, beyond it in a temporary file, and taken back bucket by bucket.

So what is known of each row or of each pair of rows is sorted a bucket at a time, whatever there is of it. Decides
nothing about what belongs into which bucket; what is taken back does not depend on what was held.
"""

import os
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.storage.spill import held_bytes, spill_file

MAX_BUCKETS = 1 << 16

Records = npt.NDArray[Any]
Numbers = npt.NDArray[np.integer]


class _Piece(NamedTuple):
    """Records that lie in the file in the order of their buckets."""

    offset: int  # bytes
    starts: Numbers  # int64 (buckets + 1,): number of the first record of each bucket


class SpilledBuckets:
    """Records by the numbers of their buckets, in the order in which they were put there."""

    def __init__(self, buckets: int, dtype: npt.DTypeLike) -> None:
        """Begin with none.

        Args:
            buckets: How many there are, at most 65,536.
            dtype: Of a record.
        """
        assert 0 < buckets <= MAX_BUCKETS, f"{buckets} buckets"
        self.buckets = buckets
        self._dtype = np.dtype(dtype)
        self._most = max(1, held_bytes() // 2)  # which are there twice as they are sorted
        self._waiting: list[tuple[Numbers, Records]] = []
        self._waiting_bytes = 0
        self._ordered: tuple[Numbers, Records] | None = None  # what waits, once it is asked for
        self._count = 0
        self._pieces: list[_Piece] = []
        self._file: IO[bytes] | None = None  # once something is in it

    def __enter__(self) -> "SpilledBuckets":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Forget everything."""
        self.close()

    def __len__(self) -> int:
        """Return the number of records."""
        return self._count

    @property
    def is_spilled(self) -> bool:
        """Whether some lie in the file."""
        return bool(self._pieces)

    def put(self, bucket: Numbers, records: Records) -> None:
        """Add records, (M,), each to a bucket, integers (M,).

        Raises:
            OSError: If the disk refuses.
        """
        if len(records):
            self._waiting.append((bucket.astype(np.uint16), records.astype(self._dtype, copy=False)))
            self._waiting_bytes += records.nbytes
            self._count += len(records)
            self._ordered = None
        if self._waiting_bytes > self._most:
            self._spill()

    def take(self, bucket: int) -> Records:
        """Return the records of a bucket; they stay where they are.

        Raises:
            OSError: If the disk refuses.
        """
        parts = list(self._read(bucket))
        if self._waiting:
            starts, ordered = self._ordered = self._ordered or self._sorted()
            parts.append(ordered[starts[bucket] : starts[bucket + 1]])
        return np.concatenate([np.empty(0, self._dtype), *parts])

    def close(self) -> None:
        """Forget everything."""
        if self._file is not None:
            self._file.close()
        self._waiting, self._ordered = [], None

    def _sorted(self) -> tuple[Numbers, Records]:
        """Put the records that wait in the order of their buckets; return where each bucket begins, and them."""
        bucket, records = map(np.concatenate, zip(*self._waiting, strict=True))
        starts = np.zeros(self.buckets + 1, np.int64)
        np.cumsum(np.bincount(bucket, minlength=self.buckets), out=starts[1:])
        is_sorted = bool((bucket[1:] >= bucket[:-1]).all())
        if not is_sorted:
            records = records[np.argsort(bucket, kind="stable")]
            bucket = np.repeat(np.arange(self.buckets, dtype=np.uint16), np.diff(starts))
        self._waiting = [(bucket, records)]
        return starts, records

    def _spill(self) -> None:
        if self._file is None:
            self._file = spill_file()
        starts, ordered = self._sorted()
        offset = self._file.seek(0, os.SEEK_END)
        self._file.write(ordered.view(np.uint8).data)
        self._pieces.append(_Piece(offset, starts))
        self._waiting, self._waiting_bytes, self._ordered = [], 0, None

    def _read(self, bucket: int) -> Iterator[Records]:
        """Yield the records of a bucket that lie in the file."""
        for offset, starts in self._pieces:
            assert self._file is not None
            start, stop = starts[bucket : bucket + 2].tolist()
            self._file.seek(offset + start * self._dtype.itemsize)
            yield np.frombuffer(self._file.read((stop - start) * self._dtype.itemsize), self._dtype)
