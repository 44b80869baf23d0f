"""Star clusters of pictures with several hashes each, their links confirmed by who knows more than a hash.

A picture has its own hash and may have those of its variants: mirrored, or its middle without a margin. Two pictures
are candidates if the own hash of one is within the radius of the own hash, or of a variant's, of the other. Rows are
taken in order of preference, as in ``stars``: each one that nobody has claimed claims its unclaimed candidates that
are confirmed. So a row goes only if the row that stays in its place is a confirmed candidate of itself.

Memory is bounded as in ``stars``: near pairs of values up to a limit, and crowds hold none. Without variants and
without confirmation the result is that of ``stars.star_clusters``, which is several times as fast.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from diptych.curate.duplicates.buckets import Hashes, Rows
from diptych.curate.duplicates.crowds import Crowds, Pairs, collect_pairs
from diptych.curate.duplicates.hamming import MAX_ROWS, Progress, check_hashes
from diptych.curate.duplicates.stars import group_equal

Mask = npt.NDArray[np.bool_]
Confirm = Callable[[int, Rows], Mask]  # a row that stays, and the rows that it may claim -> those that it claims
MakeConfirm = Callable[[Rows], Confirm]  # from the rows that will be asked about, ascending

REPORT_ROWS = 10_000  # rows between two calls of progress
COMPACT = 0.8  # a crowd is rewritten once less than this share of it is left
MANY, NONE = -1, -2  # rows of a value: more than one, or none


def confirmed_stars(
    hashes: Hashes,
    has_hash: Mask,
    radius: int,
    *,
    order: npt.NDArray[np.integer],
    make_confirm: MakeConfirm | None = None,
    progress: Progress | None = None,
) -> Rows:
    """Return for every row the row that represents it: int32 (N,), itself where it is one.

    >>> own, mirrored = [0b0001, 0b1000], [0b1000, 0b0001]
    >>> confirmed_stars(np.array([own, mirrored], np.uint64), np.ones((2, 2), bool), 0, order=np.array([0, 1]))
    array([0, 0], dtype=int32)

    Args:
        hashes: uint64 (V, N): the rows' own hashes, then those of each variant.
        has_hash: bool (V, N): where there is one. A row without a hash of its own takes no part.
        radius: Largest Hamming distance, in [0, 64] bits.
        order: Integers (N,): all rows, the most preferred first.
        make_confirm: Given all rows that have candidates, returns what confirms links; None confirms all.
        progress: Called with (parts done, parts in all).
    """
    near = _find_near(_points(hashes, has_hash), radius, progress)
    representative = np.arange(hashes.shape[1], dtype=np.int32)
    asked = near.rows_with_candidates()
    if not len(asked):
        return representative
    confirm = make_confirm(asked) if make_confirm is not None else None
    is_asked = np.zeros(len(representative), bool)
    is_asked[asked] = True
    turns = order[is_asked[order]]
    is_taken = np.zeros(len(representative), bool)
    for start in range(0, len(turns), REPORT_ROWS):
        if progress is not None:
            progress(start, len(turns))
        for row in turns[start : start + REPORT_ROWS].tolist():
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
    """Hashes, row after row: uint64 (P,), whose they are, int32 (P,), and whether they are a row's own."""

    hashes: Hashes
    row: Rows
    is_own: Mask

    def __getitem__(self, chosen: Mask | Rows) -> "_Points":
        return _Points(self.hashes[chosen], self.row[chosen], self.is_own[chosen])


def _points(hashes: Hashes, has_hash: Mask) -> _Points:
    is_there = (has_hash & has_hash[0]).T
    own = np.zeros_like(is_there)
    own[:, 0] = True
    row = np.repeat(np.arange(len(is_there), dtype=np.int32), is_there.sum(axis=1))
    return _Points(hashes.T[is_there], row, own[is_there])


class _Lists:
    """Lists of numbers by key, in one array."""

    def __init__(self, keys: Rows, numbers: Rows, count: int) -> None:
        self._numbers = numbers[np.argsort(keys, kind="stable")]
        self._starts = np.zeros(count + 1, np.int64)
        np.cumsum(np.bincount(keys, minlength=count), out=self._starts[1:])

    def __getitem__(self, key: int) -> Rows:
        return self._numbers[self._starts[key] : self._starts[key + 1]]


class _Crowd:
    """Points that are near one another in large part; it shrinks as rows are taken."""

    def __init__(self, points: _Points) -> None:
        self._points = points

    def near(self, value: np.uint64, radius: int, is_taken: Mask, *, own_only: bool) -> Rows:
        """Return the rows not taken that have a hash, or a hash of their own, within the radius: int32."""
        is_left = ~is_taken[self._points.row]
        if np.count_nonzero(is_left) < COMPACT * len(is_left):
            self._points = self._points[is_left]
            is_left = is_left[is_left]
        is_near = is_left & (np.bitwise_count(self._points.hashes ^ value) <= radius)
        near: Rows = self._points.row[is_near & self._points.is_own if own_only else is_near]
        return near


def _find_near(points: _Points, radius: int, progress: Progress | None) -> "_Near":
    """Search the distinct values of all points; what no row has a candidate by is left out from then on."""
    check_hashes(points.hashes, radius)
    values, _, group = group_equal(points.hashes)
    crowds = Crowds(values, radius)
    only_row = _only_rows(group, points.row, len(values))
    with collect_pairs(crowds, None, progress) as pairs:
        left, right = _useful(pairs.all(), only_row, group[points.is_own])
    crowd_of = np.full(len(values), -1, np.int32)
    for number, members in enumerate(crowds.members()):
        crowd_of[members] = number
    is_busy = (only_row == MANY) | (crowd_of >= 0)
    is_busy[left] = is_busy[right] = True
    number_of = np.cumsum(is_busy, dtype=np.int32) - 1
    is_kept = is_busy[group]
    found = _Values(values[is_busy], number_of[group[is_kept]], crowd_of[is_busy])
    return _Near(points[is_kept], found, (number_of[left], number_of[right]), radius)


@dataclass(frozen=True)
class _Values:
    """Distinct hashes, uint64 (B,), which of them each point has, int32 (P,), and their crowd, int32 (B,), or -1."""

    hashes: Hashes
    group: Rows
    crowd: Rows


class _Near:
    """Which rows are candidates of a row."""

    def __init__(self, points: _Points, values: _Values, pairs: tuple[Rows, Rows], radius: int) -> None:
        self._points, self._values, self._radius = points, values, radius
        count, own = len(values.hashes), points.is_own
        self._all_rows = _Lists(values.group, points.row, count)
        self._own_rows = _Lists(values.group[own], points.row[own], count)
        everything = np.arange(len(points.row), dtype=np.int32)
        self._points_of = _Lists(points.row, everything, int(points.row.max(initial=-1)) + 1)
        left, right = pairs
        self._neighbours = _Lists(np.concatenate([left, right]), np.concatenate([right, left]), count)
        in_crowd = np.flatnonzero(values.crowd[values.group] >= 0).astype(np.int32)
        by_crowd = _Lists(values.crowd[values.group[in_crowd]], in_crowd, int(values.crowd.max(initial=-1)) + 1)
        self._crowds = [_Crowd(points[by_crowd[crowd]]) for crowd in range(int(values.crowd.max(initial=-1)) + 1)]

    def rows_with_candidates(self) -> Rows:
        """Return the rows that may have a candidate, ascending: int32."""
        return np.unique(self._points.row)

    def candidates(self, row: int, is_taken: Mask) -> Rows:
        """Return the rows that are candidates of a row and not taken yet, ascending: int32."""
        rows: Rows = np.unique(np.concatenate(list(self._rows_near(row, is_taken))))
        return rows[~is_taken[rows]]

    def _rows_near(self, row: int, is_taken: Mask) -> Iterator[Rows]:
        for point in self._points_of[row].tolist():
            value, is_own = int(self._values.group[point]), bool(self._points.is_own[point])
            rows = self._all_rows if is_own else self._own_rows
            yield rows[value]
            for other in self._neighbours[value].tolist():
                yield rows[other]
            crowd = self._values.crowd[value]
            if crowd >= 0:
                hashed = self._values.hashes[value]
                yield self._crowds[crowd].near(hashed, self._radius, is_taken, own_only=not is_own)


def _useful(pairs: Pairs, only_row: Rows, own: Rows) -> tuple[Rows, Rows]:
    """Return the pairs of values that make candidates: variants of one row do not, nor do variants of two."""
    has_own = np.zeros(len(only_row), bool)
    has_own[own] = True
    left, right = (pairs >> np.uint64(32)).astype(np.int32), (pairs & np.uint64(MAX_ROWS)).astype(np.int32)
    differ = (only_row[left] == MANY) | (only_row[left] != only_row[right])
    is_useful = differ & (has_own[left] | has_own[right])
    return left[is_useful], right[is_useful]


def _only_rows(group: Rows, row: Rows, count: int) -> Rows:
    """Return for each value the only row that has it, or MANY: int32 (U,)."""
    first = np.full(count, NONE, np.int32)
    first[group[::-1]] = row[::-1]
    is_other = row != first[group]
    first[group[is_other]] = MANY
    return first
