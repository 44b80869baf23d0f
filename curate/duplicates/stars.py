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

from diptych.curate.duplicates.hamming import MAX_ROWS, Hashes, Progress, Rows, check_hashes, iterate_pairs

HELD_PAIRS = 32_000_000  # near pairs held at most, or
HELD_PAIRS_PER_ROW = 16  # so many a row: 128 bytes, 0.5 GB or more with the copies made on the way
CROWD_NEIGHBOURS = 64  # expected near rows from which on holding the pairs costs more than comparing again
CROWD_SAMPLE = 4096  # pairs compared to estimate them
CROWD_SAMPLE_HITS = 8  # fewer say nothing
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


class StarClusters(NamedTuple):
    """Who represents each row: ``representative`` int64 (N,), itself where it is one; ``distance`` uint8 (N,), bits."""

    representative: npt.NDArray[np.int64]
    distance: npt.NDArray[np.uint8]


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
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    is_start = np.ones(len(hashes), dtype=bool)
    is_start[1:] = ordered[1:] != ordered[:-1]
    first = order[is_start]
    by_first = np.argsort(first)
    place = np.empty(len(first), dtype=np.int32)
    place[by_first] = np.arange(len(first), dtype=np.int32)
    group = np.empty(len(hashes), dtype=np.int32)
    group[order] = place[np.cumsum(is_start) - 1]
    return Groups(ordered[is_start][by_first], first[by_first].astype(np.int32), group)


def star_clusters(
    hashes: Hashes,
    radius: int,
    *,
    order: npt.NDArray[np.integer],
    valid: npt.NDArray[np.bool_] | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> StarClusters:
    """Return for every row the row that represents it and how far apart their hashes are.

    >>> chain = np.array([0b0000, 0b0011, 0b1111], dtype=np.uint64)
    >>> star_clusters(chain, 2, order=np.array([0, 1, 2])).representative
    array([0, 0, 2])

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
    rows = order if valid is None else order[valid[order]]
    values, first, group = group_equal(hashes[rows])
    crowds = Crowds(values, radius)
    pairs = collect_pairs(crowds, workers, progress)
    owner = _claim(values, radius, pairs, crowds.members())
    representative = np.arange(len(hashes), dtype=np.int64)
    representative[rows] = rows[first[owner[group]]]
    return StarClusters(representative, np.bitwise_count(hashes ^ hashes[representative]))


def summarise(representative: npt.NDArray[np.int64], *, valid: npt.NDArray[np.bool_] | None = None) -> ClusterSummary:
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
    if rows and not (order.min() >= 0 and order.max() < rows and np.bincount(order, minlength=rows).max() == 1):
        raise ValueError(f"order is not a permutation of the rows 0 to {rows - 1}")


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
        crowd = self._crowd[self._label]
        rows = np.flatnonzero(crowd).astype(np.int32)
        rows = rows[np.argsort(crowd[rows], kind="stable")]
        return np.split(rows, np.flatnonzero(np.diff(crowd[rows])) + 1) if len(rows) else []

    def _is_dense(self, rows: Rows) -> bool:
        # The estimate only decides how pairs are found, not which; a fixed seed keeps the time the same as well.
        left, right = (self._sample[:, : 8 * len(rows)] * len(rows)).astype(np.intp)
        left, right = rows[left[left != right]], rows[right[left != right]]
        hits = int((np.bitwise_count(self.values[left] ^ self.values[right]) <= self.radius).sum())
        return hits >= CROWD_SAMPLE_HITS and hits * len(rows) >= CROWD_NEIGHBOURS * max(1, len(left))


def collect_pairs(crowds: Crowds, workers: int | None, progress: Progress | None) -> npt.NDArray[np.uint64]:
    """Return the near pairs outside crowds as ascending ``left << 32 | right``."""
    limit = max(HELD_PAIRS, HELD_PAIRS_PER_ROW * len(crowds.values))
    blocks, held = [np.empty(0, dtype=np.uint64)], 0
    pairs = iterate_pairs(crowds.values, crowds.radius, workers=workers, leave=crowds.leave, progress=progress)
    for left, right, _ in pairs:
        outside = ~crowds.hold(left, right)
        blocks.append(left[outside].astype(np.uint64) << np.uint64(32) | right[outside].astype(np.uint64))
        held += len(blocks[-1])
        if held > limit:  # many near pairs, but in no crowd: make one of them all
            is_near = np.zeros(len(crowds.values), dtype=bool)
            for keys in blocks:
                is_near[keys >> np.uint64(32)] = is_near[keys & np.uint64(MAX_ROWS)] = True
            crowds.join(np.flatnonzero(is_near).astype(np.int32))
            blocks, held = [np.empty(0, dtype=np.uint64)], 0
    keys = np.concatenate(blocks)
    keys.sort()
    return keys


def _claim(values: Hashes, radius: int, pairs: npt.NDArray[np.uint64], crowds: list[Rows]) -> Rows:
    """Return for each value, in order of preference, the value that represents it."""
    left, right = (pairs >> np.uint64(32)).astype(np.int32), (pairs & np.uint64(MAX_ROWS)).astype(np.int32)
    owner = np.full(len(values), len(values), dtype=np.int32)
    taken = bytearray(len(values))  # asked row by row, where an array is slow
    is_taken = np.frombuffer(taken, dtype=np.uint8)
    crowd_of = {row: number for number, rows in enumerate(crowds) for row in rows.tolist()}
    crowd_values, done = [values[rows] for rows in crowds], [0] * len(crowds)
    turns = np.union1d(left, np.concatenate([np.empty(0, dtype=np.int32), *crowds]))
    starts, stops = np.searchsorted(left, turns), np.searchsorted(left, turns, side="right")
    for row, start, stop in zip(turns.tolist(), starts.tolist(), stops.tolist(), strict=True):
        if taken[row]:
            continue
        is_taken[right[start:stop]] = 1
        crowd = crowd_of.get(row)
        if crowd is not None:
            rows = crowds[crowd]
            near = rows[np.bitwise_count(crowd_values[crowd] ^ values[row]) <= radius]
            near = near[(near > row) & (is_taken[near] == 0)]
            owner[near], is_taken[near] = row, 1
            done[crowd] += 1 + len(near)
            if done[crowd] * COMPACT > len(rows):
                crowds[crowd] = rows[(rows > row) & (is_taken[rows] == 0)]
                crowd_values[crowd] = values[crowds[crowd]]
                done[crowd] = 0
    is_claim = is_taken[left] == 0
    np.minimum.at(owner, right[is_claim], left[is_claim])
    return np.where(is_taken, owner, np.arange(len(values), dtype=np.int32))
