"""Star clusters by cosine: every vector stays, or has the wanted cosine to one that stays.

As ``stars`` does it with hashes: vectors come in order of preference, each that nobody has claimed stays and claims
what is alike and still free. Never in chains, which the published script of SemDeDup makes: it drops what is alike to
an earlier vector also where that one was dropped itself.
"""

import numpy as np

from diptych.curate.duplicates.buckets import Rows
from diptych.curate.duplicates.cosines import Directions, Vectors, which_reach

STAYING = 256  # vectors that are compared with the others at a time
OTHERS = 1 << 14


def cosine_stars(vectors: Vectors, least: float) -> Rows:
    """Return for each vector, the most preferred first, the one that stands for it: int32 (N,), itself where it stays.

    >>> cosine_stars(np.array([[1.0, 0.0], [2.0, 0.1], [0.0, 1.0]]), 0.9)
    array([0, 0, 2], dtype=int32)

    Args:
        vectors: (N, D), each with a direction; of any float type.
        least: Least cosine, in (0, 1].
    """
    directions = Directions.of(vectors)
    stands = np.arange(len(vectors), dtype=np.int32)
    free = stands.copy()
    while len(free):
        block, free = free[:STAYING], free[STAYING:]
        staying = _settle(directions, block, least, stands)
        free = _claim(directions, staying, free, least, stands)
    return stands


def _settle(vectors: Directions, block: Rows, least: float, stands: Rows) -> Rows:
    """Let the vectors of a block, none of which is claimed yet, claim one another; return those that stay."""
    own = vectors.take(block)
    is_alike = which_reach(own, own, least)
    is_free = np.ones(len(block), bool)
    staying = []
    for place in range(len(block)):
        if not is_free[place]:
            continue
        claimed = is_alike[place] & is_free
        claimed[: place + 1] = False
        stands[block[claimed]] = block[place]
        is_free &= ~claimed
        staying.append(block[place])
    return np.array(staying, np.int32)


def _claim(vectors: Directions, staying: Rows, free: Rows, least: float, stands: Rows) -> Rows:
    """Let the first of those that stay claim each free vector that is alike; return what is still free."""
    own, left = vectors.take(staying), [free[:0]]
    for start in range(0, len(free), OTHERS):
        others = free[start : start + OTHERS]
        is_alike = which_reach(own, vectors.take(others), least)
        is_claimed = is_alike.any(axis=0)
        stands[others[is_claimed]] = staying[is_alike.argmax(axis=0)[is_claimed]]
        left.append(others[~is_claimed])
    return np.concatenate(left)
