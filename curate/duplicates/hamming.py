"""All pairs of 64-bit hashes within a Hamming distance: exact, and in memory bounded whatever the hashes.

Two hashes that differ in at most ``radius`` bits agree on all others. So bit sets, the *tables*, are drawn up such that
whichever ``radius`` bits differ, one set holds none of them. For each table the hashes are sorted with its bits on top,
and only those that agree on these bits, a *bucket*, are compared, by XOR and population count of neighbours in the
sorted array. How many tables of how many bits is the choice of a cost model, from the number of hashes, the radius, and
how often a sample of the hashes agrees. Each pair comes from the first table free of its differences, hence once.

The tables are a covering design, made by the dynamic programme of Gordon, Kuperberg, Patashnik, "New constructions for
covering designs", 1995; taking all choices of blocks (Manku, Jain, Das Sarma, "Detecting near-duplicates for web
crawling", WWW 2007) is a special case. At radius 8 it needs 73 tables of 16 bits, not 495 of 21 bits.

Equal hashes are for ``clusters`` to collapse: a million of them are one hash, not 5e11 pairs. Distinct hashes crowd as
well (flat pictures): ``iterate_pairs`` keeps no pairs, and asks its caller before it compares a crowd.
"""

import functools
import itertools
import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.errors import DataError

BITS, MAX_ROWS = 64, 2**31 - 1  # row numbers are int32, because pairs are what fills the memory
MAX_PAIRS = 50_000_000  # of find_pairs: 0.45 GB of result, 2 GB while they are sorted
CROWD_ROWS = (
    128  # a bucket of more rows, and of CROWD_RATIO times as many as in random hashes, is a crowd: not compared
)
CROWD_RATIO = 4  # by neighbours, and not before the caller is asked
CHUNK = 1 << 16  # rows worked on at a time: hashes, XOR and counts stay in a core's second-level cache
TILE_ROWS, TILE_COLUMNS = 64, 1024  # of a square compared at a time, for the same reason
STRIPE_CELLS = 1 << 21  # of a square, for one task: bounds the pairs it can return
BLOCK_PAIRS = 1 << 18  # pairs gathered before those that an earlier table has reported are dropped
DENSE_TABLES = 8  # after so many, few pairs are still new
FEW = 16  # once one row in so many still has a partner in its bucket, gathering those beats passing over all rows
# The cost model: nanoseconds measured on one core of a Xeon with AVX-512 and numpy 2.4. Only their ratios matter.
TABLE_NS = 150_000.0  # calls whose number does not depend on the rows
ROW_NS = 10.0  # to arrange and sort a row and to find the end of its bucket
LAG_NS = 0.85  # to compare a row with one neighbour
PLAN_NS, CELL_NS = 20e6, 0.75  # to plan tables for the first time; to compare two rows of a square
MIN_BLOCKS, SPARE_BLOCKS, MAX_TABLES, MAX_RADIUS = 16, 8, 2048, 16  # beyond, tables do not pay or take long to plan
SAMPLE_ROWS, SAMPLE_TABLES = 1 << 13, 4

Hashes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int32]
Positions = npt.NDArray[np.integer]
Near = tuple[Positions, ...]  # left, right
Stripe = tuple[range, range]  # first rows and first columns of the tiles of a part of a square
Leave = Callable[[Rows], bool]
Progress = Callable[[int, int], None]
Moves = list[tuple[int, int]]  # (shift, to the right if negative; the bits that it moves)


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
        values: uint64 (N,), distinct; ``clusters.group_equal`` makes them so.
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
    caller answers for them. Memory is some 100 bytes a row and worker, beside the pairs of the blocks under way.
    """
    check_hashes(values, radius)
    order = np.argsort(values)
    ordered = values[order]
    if (ordered[1:] == ordered[:-1]).any():
        raise ValueError("some hashes are equal; collapse them with clusters.group_equal and pass its values")
    family = np.array(plan_tables(values, radius, crowds_are_left=leave is not None), dtype=np.uint64)
    search = _Search(values, ordered, order.astype(np.int32), radius, family)
    threads = 1 if len(values) < CHUNK else workers or min(8, os.cpu_count() or 1)  # on few rows they only wait
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
        for table, (pairs, crowds) in enumerate(in_order(self._scan, range(len(self.family)))):
            yield from pairs
            for left, right in _gather(self._compare(crowds, in_order, leave)):
                new = _first_seen(self.values[left] ^ self.values[right], self.family[: table + 1])
                yield self._pairs(left[new], right[new])
            if progress is not None:
                progress(table + 1, len(self.family))

    def _compare(self, crowds: list[Hashes], in_order: Callable[..., Any], leave: Leave | None) -> Iterator[Near]:
        for crowd in crowds:
            rows = self._find(crowd)
            if leave is None or not leave(rows):
                each = in_order if len(crowd) > TILE_COLUMNS else map  # what takes a moment needs no threads
                nears = each(functools.partial(_square, crowd, self.radius), _stripes(len(crowd)))
                yield from ((rows[left], rows[right]) for left, right in itertools.chain.from_iterable(nears))

    def _scan(self, table: int) -> tuple[list[HashPairs], list[Hashes]]:
        """Return the pairs of the buckets of a table, and its crowds."""
        mask = int(self.family[table])
        if not mask:
            return [], [self.values]
        moves = _moves_to_top(mask)
        back = [(-shift, bits << shift if shift >= 0 else bits >> -shift) for shift, bits in moves]
        limit = 1 << (BITS - mask.bit_count())  # the XOR of two arranged hashes is less if they agree on the table
        most = max(CROWD_ROWS, CROWD_RATIO * len(self.values) >> mask.bit_count())
        arranged, crowds = _take_crowds_out(np.sort(_arrange(self.values, moves)), limit, most)
        tables = _arrange(self.family[: table + 1], moves)
        pairs = []
        lags = (_lags(arranged, start, limit, self.radius) for start in range(0, len(arranged), CHUNK))
        for left, right in _gather(itertools.chain.from_iterable(lags)):
            new = _first_seen(arranged[left] ^ arranged[right], tables)
            pairs.append(self._pairs(*(self._find(_arrange(arranged[side[new]], back)) for side in (left, right))))
        return pairs, [_arrange(crowd, back) for crowd in crowds]

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


def _stripes(rows: int) -> Iterator[Stripe]:
    """Yield parts of about as many cells each of the square of all rows with all rows, from its diagonal on."""
    height = TILE_ROWS * max(1, STRIPE_CELLS // (TILE_ROWS * rows))
    width = STRIPE_CELLS // TILE_ROWS
    for top in range(0, rows, height):
        for first in range(top, rows, width):
            yield range(top, min(top + height, rows), TILE_ROWS), range(first, min(first + width, rows), TILE_COLUMNS)


def _square(values: Hashes, radius: int, stripe: Stripe) -> list[Near]:
    """Return the positions of the near pairs of a stripe, the first of each before the second."""
    found: list[Near] = []
    for top, first in itertools.product(*stripe):
        start, stop = max(first, top + 1), min(first + TILE_COLUMNS, stripe[1].stop)
        is_near = np.bitwise_count(values[top : top + TILE_ROWS, None] ^ values[start:stop]) <= radius
        if is_near.any():
            left, right = np.nonzero(is_near)
            left, right = left + top, right + start
            found.append((left[left < right], right[left < right]))
    return found


def _take_crowds_out(arranged: Hashes, limit: int, most: int) -> tuple[Hashes, list[Hashes]]:
    is_crowded = (arranged[most:] ^ arranged[:-most]) < limit
    if not is_crowded.any():
        return arranged, []
    lowest = np.unique(arranged[most:][is_crowded] & np.uint64(2**BITS - limit))
    starts = np.searchsorted(arranged, lowest)
    stops = np.searchsorted(arranged, lowest | np.uint64(limit - 1), side="right")
    crowds = [arranged[start:stop] for start, stop in zip(starts, stops, strict=True)]
    others = [arranged[stop:start] for stop, start in zip([0, *stops], [*starts, len(arranged)], strict=True)]
    return np.concatenate(others), crowds


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


def _gather(nears: Iterable[Near]) -> Iterator[Near]:
    """Yield the same pairs in larger blocks."""
    size, found = 0, list[Near]()
    for near in nears:
        found.append(near)
        size += len(near[0])
        if size > BLOCK_PAIRS:
            yield tuple(map(np.concatenate, zip(*found, strict=True)))
            size, found = 0, []
    if found:
        yield tuple(map(np.concatenate, zip(*found, strict=True)))


def _lags(arranged: Hashes, start: int, limit: int, radius: int) -> Iterator[Near]:
    """Yield near pairs that begin in a chunk, all those of one bucket, lag by lag until no bucket reaches so far."""
    difference, count = np.empty(CHUNK, dtype=np.uint64), np.empty(CHUNK, dtype=np.uint8)
    for lag in range(1, len(arranged) - start):
        size = min(CHUNK, len(arranged) - start - lag)
        left, right = arranged[start : start + size], arranged[start + lag : start + lag + size]
        xor = np.bitwise_xor(left, right, out=difference[:size])
        counts = np.bitwise_count(xor, out=count[:size])
        if counts.min() <= radius:
            near = np.flatnonzero(counts <= radius) + start
            yield near, near + lag
        is_same = xor < limit
        if FEW * np.count_nonzero(is_same) < size:
            yield from _last_lags(arranged, np.flatnonzero(is_same) + start, lag + 1, limit, radius)
            return


def _last_lags(arranged: Hashes, rows: Positions, lag: int, limit: int, radius: int) -> Iterator[Near]:
    while len(rows := rows[rows + lag < len(arranged)]):
        xor = arranged[rows] ^ arranged[rows + lag]
        near = rows[np.bitwise_count(xor) <= radius]
        if len(near):
            yield near, near + lag
        rows, lag = rows[xor < limit], lag + 1


def _moves_to_top(mask: int) -> Moves:
    """Return the shifts that bring the bits of a mask to the top, in their order, and the others below."""
    moves: dict[int, int] = {}
    for place, bit in enumerate(sorted(range(BITS), key=lambda bit: mask >> bit & 1)):
        moves[place - bit] = moves.get(place - bit, 0) | 1 << bit
    return list(moves.items())


def _arrange(values: Hashes, moves: Moves) -> Hashes:
    arranged, part = np.zeros_like(values), np.empty(min(len(values), CHUNK), dtype=np.uint64)
    for start in range(0, len(values), CHUNK):
        target = arranged[start : start + CHUNK]
        moved = part[: len(target)]
        for shift, mask in moves:
            np.bitwise_and(values[start : start + CHUNK], np.uint64(mask), out=moved)
            (np.left_shift if shift >= 0 else np.right_shift)(moved, np.uint64(abs(shift)), out=moved)
            np.bitwise_or(target, moved, out=target)
    return arranged


def plan_tables(values: Hashes, radius: int, *, crowds_are_left: bool = False) -> tuple[int, ...]:
    """Return the tables with which the search is expected to be fastest; one of no bits if comparing all with all is.

    ``crowds_are_left`` says that near hashes which agree on a table cost nothing, because the caller leaves crowds.
    """
    best: tuple[float, tuple[int, ...]] = (CELL_NS * len(values) ** 2 / 2, (0,) if len(values) > 1 else ())
    for expected, blocks, wanted in sorted(_candidates(len(values), radius)):
        if expected >= best[0]:
            break  # these hashes agree at least as often as the random ones that this cost supposes
        family = make_tables(blocks, radius, wanted)
        share = _share_compared(values, family, radius if crowds_are_left else -1)
        best = min(best, (_cost(len(family), len(values), share), family))
    return best[1]


def _candidates(n: int, radius: int) -> Iterator[tuple[float, int, int]]:
    """Yield (expected nanoseconds for random hashes, blocks, blocks of a table)."""
    if CELL_NS * n * n < 2 * PLAN_NS or radius > MAX_RADIUS:
        return
    for blocks in range(radius + 1, max(MIN_BLOCKS, radius + SPARE_BLOCKS) + 1):
        for wanted in range(1, blocks - radius + 1):
            bits = BITS * wanted / blocks
            if abs(bits - math.log2(n)) <= 7 and (size := _design(blocks, radius, wanted).size) < MAX_TABLES:
                yield _cost(size, n, 2**-bits), blocks, wanted


def _cost(tables: float, n: int, share: float) -> float:
    """Return the nanoseconds of a search whose tables leave a share of all pairs to be compared."""
    bucket = share * n
    return tables * (TABLE_NS + n * (ROW_NS + LAG_NS * (bucket + 3 * math.sqrt(bucket))))  # the largest take most lags


def _share_compared(values: Hashes, family: tuple[int, ...], radius: int) -> float:
    """Estimate which share of all pairs, those within ``radius`` apart, agrees on a table."""
    sample, tables = values[:: -(-len(values) // SAMPLE_ROWS)], family[:: -(-len(family) // SAMPLE_TABLES)]
    weight = 0.0
    for mask in tables:
        arranged = np.sort(_arrange(sample, _moves_to_top(mask)))
        xor = arranged[1:] ^ arranged[:-1]
        is_same = xor < 1 << (BITS - mask.bit_count())
        ends = np.flatnonzero(~np.append(is_same, False)) + 1
        sizes = np.diff(ends, prepend=0)
        # A bucket of s rows has s - 1 neighbours and s (s - 1) / 2 pairs: each neighbour stands for s / 2 of them.
        weight += np.repeat(sizes, sizes)[:-1][is_same & (np.bitwise_count(xor) > radius)].sum() / 2
    return weight / len(tables) / (len(sample) * (len(sample) - 1) / 2)


def make_tables(blocks: int, errors: int, wanted: int) -> tuple[int, ...]:
    """Return bit sets of which at least one is free of errors, whichever ``errors`` of the 64 bits are wrong.

    Args:
        blocks: Parts into which the bits are cut.
        errors: Bits that may be wrong, less than ``blocks``.
        wanted: Parts in each bit set, at most ``blocks - errors``.
    """
    edges = [BITS * block // blocks for block in range(blocks + 1)]
    parts = [(1 << high) - (1 << low) for low, high in itertools.pairwise(edges)]
    chosen = _choices(blocks, errors, wanted)
    return tuple(sum(part for block, part in enumerate(parts) if choice >> block & 1) for choice in chosen)


def _choices(blocks: int, errors: int, wanted: int) -> list[int]:
    if wanted == 0 or errors == 0:
        return [(1 << wanted) - 1]
    _, left, cases = _design(blocks, errors, wanted)
    return [
        low | high << left
        for fewest, most, wanted_left in cases
        for low in _choices(left, most, wanted_left)
        for high in _choices(blocks - left, errors - fewest, wanted - wanted_left)
    ]


class _Design(NamedTuple):
    size: float  # tables needed
    left: int = 0  # blocks of the left part
    cases: tuple[tuple[int, int, int], ...] = ()  # (fewest, most errors of the left part, blocks taken from it)


@functools.cache
def _design(blocks: int, errors: int, wanted: int) -> _Design:
    """Cut the blocks in two parts where that needs fewest tables.

    If the left part has ``fewest`` to ``most`` of the errors, the right one has at most ``errors - fewest``: this case
    is covered by each table for ``most`` errors on the left joined with each for ``errors - fewest`` on the right.
    """
    if wanted == 0 or wanted > blocks - errors or errors == 0:
        return _Design(1 if wanted <= blocks - errors or wanted == 0 else math.inf)
    cuts = (_split(blocks, errors, wanted, left) for left in range(1, blocks // 2 + 1))
    return min(cuts, key=lambda cut: cut.size)


def _split(blocks: int, errors: int, wanted: int, left: int) -> _Design:
    top = min(errors, left)
    best = [_Design(math.inf, left)] * (top + 1) + [_Design(0, left)]
    for fewest in range(top, -1, -1):
        for most in range(fewest, top + 1):
            for taken in range(max(0, wanted - blocks + left), min(wanted, left - most) + 1):
                right = _design(blocks - left, errors - fewest, wanted - taken).size
                size = _design(left, most, taken).size * right + best[most + 1].size
                if size < best[fewest].size:
                    best[fewest] = _Design(size, left, ((fewest, most, taken), *best[most + 1].cases))
    return best[0]
