"""Star clusters of near-duplicates: every row is kept, or lies within the radius of one row that is.

Rows come in order of preference. Each row that no one has claimed becomes a representative and claims all unclaimed
rows within the radius of itself. So a chain A-B-C, in which only neighbours are near, keeps A and C where A comes
first: linking everything that is connected by near pairs instead (transitive closure) merges what has nothing in
common, and has been seen to wipe out whole sources.

Memory is bounded whatever the hashes. Rows with equal hashes are one value. Near pairs are held, 8 bytes each, up to a
limit; crowds of values that are near one another in large part (flat pictures, placeholders) hold none: in their turn,
their representatives are compared with what is left of the crowd, which shrinks with each of them.

What to do with a cluster, and what to tell the user about a suspicious one, is for the caller.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.curate.duplicates.buckets import Hashes, Rows
from diptych.curate.duplicates.crowds import RANGE_ROWS, Crowds, HeldPairs, collect_pairs
from diptych.curate.duplicates.hamming import MAX_ROWS, Progress, check_hashes
from diptych.curate.duplicates.value_parts import sorted_parts

COMPACT = 8  # a crowd is rewritten once one in so many of its rows has had its turn or been claimed

# A picture that is in the set often makes a cluster of some dozens. One that holds a hundredth of all rows is nearly
# always a placeholder ("image not found"), a flat picture, or a radius too large for the hash: worth a look before
# its rows are dropped. Below 5,000 rows a hundredth is within what is ordinary, hence the floor.
ALARM_SHARE = 0.01
ALARM_ROWS = 50


class Groups(NamedTuple):
    """Equal hashes, collapsed.

    Attributes:
        values: uint64 (U,), the distinct hashes in the order of their first rows.
        first: int32 (U,), ascending: the first row with each value.
        group: int32 (N,), the index in ``values`` of each row's hash.
    """

    values: Hashes
    first: Rows
    group: Rows


@dataclass(frozen=True)
class ClusterSummary:
    """The facts about the clusters of a set of rows.

    Attributes:
        rows: Rows that took part: those with a hash.
        clusters: Clusters of more than one row.
        rows_removed: Rows that are represented by another.
        largest_size: Rows of the largest cluster, 1 where no row has a near one, 0 where there are no rows.
        largest_representative: Row that represents it, the first of several as large; -1 where there is no cluster.
    """

    rows: int
    clusters: int
    rows_removed: int
    largest_size: int
    largest_representative: int

    @property
    def alarm(self) -> bool:
        """Whether the largest cluster has more than 50 rows and more than 1 % of all."""
        return self.largest_size > max(ALARM_ROWS, ALARM_SHARE * self.rows)


def group_equal(hashes: Hashes) -> Groups:
    """Return the distinct hashes in the order of their first rows, and which of them each row has.

    >>> group_equal(np.array([7, 5, 7], dtype=np.uint64)).group
    array([0, 1, 0], dtype=int32)

    Raises:
        ValueError: If ``hashes`` is not a uint64 vector of at most 2**31 - 1 rows.
    """
    check_hashes(hashes, 0)
    first_of_equals = np.empty(len(hashes), np.int32)
    for rows in sorted_parts(hashes):
        ordered = hashes[rows]
        starts = np.flatnonzero(np.concatenate([np.ones(min(1, len(rows)), bool), ordered[1:] != ordered[:-1]]))
        if len(rows):
            first_of_equals[rows] = np.repeat(np.minimum.reduceat(rows, starts), np.diff(starts, append=len(rows)))
    is_first = first_of_equals == np.arange(len(hashes), dtype=np.int32)
    place = np.cumsum(is_first, dtype=np.int32)
    place -= 1
    first = first_of_equals[is_first]
    return Groups(hashes[is_first], first, place[first_of_equals])


def star_clusters(
    hashes: Hashes,
    radius: int,
    *,
    order: npt.NDArray[np.integer],
    valid: npt.NDArray[np.bool_] | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Rows:
    """Return for every row the row that represents it: int32 (N,), itself where it is one.

    >>> chain = np.array([0b0000, 0b0011, 0b1111], dtype=np.uint64)
    >>> star_clusters(chain, 2, order=np.array([0, 1, 2]))
    array([0, 0, 2], dtype=int32)

    Args:
        hashes: uint64 (N,).
        radius: Largest Hamming distance between a representative and a row that it claims, in [0, 64] bits.
        order: Integers (N,): all rows, the most preferred first, as ``np.lexsort`` gives them.
        valid: bool (N,), False where a row has no hash and so represents itself; None if all have one.
        workers: Threads; one per core, at most 8, where None. The result does not depend on it.
        progress: Called with (parts of the search done, parts in all).

    Raises:
        ValueError: If an argument has another type or shape, or ``order`` is not a permutation of the rows.
    """
    check_hashes(hashes, radius)
    _check_order(order, len(hashes))
    if valid is not None and (valid.dtype != np.bool_ or valid.shape != hashes.shape):
        raise ValueError(f"valid is {valid.dtype} {valid.shape}; pass bool {hashes.shape}")
    rows = (order if valid is None else order[valid[order]]).astype(np.int32, copy=False)
    values, first, group = group_equal(hashes[rows])
    crowds = Crowds(values, radius)
    with collect_pairs(crowds, workers, progress) as pairs:
        owner = _claim(values, radius, pairs, crowds.members())
    representative = np.arange(len(hashes), dtype=np.int32)
    representative[rows] = rows[first[owner[group]]]
    return representative


def summarise(representative: npt.NDArray[np.integer], *, valid: npt.NDArray[np.bool_] | None = None) -> ClusterSummary:
    """Return the facts about the clusters of the rows that are ``valid``, bool (N,), or of all.

    >>> summarise(np.array([0, 0, 2, 0]))
    ClusterSummary(rows=4, clusters=1, rows_removed=2, largest_size=3, largest_representative=0)
    """
    members = representative if valid is None else representative[valid]
    sizes = np.bincount(members, minlength=1)
    largest = int(sizes.max())
    return ClusterSummary(
        rows=len(members),
        clusters=int((sizes > 1).sum()),
        rows_removed=len(members) - int((sizes > 0).sum()),
        largest_size=largest,
        largest_representative=int(sizes.argmax()) if largest > 1 else -1,
    )


def _check_order(order: npt.NDArray[np.integer], rows: int) -> None:
    if not np.issubdtype(order.dtype, np.integer) or order.shape != (rows,):
        raise ValueError(
            f"order is {order.dtype} {order.shape}; pass the {rows} rows as integers, most preferred first"
        )
    is_there = np.zeros(rows, dtype=bool)
    if rows and order.min() >= 0 and order.max() < rows:
        is_there[order] = True
    if not is_there.all():
        raise ValueError(f"order is not a permutation of the rows 0 to {rows - 1}")


def _claim(values: Hashes, radius: int, pairs: HeldPairs, members: list[Rows]) -> Rows:
    """Return for each value, in order of preference, the value that represents it."""
    owner = np.arange(len(values), dtype=np.int32)
    taken = bytearray(len(values))  # asked row by row, where an array is slow
    is_taken = np.frombuffer(taken, dtype=np.uint8)
    crowd_of = np.full(len(values), -1, dtype=np.int32)
    for number, rows in enumerate(members):
        crowd_of[rows] = number
    crowds = [_Shrinking(rows, values[rows]) for rows in members]
    for begin, part in pairs.ranges():
        left, right = (part >> np.uint64(32)).astype(np.int32), (part & np.uint64(MAX_ROWS)).astype(np.int32)
        turns = np.union1d(left, begin + np.flatnonzero(crowd_of[begin : begin + RANGE_ROWS] >= 0))
        starts, stops = np.searchsorted(left, turns), np.searchsorted(left, turns, side="right")
        each = zip(turns.tolist(), starts.tolist(), stops.tolist(), crowd_of[turns].tolist(), strict=True)
        for row, start, stop, crowd in each:
            if taken[row]:
                continue
            is_taken[right[start:stop]] = 1
            if crowd >= 0:
                near = crowds[crowd].claim(row, values[row], radius, is_taken)
                owner[near], is_taken[near] = row, 1
        is_claim = is_taken[left] == 0
        np.minimum.at(owner, right[is_claim], left[is_claim])
    return owner


class _Shrinking:
    """A crowd, of which ever less is left."""

    def __init__(self, rows: Rows, values: Hashes) -> None:
        self._rows, self._values, self._done = rows, values, 0

    def claim(self, row: int, value: np.uint64, radius: int, is_taken: npt.NDArray[np.uint8]) -> Rows:
        """Return the rows after ``row`` that are near it and not taken yet, and count them as done."""
        near: Rows = self._rows[np.bitwise_count(self._values ^ value) <= radius]
        near = near[(near > row) & (is_taken[near] == 0)]
        self._done += 1 + len(near)
        if self._done * COMPACT > len(self._rows):
            is_left = (self._rows > row) & (is_taken[self._rows] == 0)
            is_left[np.searchsorted(self._rows, near)] = False
            self._rows, self._values, self._done = self._rows[is_left], self._values[is_left], 0
        return near
