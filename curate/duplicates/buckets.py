"""Comparing hashes that agree on the bits of a table, a *bucket*, by XOR and population count.

With the bits of the table on top, sorted hashes have each bucket in one piece: neighbours in the sorted array are
compared, then those two apart, and so on until no bucket reaches so far. A crowd, a bucket far larger than those of
random hashes, is taken out; it is compared as a square, all rows with all. Everything is done in parts that stay in a
core's second-level cache. Decides neither which tables there are nor which pairs an earlier one has found.
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.curate.duplicates.bit_tables import BITS

CHUNK = 1 << 16  # rows worked on at a time
CROWD_ROWS = 128  # a bucket of more rows, and of CROWD_RATIO times as many as in random hashes, is a crowd
CROWD_RATIO = 4
TILE_ROWS = 64  # of a square compared at a time
TILE_COLUMNS = 1024
STRIPE_CELLS = 1 << 21  # of a square, for one task: bounds the pairs it can return
BLOCK_PAIRS = 1 << 18  # pairs gathered before somebody looks at them
FEW = 16  # once one row in so many still has a partner in its bucket, gathering those beats passing over all rows

Hashes = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.integer]
Rows = npt.NDArray[np.int32]
Near = tuple[Positions, ...]  # left, right
Moves = list[tuple[int, int]]  # (shift, to the right if negative; the bits that it moves)
Stripe = tuple[range, range]  # first rows and first columns of the tiles of a part of a square


class Buckets(NamedTuple):
    """Arranged hashes, sorted: those outside crowds, and each crowd."""

    others: Hashes
    crowds: list[Hashes]


def moves_to_top(mask: int) -> Moves:
    """Return the shifts that bring the bits of a mask to the top, in their order, and the others below."""
    moves: dict[int, int] = {}
    for place, bit in enumerate(sorted(range(BITS), key=lambda bit: mask >> bit & 1)):
        moves[place - bit] = moves.get(place - bit, 0) | 1 << bit
    return list(moves.items())


def moves_back(moves: Moves) -> Moves:
    """Return the shifts that undo others."""
    return [(-shift, bits << shift if shift >= 0 else bits >> -shift) for shift, bits in moves]


def arrange(values: Hashes, moves: Moves) -> Hashes:
    """Return the hashes with their bits moved: uint64 (N,)."""
    arranged, part = np.zeros_like(values), np.empty(min(len(values), CHUNK), dtype=np.uint64)
    for start in range(0, len(values), CHUNK):
        target = arranged[start : start + CHUNK]
        moved = part[: len(target)]
        for shift, mask in moves:
            np.bitwise_and(values[start : start + CHUNK], np.uint64(mask), out=moved)
            (np.left_shift if shift >= 0 else np.right_shift)(moved, np.uint64(abs(shift)), out=moved)
            np.bitwise_or(target, moved, out=target)
    return arranged


def take_crowds_out(arranged: Hashes, bits: int, rows: int | None = None) -> Buckets:
    """Part the crowds from the rest of sorted hashes that agree on a table if their top bits do; reuses their memory.

    Args:
        arranged: uint64 (N,), sorted; not to be used again.
        bits: Bits of the table.
        rows: Hashes in all, of which these are a part; None where they are all.
    """
    every = len(arranged) if rows is None else rows
    most, below = max(CROWD_ROWS, CROWD_RATIO * every >> bits), np.uint64((1 << (BITS - bits)) - 1)
    parts = [np.empty(0, dtype=np.uint64)]
    for start in range(0, len(arranged) - most, CHUNK):
        lower = arranged[start : min(start + CHUNK, len(arranged) - most)]
        is_crowded = (lower ^ arranged[start + most : start + most + len(lower)]) <= below
        parts.append(np.unique(lower[is_crowded] & ~below))
    lowest = np.unique(np.concatenate(parts))
    starts = np.searchsorted(arranged, lowest).tolist()
    stops = np.searchsorted(arranged, lowest | below, side="right").tolist()
    crowds = [arranged[start:stop].copy() for start, stop in zip(starts, stops, strict=True)]
    return Buckets(_without(arranged, starts, stops), crowds)


def near_in_buckets(ordered: Hashes, bits: int, radius: int) -> Iterator[Near]:
    """Yield the positions of all near pairs of sorted hashes that agree on their top bits, and of some others."""
    starts = range(0, len(ordered), CHUNK)
    return gather(itertools.chain.from_iterable(_lags(ordered, start, 1 << (BITS - bits), radius) for start in starts))


def stripes(rows: int) -> Iterator[Stripe]:
    """Yield parts of about as many cells each of the square of all rows with all rows, from its diagonal on."""
    height = TILE_ROWS * max(1, STRIPE_CELLS // (TILE_ROWS * rows))
    width = STRIPE_CELLS // TILE_ROWS
    for top in range(0, rows, height):
        for first in range(top, rows, width):
            yield range(top, min(top + height, rows), TILE_ROWS), range(first, min(first + width, rows), TILE_COLUMNS)


def near_in_stripe(values: Hashes, radius: int, stripe: Stripe) -> list[Near]:
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


def gather(nears: Iterable[Near]) -> Iterator[Near]:
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


def _without(arranged: Hashes, starts: list[int], stops: list[int]) -> Hashes:
    """Return the hashes outside the pieces, moved together in their own memory."""
    if not starts:
        return arranged
    end = starts[0]
    for stop, start in zip(stops, [*starts[1:], len(arranged)], strict=True):
        for at in range(stop, start, CHUNK):
            part = arranged[at : min(at + CHUNK, start)]
            arranged[end : end + len(part)] = part
            end += len(part)
    return arranged[:end]


def _lags(arranged: Hashes, start: int, limit: int, radius: int) -> Iterator[Near]:
    """Yield near pairs that begin in a chunk, all those of one bucket, lag by lag until no bucket reaches so far.

    The XOR of two hashes that agree on the table is below the limit.
    """
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
