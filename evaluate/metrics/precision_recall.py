"""Precision and recall: fidelity and variety. A set metric: shares of each set in the manifold of the other.

The manifold of a set is the union of balls around its vectors, each as wide as the distance to the k-th nearest other
vector of the set. Precision is the share of the images that lie in the manifold of the reference: are they like real
ones? Recall is the share of the reference that lies in the manifold of the images: is everything there that is real?
Source: Kynkäänniemi et al. 2019 (arXiv 1904.06991), equations (1) and (2), with k = 3 as there. A vector on the rim of
a ball is in it. Both depend on how many images there are, so they are what they are at these sizes.

Distances are computed block by block, so no N x M matrix is held, and in float64; two that differ by less than rounding
are equal, so that neither copies of an image nor the order of the images make a difference.

The error has two parts. A share of vectors is as uncertain as any, by their units. What the manifold adds is known from
its halves: the share that a half covers varies twice as much as that of the whole, and two halves are independent. Each
set is dealt into groups by a hash of the unit, and halves of groups are taken in a balanced way, see ``PARTS``. In
simulation the error is 0.85 to 1.3 times that of repeated sampling; leaving out one group at a time (the jackknife)
makes it half as large again, because balls overlap.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import linalg

from diptych.evaluate.metrics.contract import Influence, ReportedValue, Result, SetMetric
from diptych.evaluate.metrics.kept_vectors import KeptVectors, Texts, Vectors, hashed_groups, keep, refused
from diptych.evaluate.statistics.intervals import joint_df, mean_variance, share_interval

NAME = "precision_recall"
PRECISION, RECALL = "precision", "recall"
VERSION = 1
NEIGHBOURS = 3
MIN_IMAGES = NEIGHBOURS + 1
GROUPS = 16
MIN_UNITS = 64  # for an error
BLOCK_ROWS = 512
TIE = 1e-12  # squared distances that differ by less, as a share of the squared lengths, are equal

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# Which groups are in which part of a set: in the whole of it, and in each of 15 halves and in what that leaves. Any two
# halves share half of their groups (rows of a Hadamard matrix), so that the differences of halves are uncorrelated.
SIGNS = linalg.hadamard(GROUPS)[1:]
PARTS = np.concatenate([np.ones((1, GROUPS), bool), SIGNS > 0, SIGNS < 0])


class Manifold(NamedTuple):
    """The vectors of a set in the order of their groups, and how wide the ball around each is.

    Attributes:
        vectors: float32 (N, D).
        lengths: float64 (N,), squared.
        units: Text (N,).
        radii: float64 (N, len(PARTS)), squared, among the vectors of each part; -inf where the vector is not of it.
    """

    vectors: npt.NDArray[np.float32]
    lengths: Floats
    units: Texts
    radii: Floats


class NeighbourStatistics(KeptVectors):
    """The vectors of a set of images; its manifold is computed once."""

    @cached_property
    def manifold(self) -> Manifold:
        """The balls around all vectors."""
        groups = hashed_groups(self.units, GROUPS)
        order = np.argsort(groups, kind="stable")
        vectors = self.matrix[order]
        lengths = np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64)
        radii = squared_radii(vectors, lengths, groups[order])
        return Manifold(vectors, lengths, self.units[order], radii)


def squared_radii(vectors: npt.NDArray[np.float32], lengths: Floats, groups: npt.NDArray[np.int64]) -> Floats:
    """Return the squared distance of each vector to its k-th nearest other one, in each part of the set.

    Args:
        vectors: float32 (N, D).
        lengths: float64 (N,), squared.
        groups: int64 (N,), ascending.

    Returns:
        float64 (N, len(PARTS)): among the vectors of each part; -inf where the vector is not of it.
    """
    nearest = np.full((len(vectors), GROUPS, NEIGHBOURS), np.inf)  # by the group of the neighbour
    for rows in _blocks(len(vectors)):
        for columns in _blocks(len(vectors), rows.start):
            squares = _squares(vectors[rows], vectors[columns], lengths[rows], lengths[columns])
            if rows == columns:
                np.fill_diagonal(squares, np.inf)
            _take_nearest(nearest[rows], squares, groups[columns])
            if rows != columns:
                _take_nearest(nearest[columns], squares.T, groups[rows])
    return np.stack([np.where(part[groups], _kth(nearest[:, part]), -np.inf) for part in PARTS], axis=1)


def covered(left: Manifold, right: Manifold) -> tuple[Flags, Flags]:
    """Return which vectors of each set lie in the manifold of the other, bool (N, len(PARTS)) and (M, len(PARTS)).

    The first column is of the whole manifold, the others of that of each half.
    """
    of_left = np.zeros((len(left.vectors), len(PARTS)), bool)
    of_right = np.zeros((len(right.vectors), len(PARTS)), bool)
    for rows in _blocks(len(left.vectors)):
        for columns in _blocks(len(right.vectors)):
            lengths = (1.0 - TIE) * left.lengths[rows], (1.0 - TIE) * right.lengths[columns]
            squares = _squares(left.vectors[rows], right.vectors[columns], *lengths)
            _mark(of_left[rows], squares, right.radii[columns])
            _mark(of_right[columns], squares.T, left.radii[rows])
    return of_left, of_right


def statistics_of(vectors: Vectors, units: npt.ArrayLike) -> NeighbourStatistics:
    """See ``SetMetric.statistics``."""
    kept = keep(vectors, units)
    return NeighbourStatistics(kept.parts, kept.unit_parts)


def results_of(
    statistics: NeighbourStatistics, reference: NeighbourStatistics, identity: Mapping[str, Any]
) -> dict[str, Result]:
    """Return precision and recall with their errors, see ``SetMetric.results``; with few units there is no error."""
    convention = f"k-nearest-neighbour manifolds, k = {NEIGHBOURS}, rim included"
    identity = {"metric": NAME, "version": VERSION, "convention": convention, **identity}
    too_few = refused(statistics, reference, MIN_IMAGES, identity)
    if too_few is not None:
        return dict.fromkeys((PRECISION, RECALL), too_few)
    worth, notes = min(statistics.even_units, reference.even_units), []
    if worth < MIN_UNITS:
        few = f"{int(worth):,} prompts, or images that stand alone, are too few, {MIN_UNITS} are needed"
        notes.append(f"no interval: {few}")
    for kept, where in ((statistics, ""), (reference, " of the reference")):
        if copies := _copies(kept):
            notes.append(
                f"{copies:,} images{where} are copies of others of their prompt, so that the manifold is smaller"
            )
    results = {}
    for name, (value, influence) in _shares(statistics.manifold, reference.manifold).items():
        variance, df = _variance(influence) if worth >= MIN_UNITS else (float("nan"), float("nan"))
        ends = share_interval(value, variance, df, (worth, statistics.n if name == PRECISION else reference.n))
        results[name] = Result(value, variance**0.5, *ends, statistics.n, identity, None, "; ".join(notes))
    return results


def influences_of(statistics: NeighbourStatistics, reference: NeighbourStatistics) -> dict[str, Influence]:
    """Return what images, and groups of those that make a manifold, add to both, see ``SetMetric.influences``."""
    return {name: influence for name, (_, influence) in _shares(statistics.manifold, reference.manifold).items()}


PRECISION_RECALL = SetMetric(
    name=NAME,
    values=tuple(
        ReportedValue(name, better="higher", low=0.0, high=1.0, size_bias="uncorrected") for name in (PRECISION, RECALL)
    ),
    statistics=statistics_of,
    results=results_of,
    influences=influences_of,
)


def _shares(left: Manifold, right: Manifold) -> dict[str, tuple[float, Influence]]:
    """Return precision and recall, each with what the images of both sets add to it."""
    of_left, of_right = covered(left, right)
    inside, found = of_left[:, 0].astype(np.float64), of_right[:, 0].astype(np.float64)
    precision, recall = float(inside.mean()), float(found.mean())
    return {
        PRECISION: (precision, Influence(inside - precision, left.units, *_of_groups(of_left))),
        RECALL: (recall, Influence(*_of_groups(of_right), found - recall, right.units)),
    }


def _copies(kept: KeptVectors) -> int:
    """Return how many images have the vector of another one of their unit, as where two prompt sets share an image."""
    _, unit = np.unique(kept.units, return_inverse=True)
    rows = np.column_stack([unit.astype(np.float32), kept.matrix])
    return kept.n - len(np.unique(rows.view(np.dtype((np.void, rows.strides[0])))))


def _of_groups(flags: Flags) -> tuple[Floats, Texts]:
    """Return what each group of a manifold adds to the share that it covers, float64 (GROUPS,), and the groups' names.

    A share that is a mean over the groups is known from the differences of its halves, as the signs are orthogonal; so
    are its variance, and that of a difference of two sets with the same groups.
    """
    shares = flags[:, 1:].mean(axis=0).reshape(2, -1)
    added: Floats = SIGNS.T @ (shares[0] - shares[1]) / 2.0
    return added, np.arange(GROUPS).astype(str)


def _variance(influence: Influence) -> tuple[float, float]:
    """Return the variance of a share and its degrees of freedom."""
    left, left_df = mean_variance(influence.images, influence.units)
    right, right_df = mean_variance(influence.reference, influence.reference_units)
    return left + right, joint_df((left, right), (left_df, right_df))


def _blocks(count: int, start: int = 0) -> Iterator[slice]:
    for first in range(start, count, BLOCK_ROWS):
        yield slice(first, min(first + BLOCK_ROWS, count))


def _squares(x: npt.NDArray[np.float32], y: npt.NDArray[np.float32], x_lengths: Floats, y_lengths: Floats) -> Floats:
    """Return squared distances, float64 (N, M); those of equal vectors are 0 but for rounding."""
    squares: Floats = x.astype(np.float64) @ y.astype(np.float64).T
    squares *= -2.0
    squares += x_lengths[:, np.newaxis]
    squares += y_lengths
    return squares


def _take_nearest(nearest: Floats, squares: Floats, groups: npt.NDArray[np.int64]) -> None:
    """Put the smallest of (N, M) squares by the group of the columns into (N, GROUPS, NEIGHBOURS), in place."""
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    for group, part in zip(groups[starts], np.split(squares, starts[1:], axis=1), strict=True):
        both = np.concatenate([nearest[:, group], part], axis=1)
        nearest[:, group] = np.partition(both, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]


def _kth(nearest: Floats) -> Floats:
    """Return the k-th smallest over groups of (N, groups, NEIGHBOURS) squares, (N,), not below 0."""
    flat = nearest.reshape(len(nearest), -1)
    kth: Floats = np.partition(flat, NEIGHBOURS - 1, axis=1)[:, NEIGHBOURS - 1]
    return np.maximum(kth, 0.0)


def _mark(flags: Flags, squares: Floats, radii: Floats) -> None:
    """Mark which of N vectors lie in one of M balls, for each column of their radii, in place.

    Args:
        flags: bool (N, len(PARTS)).
        squares: (N, M), squared distances less what rounding may add.
        radii: (M, len(PARTS)), squared.
    """
    row, column = np.nonzero(squares <= radii.max(axis=1))
    if len(row):
        hits = squares[row, column][:, np.newaxis] <= radii[column]
        starts = np.flatnonzero(np.diff(row, prepend=-1))
        flags[row[starts]] |= np.logical_or.reduceat(hits, starts, axis=0)
