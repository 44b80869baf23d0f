"""Sets of bits, the *tables*, of which at least one is free of errors, whichever few of 64 bits are wrong.

They are a covering design, made by the dynamic programme of Gordon, Kuperberg, Patashnik, "New constructions for
covering designs", 1995; taking all choices of blocks (Manku, Jain, Das Sarma, "Detecting near-duplicates for web
crawling", WWW 2007) is a special case. For eight errors it needs 73 tables of 16 bits, not 495 of 21 bits.

Decides nothing about how many tables of how many bits are worth their time.
"""

import functools
import itertools
import math
from typing import NamedTuple

BITS = 64


def make_tables(blocks: int, errors: int, wanted: int) -> tuple[int, ...]:
    """Return bit sets of which at least one is free of errors, whichever ``errors`` of the 64 bits are wrong.

    >>> [f"{table:016x}" for table in make_tables(2, 1, 1)]
    ['00000000ffffffff', 'ffffffff00000000']

    Args:
        blocks: Parts into which the bits are cut.
        errors: Bits that may be wrong, less than ``blocks``.
        wanted: Parts in each bit set, at most ``blocks - errors``.
    """
    edges = [BITS * block // blocks for block in range(blocks + 1)]
    parts = [(1 << high) - (1 << low) for low, high in itertools.pairwise(edges)]
    chosen = _choices(blocks, errors, wanted)
    return tuple(sum(part for block, part in enumerate(parts) if choice >> block & 1) for choice in chosen)


def count_tables(blocks: int, errors: int, wanted: int) -> float:
    """Return how many sets ``make_tables`` makes of the same arguments; infinity where there are none."""
    return _design(blocks, errors, wanted).size


def _choices(blocks: int, errors: int, wanted: int) -> list[int]:
    """Return the chosen blocks of each table, one bit per block."""
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
