"""With which tables a search for near hashes is expected to be fastest, from their number, the radius and a sample.

The cost model's constants are measured; a wrong one costs time and changes no pair.
"""

import math
from collections.abc import Iterator

import numpy as np

from diptych.curate.duplicates.bit_tables import BITS, count_tables, make_tables
from diptych.curate.duplicates.buckets import Hashes, arrange, moves_to_top

# Nanoseconds measured on one core of a Xeon with AVX-512 and numpy 2.4. Only their ratios matter.
TABLE_NS = 150_000.0  # calls whose number does not depend on the rows
ROW_NS = 10.0  # to arrange and sort a row and to find the end of its bucket
LAG_NS = 0.85  # to compare a row with one neighbour
PLAN_NS = 20e6  # to plan tables for the first time
CELL_NS = 0.75  # to compare two rows where all are compared with all

# Beyond these, tables do not pay or take long to plan.
MIN_BLOCKS = 16
SPARE_BLOCKS = 8
MAX_TABLES = 2048
MAX_RADIUS = 16

SAMPLE_ROWS = 1 << 13
SAMPLE_TABLES = 4


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
            if abs(bits - math.log2(n)) <= 7 and (tables := count_tables(blocks, radius, wanted)) < MAX_TABLES:
                yield _cost(tables, n, 2**-bits), blocks, wanted


def _cost(tables: float, n: int, share: float) -> float:
    """Return the nanoseconds of a search whose tables leave a share of all pairs to be compared."""
    bucket = share * n
    return tables * (TABLE_NS + n * (ROW_NS + LAG_NS * (bucket + 3 * math.sqrt(bucket))))  # the largest take most lags


def _share_compared(values: Hashes, family: tuple[int, ...], radius: int) -> float:
    """Estimate which share of all pairs, those within ``radius`` apart, agrees on a table."""
    sample, tables = values[:: -(-len(values) // SAMPLE_ROWS)], family[:: -(-len(family) // SAMPLE_TABLES)]
    weight = 0.0
    for mask in tables:
        arranged = np.sort(arrange(sample, moves_to_top(mask)))
        xor = arranged[1:] ^ arranged[:-1]
        is_same = xor < 1 << (BITS - mask.bit_count())
        ends = np.flatnonzero(~np.append(is_same, False)) + 1
        sizes = np.diff(ends, prepend=0)
        # A bucket of s rows has s - 1 neighbours and s (s - 1) / 2 pairs: each neighbour stands for s / 2 of them.
        weight += np.repeat(sizes, sizes)[:-1][is_same & (np.bitwise_count(xor) > radius)].sum() / 2
    return weight / len(tables) / (len(sample) * (len(sample) - 1) / 2)
