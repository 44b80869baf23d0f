"""All pairs of 64-bit hashes within a Hamming distance: exact, and in memory bounded whatever the hashes.

Two hashes that differ in at most ``radius`` bits agree on all others. So bit sets, the *tables*, are drawn up such that
whichever ``radius`` bits differ, one set holds none of them. For each table only hashes that agree on its bits are
compared. Each pair comes from the first table free of its differences, hence once.

Equal hashes are for ``stars`` to collapse: a million of them are one hash, not 5e11 pairs. Distinct hashes crowd as
well (flat pictures): ``iterate_pairs`` keeps no pairs, and asks its caller before it compares a crowd.
"""

import functools
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.curate.duplicates.bit_tables import BITS
from diptych.curate.duplicates.buckets import (
    Hashes,
    Near,
    Positions,
    Rows,
    arrange,
    gather,
    moves_back,
    moves_to_top,
    near_in_buckets,
    near_in_stripe,
    stripes,
    take_crowds_out,
)
from diptych.curate.duplicates.table_choice import plan_tables
from diptych.curate.duplicates.value_parts import BitValues, sorted_parts, table_parts, take_part
from diptych.errors import DataError
from diptych.processors import own_cpus

MAX_ROWS = 2**31 - 1  # row numbers are int32, because pairs are what fills the memory
MAX_PAIRS = 50_000_000  # of find_pairs: 0.45 GB of result, 2 GB while they are sorted
DENSE_TABLES = 8  # after so many, few pairs are still new
THREAD_ROWS = 1 << 16  # on fewer rows, threads only wait
THREAD_CROWD = 1 << 10  # on a smaller crowd as well

Leave = Callable[[Rows], bool]
Progress = Callable[[int, int], None]


class HashPairs(NamedTuple):
    """Pairs of rows: ``left`` < ``right``, both int32 (M,), and their Hamming ``distance``, uint8 (M,)."""

    left: Rows
    right: Rows
    distance: npt.NDArray[np.uint8]


def find_pairs(
    values: Hashes, radius: int, *, workers: int | None = None, progress: Progress | None = None
) -> HashPairs:
    """Return all pairs of rows within ``radius``, sorted by (left, right), each once.

    >>> find_pairs(np.array([0b1000, 0b1011, 0b0111], dtype=np.uint64), 2)
    HashPairs(left=array([0, 1], dtype=int32), right=array([1, 2], dtype=int32), distance=array([2, 2], dtype=uint8))

    Args:
        values: uint64 (N,), distinct; ``stars.group_equal`` makes them so.
        radius: Largest Hamming distance of a pair, in [0, 64] bits.
        workers: Threads; one per core, at most 8, where None. The result does not depend on it.
        progress: Called with (parts of the search done, parts in all).

    Raises:
        ValueError: If ``values`` is not a uint64 vector of distinct hashes or ``radius`` is not in [0, 64].
        DataError: If there are more than 50 million pairs; ``iterate_pairs`` keeps none.
    """
    keys, total = [np.empty(0, dtype=np.uint64)], 0
    for left, right, _ in iterate_pairs(values, radius, workers=workers, progress=progress):
        keys.append(left.astype(np.uint64) << np.uint64(32) | right.astype(np.uint64))
        total += len(left)
        if total > MAX_PAIRS:
            raise DataError(f"{len(values)} hashes have over {MAX_PAIRS} pairs within {radius} bits; lower the radius")
    key = np.sort(np.concatenate(keys))
    left, right = (key >> np.uint64(32)).astype(np.int32), (key & np.uint64(MAX_ROWS)).astype(np.int32)
    return HashPairs(left, right, np.bitwise_count(values[left] ^ values[right]))


def iterate_pairs(
    values: Hashes,
    radius: int,
    *,
    workers: int | None = None,
    leave: Leave | None = None,
    progress: Progress | None = None,
) -> Iterator[HashPairs]:
    """Yield all pairs of rows within ``radius`` in blocks, each once, in an order that ``workers`` does not change.

    Arguments and errors are those of ``find_pairs``. ``leave`` is asked about each crowd, int32 rows that agree on the
    bits of a table, before it is compared: where it returns True, the pairs of the crowd may be left out, and the
    caller answers for them. Memory is 12 bytes a row and 400 MB a worker, beside the pairs of blocks under way.
    """
    check_hashes(values, radius)
    rows = np.concatenate([np.empty(0, np.int32), *sorted_parts(values)])
    ordered = values[rows]
    if (ordered[1:] == ordered[:-1]).any():
        raise ValueError("some hashes are equal; collapse them with stars.group_equal and pass its values")
    family = np.array(plan_tables(values, radius, crowds_are_left=leave is not None), dtype=np.uint64)
    search = _Search(values, ordered, rows, radius, family)
    threads = 1 if len(values) < THREAD_ROWS else workers or min(8, own_cpus())
    with ThreadPoolExecutor(threads) as pool:
        in_order = functools.partial(_in_order, pool, threads) if threads > 1 else map
        yield from search.run(in_order, leave, progress)


def check_hashes(hashes: Hashes, radius: int) -> None:
    """Refuse, by ValueError, hashes that are not uint64 (N,) or too many, and a radius outside [0, 64]."""
    if getattr(hashes, "dtype", None) != np.uint64 or hashes.ndim != 1 or len(hashes) > MAX_ROWS:
        found = f"{getattr(hashes, 'dtype', type(hashes).__name__)} {np.shape(hashes)}"
        raise ValueError(f"hashes are {found}; pass a numpy array of dtype uint64 and shape (N,), N < 2**31")
    if not 0 <= radius <= BITS:
        raise ValueError(f"radius {radius} is not in [0, {BITS}] bits")


class _Search(NamedTuple):
    values: Hashes
    ordered: Hashes
    rows: Rows  # of the ordered values
    radius: int
    family: Hashes  # the tables: bit i is set where bit i of the hashes must agree

    def run(self, in_order: Callable[..., Any], leave: Leave | None, progress: Progress | None) -> Iterator[HashPairs]:
        tasks = [
            (table, part) for table, mask in enumerate(self.family.tolist()) for part in table_parts(self.values, mask)
        ]
        for number, (pairs, crowds) in enumerate(in_order(self._scan, tasks), start=1):
            yield from pairs
            table, _ = tasks[number - 1]
            for left, right in gather(self._compare(crowds, in_order, leave)):
                new = _first_seen(self.values[left] ^ self.values[right], self.family[: table + 1])
                yield self._pairs(left[new], right[new])
            if progress is not None:
                progress(number, len(tasks))

    def _compare(self, crowds: list[Hashes], in_order: Callable[..., Any], leave: Leave | None) -> Iterator[Near]:
        for crowd in crowds:
            rows = self._find(crowd)
            if leave is None or not leave(rows):
                each = in_order if len(crowd) > THREAD_CROWD else map
                nears = each(functools.partial(near_in_stripe, crowd, self.radius), stripes(len(crowd)))
                yield from ((rows[left], rows[right]) for left, right in itertools.chain.from_iterable(nears))

    def _scan(self, task: tuple[int, BitValues]) -> tuple[list[HashPairs], list[Hashes]]:
        """Return the pairs of the buckets of a part of a table, and its crowds."""
        table, part = task
        mask = int(self.family[table])
        if not mask:
            return [], [self.values]
        moves = moves_to_top(mask)
        back = moves_back(moves)
        arranged = arrange(take_part(self.values, part), moves)
        arranged.sort()
        others, crowds = take_crowds_out(arranged, mask.bit_count(), len(self.values))
        tables = arrange(self.family[: table + 1], moves)
        pairs = []
        for left, right in near_in_buckets(others, mask.bit_count(), self.radius):
            new = _first_seen(others[left] ^ others[right], tables)
            pairs.append(self._pairs(*(self._find(arrange(others[side[new]], back)) for side in (left, right))))
        return pairs, [arrange(crowd, back) for crowd in crowds]

    def _find(self, values: Hashes) -> Rows:
        return self.rows[np.searchsorted(self.ordered, values)]

    def _pairs(self, left: Positions, right: Positions) -> HashPairs:
        lower, upper = np.minimum(left, right).astype(np.int32), np.maximum(left, right).astype(np.int32)
        return HashPairs(lower, upper, np.bitwise_count(self.values[lower] ^ self.values[upper]))


def _in_order(pool: ThreadPoolExecutor, workers: int, work: Callable[..., Any], items: Iterable[Any]) -> Iterator[Any]:
    """Yield the outcomes in the order of the items; each worker is at most one item ahead of the caller."""
    pending: deque[Future[Any]] = deque()
    for item in items:
        pending.append(pool.submit(work, item))
        if len(pending) > workers:
            yield pending.popleft().result()
    yield from (future.result() for future in pending)


def _first_seen(differences: Hashes, tables: Hashes) -> Positions:
    """Return the positions of the differences that lie outside the last table and inside all before it."""
    is_new = (differences & tables[-1]) == 0
    for table in tables[:-1][:DENSE_TABLES]:
        is_new &= (differences & table) != 0
    new = np.flatnonzero(is_new)
    for table in tables[:-1][DENSE_TABLES:]:
        if not len(new):
            break
        new = new[(differences[new] & table) != 0]
    return new
