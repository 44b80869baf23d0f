"""The plan of a pool: which rows are not there yet, and the shards that they are cut into.

It follows from the input and from the shards that are finished, and from nothing else. What is finished stays as it is;
between it, rows are cut from the front, part by part, by their number and their bytes, and the shards take the lowest
numbers that are free. So a run that was killed at any moment goes on with the same shards, and one that finds new rows
in its input adds shards for them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.curate.sources.contract import Part, RowRange
from diptych.curate.sources.index import PartIndex
from diptych.curate.sources.keys import HASH_BYTES, Hashes, LaterRows, Rows, is_among, key_text, later_rows, read_keys
from diptych.data.shards import keys_sha256
from diptych.parts import WHOLE_JOB, JobPart


class ShardLimits(NamedTuple):
    """The most that a shard of the pool holds."""

    rows: int
    bytes: int


@dataclass(frozen=True)
class PlannedShard:
    """A shard that is to be made.

    Attributes:
        number: Of the shard.
        rows: What it is made of.
        ordinals: Of those of its rows that have equal ones before them, by row within the shard.
        keys: sha256 of its keys, by which it is known to have the rows that were planned.
    """

    number: int
    rows: RowRange
    ordinals: Mapping[int, int]
    keys: str

    @property
    def count(self) -> int:
        """How many rows it has."""
        return self.rows.stop - self.rows.start


class PoolPlan:
    """Which rows of an input are there, and which are to be made.

    Attributes:
        gone: How many of the rows that are there are none of the input.
    """

    def __init__(self, parts: Sequence[Part], indexes: Sequence[PartIndex], there: Iterable[pa.ChunkedArray]) -> None:
        """Find the rows that are not there.

        Args:
            parts: Of the input.
            indexes: Of the parts.
            there: The keys of the shards that are finished.
        """
        self._parts = parts
        self._starts = np.cumsum([0, *(len(index.hashes) for index in indexes)])
        self._hashes = np.concatenate([index.hashes for index in indexes])
        self._sizes = np.concatenate([index.sizes for index in indexes])
        self._later = later_rows(self._hashes)
        is_there, known = _rows_there(self._hashes, self._later, there)
        self._is_missing = ~is_there
        self.gone = known - int(is_there.sum())

    @property
    def total(self) -> int:
        """Rows of the input."""
        return len(self._hashes)

    @property
    def missing(self) -> int:
        """Rows that are to be made."""
        return int(self._is_missing.sum())

    @property
    def missing_bytes(self) -> int:
        """Bytes of the rows that are to be made, as far as they are in the input."""
        return int(self._sizes[self._is_missing].sum(dtype=np.int64))

    def shards(self, limits: ShardLimits, taken: Iterable[int], own: JobPart = WHOLE_JOB) -> Iterator[PlannedShard]:
        """Yield the shards that are to be made, in the order of the input.

        Args:
            limits: Of a shard.
            taken: Numbers of shards that are finished.
            own: Which of them are yielded.
        """
        numbers = taken_not(set(taken))
        for number, (part, first, start, stop) in zip(numbers, self._pieces(limits), strict=False):
            if own.takes(number):
                yield self._shard(number, part.range(start, stop), slice(first + start, first + stop))

    def count_shards(self, limits: ShardLimits) -> int:
        """Return how many shards are to be made."""
        return sum(1 for _ in self._pieces(limits))

    def _pieces(self, limits: ShardLimits) -> Iterator[tuple[Part, int, int, int]]:
        """Yield of each shard its part, the first row of that, and from where to where its rows go in it."""
        for part, first, last in zip(self._parts, self._starts[:-1], self._starts[1:], strict=True):
            for start, stop in _runs(self._is_missing[first:last]):
                for begin, end in _cut(self._sizes[first + start : first + stop], limits):
                    yield part, first, start + begin, start + end

    def _shard(self, number: int, rows: RowRange, of_input: slice) -> PlannedShard:
        first, last = np.searchsorted(self._later.rows, [of_input.start, of_input.stop])
        within = (self._later.rows[first:last] - of_input.start).tolist()
        ordinals = dict(zip(within, self._later.ordinals[first:last].tolist(), strict=True))
        digests = self._hashes[of_input].astype(">u8").tobytes()
        keys = (
            key_text(digests[at * HASH_BYTES : (at + 1) * HASH_BYTES], ordinals.get(at, 0))
            for at in range(of_input.stop - of_input.start)
        )
        return PlannedShard(number, rows, ordinals, keys_sha256(keys))


def taken_not(taken: set[int]) -> Iterator[int]:
    """Yield the numbers from 0 on that are not taken.

    >>> numbers = taken_not({0, 2}); next(numbers), next(numbers)
    (1, 3)
    """
    return (number for number in count() if number not in taken)


def _rows_there(hashes: Hashes, later: LaterRows, keys: Iterable[pa.ChunkedArray]) -> tuple[npt.NDArray[np.bool_], int]:
    """Return bool (N,), whether each row is one of those with the keys, and how many keys there are."""
    firsts, others, ordinals = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for column in keys:
        found, ordinal = read_keys(column)
        firsts.append(found[ordinal == 0])
        others.append(found[ordinal > 0])
        ordinals.append(ordinal[ordinal > 0])
    there = is_among(hashes, np.sort(np.concatenate(firsts)))
    wanted, known = _pairs([(hashes[later.rows], later.ordinals), (np.concatenate(others), np.concatenate(ordinals))])
    there[later.rows] = is_among(wanted, np.sort(known))
    return there, sum(map(len, (*firsts, *others)))


def _pairs(sides: Sequence[tuple[Hashes, Rows]]) -> list[Hashes]:
    """Return each hash with its ordinal as one number, the same number for the same pair on every side."""
    distinct = np.unique(np.concatenate([hashes for hashes, _ in sides]))
    width = 1 + max((int(ordinals.max()) for _, ordinals in sides if len(ordinals)), default=0)
    return [(np.searchsorted(distinct, hashes) * width + ordinals).astype(np.uint64) for hashes, ordinals in sides]


def _runs(mask: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where the runs of True begin and end.

    >>> _runs(np.array([False, True, True, False, True]))
    [(1, 3), (4, 5)]
    """
    edges = np.flatnonzero(np.diff(np.r_[False, mask, False]))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _cut(sizes: npt.NDArray[np.uint32], limits: ShardLimits) -> Iterator[tuple[int, int]]:
    """Yield from where to where the shards of consecutive rows go: at least one row, else within the limits.

    >>> list(_cut(np.array([5, 5, 5, 50, 1], np.uint32), ShardLimits(rows=2, bytes=20)))
    [(0, 2), (2, 3), (3, 4), (4, 5)]
    """
    ends = np.cumsum(sizes, dtype=np.int64)
    start = 0
    while start < len(sizes):
        before = int(ends[start - 1]) if start else 0
        fits = int(np.searchsorted(ends, before + limits.bytes, side="right"))
        stop = min(max(fits, start + 1), start + limits.rows, len(sizes))
        yield start, stop
        start = stop
