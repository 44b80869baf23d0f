"""Which hashes are near one another, held in bounded memory: pairs up to a limit, and crowds, whose pairs are not held.

Hashes that are near one another in large part (flat pictures, placeholders) make a crowd: a set of values that whoever
asks compares anew, which is cheaper than to hold its pairs. Decides nothing about who stands for whom.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from diptych.curate.duplicates.buckets import Hashes, Rows
from diptych.curate.duplicates.hamming import MAX_ROWS, Progress, iterate_pairs
from diptych.curate.duplicates.spilled import SpilledBuckets

HELD_PAIRS = 32_000_000  # near pairs held at most, or
HELD_PAIRS_PER_ROW = 16  # so many a row: 128 bytes, of which most are on disk
RANGE_ROWS = 1 << 18  # first rows of the pairs that are sorted at a time
CROWD_NEIGHBOURS = 64  # expected near rows from which on holding the pairs costs more than comparing again
CROWD_SAMPLE = 4096  # pairs compared to estimate them
CROWD_SAMPLE_HITS = 8  # fewer say nothing

Pairs = npt.NDArray[np.uint64]  # left << 32 | right, left < right


class Crowds:
    """Sets of values whose near pairs are not held; sets that share a value are one."""

    def __init__(self, values: Hashes, radius: int) -> None:
        """Begin with no crowd among the values, uint64 (U,), distinct."""
        self.values = values
        self.radius = radius
        self._sample = np.random.default_rng(0).random((2, CROWD_SAMPLE))
        self._label = np.zeros(len(values), dtype=np.int32)
        self._crowd = np.zeros(1, dtype=np.int32)  # of each label; 0 is none

    def leave(self, rows: Rows) -> bool:
        """Take a crowd on if it is dense, so that its pairs need not be listed."""
        crowd = self._crowd[self._label[rows]]
        if crowd[0] and (crowd == crowd[0]).all():
            return True
        if not self._is_dense(rows):
            return False
        self.join(rows)
        return True

    def join(self, rows: Rows) -> None:
        """Make one crowd of these rows and all crowds that they are in."""
        new = len(self._crowd)
        is_joined = np.zeros(new, dtype=bool)
        is_joined[self._crowd[self._label[rows]]] = True
        is_joined[0] = False
        self._crowd[is_joined[self._crowd]] = new
        self._crowd = np.append(self._crowd, np.int32(new))
        self._label[rows] = new

    def hold(self, left: Rows, right: Rows) -> npt.NDArray[np.bool_]:
        """Return which pairs lie within one crowd."""
        crowd, other = self._crowd[self._label[left]], self._crowd[self._label[right]]
        is_held: npt.NDArray[np.bool_] = (crowd > 0) & (crowd == other)
        return is_held

    def members(self) -> list[Rows]:
        """Return the rows of each crowd, ascending."""
        rows = np.flatnonzero(self._crowd[self._label]).astype(np.int32)
        crowd = self._crowd[self._label[rows]]
        order = np.argsort(crowd, kind="stable")
        rows, crowd = rows[order], crowd[order]
        return np.split(rows, np.flatnonzero(np.diff(crowd)) + 1) if len(rows) else []

    def _is_dense(self, rows: Rows) -> bool:
        # The estimate only decides how pairs are found, not which; a fixed seed keeps the time the same as well.
        left, right = (self._sample[:, : 8 * len(rows)] * len(rows)).astype(np.intp)
        left, right = rows[left[left != right]], rows[right[left != right]]
        hits = int((np.bitwise_count(self.values[left] ^ self.values[right]) <= self.radius).sum())
        return hits >= CROWD_SAMPLE_HITS and hits * len(rows) >= CROWD_NEIGHBOURS * max(1, len(left))


class HeldPairs:
    """Near pairs by ranges of their first rows, which spill; not those of crowds."""

    def __init__(self, rows: int) -> None:
        """Begin with none of so many rows."""
        self._rows = rows
        self._pairs = SpilledBuckets(1 + rows // RANGE_ROWS, np.uint64)

    def __enter__(self) -> "HeldPairs":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Forget the pairs."""
        self.close()

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self._pairs)

    def put(self, left: Rows, right: Rows) -> None:
        """Add pairs, int32 (M,) each."""
        pairs = left.astype(np.uint64) << np.uint64(32) | right.astype(np.uint64)
        self._pairs.put(left // RANGE_ROWS, pairs)

    def close(self) -> None:
        """Forget the pairs."""
        self._pairs.close()

    def ranges(self) -> Iterator[tuple[int, Pairs]]:
        """Yield the first row of each range, and the pairs that begin in it, ascending."""
        for number in range(self._pairs.buckets):
            yield number * RANGE_ROWS, np.sort(self._pairs.take(number))

    def all(self) -> Pairs:
        """Return all pairs, ascending: uint64 (M,)."""
        return np.concatenate([pairs for _, pairs in self.ranges()])


def collect_pairs(crowds: Crowds, workers: int | None, progress: Progress | None) -> HeldPairs:
    """Return the near pairs outside crowds."""
    limit = max(HELD_PAIRS, HELD_PAIRS_PER_ROW * len(crowds.values))
    pairs = HeldPairs(len(crowds.values))
    found = iterate_pairs(crowds.values, crowds.radius, workers=workers, leave=crowds.leave, progress=progress)
    for left, right, _ in found:
        outside = ~crowds.hold(left, right)
        pairs.put(left[outside], right[outside])
        if len(pairs) > limit:  # many near pairs, but in no crowd: make one of them all
            crowds.join(_rows_of(pairs, len(crowds.values)))
            pairs.close()
            pairs = HeldPairs(len(crowds.values))
    return pairs


def _rows_of(pairs: HeldPairs, rows: int) -> Rows:
    """Return the rows that some pair has, ascending: int32."""
    is_near = np.zeros(rows, dtype=bool)
    for _, held in pairs.ranges():
        is_near[held >> np.uint64(32)] = is_near[held & np.uint64(MAX_ROWS)] = True
    return np.flatnonzero(is_near).astype(np.int32)
