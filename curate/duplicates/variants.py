"""Star clusters of pictures with several hashes each, their links confirmed by who knows more than a hash.

A picture has its own hash and may have those of its variants: mirrored, or its middle without a margin. Two pictures
are candidates if the own hash of one is within the radius of the own hash, or of a variant's, of the other. Rows are
taken in order of preference, as in ``clusters``: each one that nobody has claimed claims its unclaimed candidates that
are confirmed. So a row goes only if the row that stays in its place is a confirmed candidate of itself.

Memory is bounded as in ``clusters``: near pairs of values up to a limit, and crowds hold none. Without variants and
without confirmation the result is that of ``clusters.star_clusters``, which is several times as fast.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from diptych.curate.duplicates.hamming import MAX_ROWS, Hashes, Progress, check_hashes
from diptych.curate.duplicates.stars import Crowds, collect_pairs, group_equal

Mask = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
Confirm = Callable[[int, Integers], Mask]  # a row that stays, and the rows that it may claim -> those that it claims
MakeConfirm = Callable[[Integers], Confirm]  # from the rows that will be asked about, ascending

REPORT_ROWS = 10_000  # rows between two calls of progress
COMPACT = 0.8  # a crowd is rewritten once less than this share of it is left
MANY, NONE = -1, -2  # rows of a value: more than one, or none


def confirmed_stars(
    hashes: Hashes,
    has_hash: Mask,
    radius: int,
    *,
    order: Integers,
    make_confirm: MakeConfirm | None = None,
    progress: Progress | None = None,
) -> Integers:
    """Return for every row the row that represents it: int64 (N,), itself where it is one.

    >>> own, mirrored = [0b0001, 0b1000], [0b1000, 0b0001]
    >>> confirmed_stars(np.array([own, mirrored], np.uint64), np.ones((2, 2), bool), 0, order=np.array([0, 1]))
    array([0, 0])

    Args:
        hashes: uint64 (V, N): the rows' own hashes, then those of each variant.
        has_hash: bool (V, N): where there is one. A row without a hash of its own takes no part.
        radius: Largest Hamming distance, in [0, 64] bits.
        order: int64 (N,): all rows, the most preferred first.
        make_confirm: Given all rows that have candidates, returns what confirms links; None confirms all.
        progress: Called with (parts done, parts in all).
    """
    rows = hashes.shape[1]
    representative = np.arange(rows, dtype=np.int64)
    points = _points(hashes, has_hash)
    check_hashes(points.hashes, radius)
    values, _, group = group_equal(points.hashes)
    crowds = Crowds(values, radius)
    near = _Near(points, values, group, collect_pairs(crowds, None, progress), crowds, radius)
    asked = near.rows_with_candidates()
    if not len(asked):
        return representative
    confirm = make_confirm(asked) if make_confirm is not None else None
    is_asked = np.zeros(rows, bool)
    is_asked[asked] = True
    is_taken = np.zeros(rows, bool)
    turns = order[is_asked[order]].tolist()
    for done, row in enumerate(turns):
        if progress is not None and done % REPORT_ROWS == 0:
            progress(done, len(turns))
        if is_taken[row]:
            continue
        is_taken[row] = True
        others = near.candidates(row, is_taken)
        if len(others) and confirm is not None:
            others = others[confirm(row, others)]
        representative[others] = row
        is_taken[others] = True
    return representative


@dataclass(frozen=True)
class _Points:
    """All hashes, row after row: uint64 (P,), whose they are, int64 (P,), and whether they are a row's own."""

    hashes: Hashes
    row: Integers
    is_own: Mask


def _points(hashes: Hashes, has_hash: Mask) -> _Points:
    is_there = (has_hash & has_hash[0]).T
    row, variant = np.nonzero(is_there)
    return _Points(np.ascontiguousarray(hashes.T[is_there]), row, variant == 0)


class _Lists:
    """Lists of numbers by key, in one array."""

    def __init__(self, keys: Integers, numbers: Integers, count: int) -> None:
        order = np.argsort(keys, kind="stable")
        self._numbers = numbers[order]
        self._starts = np.searchsorted(keys[order], np.arange(count + 1))

    def __getitem__(self, key: int) -> Integers:
        return self._numbers[self._starts[key] : self._starts[key + 1]]


class _Crowd:
    """Points that are near one another in large part; it shrinks as rows are taken."""

    def __init__(self, points: _Points, members: Integers) -> None:
        self._hashes, self._row, self._is_own = points.hashes[members], points.row[members], points.is_own[members]

    def near(self, value: np.uint64, radius: int, is_taken: Mask, *, own_only: bool) -> Integers:
        """Return the rows not taken that have a hash, or a hash of their own, within the radius: int64."""
        is_left = ~is_taken[self._row]
        if np.count_nonzero(is_left) < COMPACT * len(is_left):
            self._hashes, self._row, self._is_own = self._hashes[is_left], self._row[is_left], self._is_own[is_left]
            is_left = is_left[is_left]
        is_near = is_left & (np.bitwise_count(self._hashes ^ value) <= radius)
        near: Integers = self._row[is_near & self._is_own if own_only else is_near]
        return near


class _Near:
    """Which rows are candidates of a row."""

    def __init__(
        self,
        points: _Points,
        values: Hashes,
        group: npt.NDArray[np.int32],
        pairs: npt.NDArray[np.uint64],
        crowds: Crowds,
        radius: int,
    ) -> None:
        self._points, self._values, self._radius, self._group = points, values, radius, group.astype(np.int64)
        count = len(values)
        self._all_rows = _Lists(self._group, points.row, count)
        own = points.is_own
        self._own_rows = _Lists(self._group[own], points.row[own], count)
        self._values_of = _Lists(points.row, np.arange(len(points.row)), int(points.row.max(initial=-1)) + 1)
        self._only_row = _only_rows(self._group, points.row, count)
        self._has_own = np.zeros(count, bool)
        self._has_own[self._group[own]] = True
        left, right = (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(MAX_ROWS)).astype(np.int64)
        # Variants of one row are near one another, and variants of two rows make no candidates.
        differ = (self._only_row[left] == MANY) | (self._only_row[left] != self._only_row[right])
        useful = differ & (self._has_own[left] | self._has_own[right])
        left, right = left[useful], right[useful]
        both = np.concatenate([left, right])
        self._neighbours = _Lists(both, np.concatenate([right, left]), count)
        self._crowd_of = np.full(count, -1, np.int64)
        for number, members in enumerate(crowds.members()):
            self._crowd_of[members] = number
        self._crowds = [_Crowd(points, np.flatnonzero(of_point)) for of_point in self._points_by_crowd()]
        self._is_busy = (self._only_row == MANY) | (self._crowd_of >= 0)
        self._is_busy[both] = True

    def rows_with_candidates(self) -> Integers:
        """Return the rows that may have a candidate, ascending: int64."""
        return np.unique(self._points.row[self._is_busy[self._group]])

    def candidates(self, row: int, is_taken: Mask) -> Integers:
        """Return the rows that are candidates of a row and not taken yet, ascending: int64."""
        found = list(self._rows_near(row, is_taken))
        rows = np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)
        return rows[~is_taken[rows]]

    def _points_by_crowd(self) -> Iterator[Mask]:
        of_point = self._crowd_of[self._group]
        for number in range(int(self._crowd_of.max(initial=-1)) + 1):
            yield of_point == number

    def _rows_near(self, row: int, is_taken: Mask) -> Iterator[Integers]:
        for point in self._values_of[row].tolist():
            value = int(self._group[point])
            if not self._is_busy[value]:
                continue
            rows = self._all_rows if self._points.is_own[point] else self._own_rows
            yield rows[value]
            for other in self._neighbours[value].tolist():
                yield rows[other]
            if self._crowd_of[value] >= 0:
                crowd = self._crowds[self._crowd_of[value]]
                yield crowd.near(self._values[value], self._radius, is_taken, own_only=not self._points.is_own[point])


def _only_rows(group: Integers, row: Integers, count: int) -> Integers:
    """Return for each value the only row that has it, or MANY: int64 (U,)."""
    first = np.full(count, NONE, np.int64)
    first[group[::-1]] = row[::-1]
    is_other = row != first[group]
    first[group[is_other]] = MANY
    return first
