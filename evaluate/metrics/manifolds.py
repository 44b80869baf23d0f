"""The manifold of a set of vectors: the union of balls as wide as the distance to the k-th nearest other vector.

What precision, recall, density and coverage are made of. Distances are those of float64, see ``near_pairs``; two that
differ by less than rounding are equal, so that neither copies of an image nor the order of the images make a
difference. Each set is dealt into groups by a hash of the unit, and every radius is known among the vectors of the
whole set and of balanced halves of its groups: what a share owes to the manifold's own sampling is told by those.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import linalg

from diptych.evaluate.metrics.contract import Influence
from diptych.evaluate.metrics.kept_vectors import KeptVectors, Texts, hashed_groups
from diptych.evaluate.metrics.near_pairs import (
    Floats,
    Index,
    NearPairs,
    blocks,
    measured,
    near_pairs,
    squared_distances,
    squared_lengths,
)
from diptych.evaluate.statistics.intervals import joint_df, mean_variance

GROUPS = 16
MIN_UNITS = 64  # for an error
WAITING = 48  # pairs for each vector that may be near, before those that are not are told

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
        groups: int64 (N,), ascending.
        order: int64 (N,), which row of the set each of them is.
    """

    vectors: npt.NDArray[np.float32]
    lengths: Floats
    units: Texts
    radii: Floats
    groups: Index
    order: Index


def manifold_of(kept: KeptVectors, neighbours: int) -> Manifold:
    """Return the balls around all vectors of a set.

    Args:
        kept: More than ``neighbours`` of them.
        neighbours: Which nearest other vector a ball reaches.
    """
    groups = hashed_groups(kept.units, GROUPS)
    order = np.argsort(groups, kind="stable")
    vectors = kept.matrix[order]
    lengths = squared_lengths(vectors)
    radii = squared_radii(vectors, lengths, groups[order], neighbours)
    return Manifold(vectors, lengths, kept.units[order], radii, groups[order], order)


def squared_radii(vectors: npt.NDArray[np.float32], lengths: Floats, groups: Index, neighbours: int) -> Floats:
    """Return the squared distance of each vector to its k-th nearest other one, in each part of the set.

    Args:
        vectors: float32 (N, D).
        lengths: float64 (N,), squared.
        groups: int64 (N,), ascending.
        neighbours: k.

    Returns:
        float64 (N, len(PARTS)): among the vectors of each part; -inf where the vector is not of it.
    """
    nearest = np.full((len(vectors), GROUPS, neighbours), np.inf)  # by the group of the neighbour, the last the largest
    for group in range(GROUPS):
        own = slice(*np.searchsorted(groups, [group, group + 1]).tolist())
        nearest[own, group] = _nearest_within(vectors[own], lengths[own], neighbours)
    _take_across(nearest, vectors, groups)
    return _radii(nearest, groups)


def added_by_groups(numbers: npt.NDArray[np.bool_] | Floats) -> tuple[Floats, Texts]:
    """Return what each group of a set adds to a mean that it decides, float64 (GROUPS,), and the groups' names.

    A mean that is one over the groups is known from the differences of its halves, as the signs are orthogonal; so are
    its variance, and that of a difference of two sets with the same groups.

    Args:
        numbers: (N, len(PARTS)): what the mean is of, by the whole set and by each half of it.
    """
    means = numbers[:, 1:].mean(axis=0).reshape(2, -1)
    added: Floats = SIGNS.T @ (means[0] - means[1]) / 2.0
    return added, np.arange(GROUPS).astype(str)


def variance_of(influence: Influence) -> tuple[float, float]:
    """Return the variance of a number that both sets add to, and its degrees of freedom."""
    left, left_df = mean_variance(influence.images, influence.units)
    right, right_df = mean_variance(influence.reference, influence.reference_units)
    return left + right, joint_df((left, right), (left_df, right_df))


def notes_of(statistics: KeptVectors, reference: KeptVectors) -> list[str]:
    """Return what there is to say of two sets whose manifolds are held against each other."""
    worth, notes = min(statistics.even_units, reference.even_units), []
    if worth < MIN_UNITS:
        few = f"{int(worth):,} prompts, or images that stand alone, are too few, {MIN_UNITS} are needed"
        notes.append(f"no interval: {few}")
    for kept, where in ((statistics, ""), (reference, " of the reference")):
        if copies := _copies(kept):
            notes.append(
                f"{copies:,} images{where} are copies of others of their prompt, so that the manifold is smaller"
            )
    return notes


def _copies(kept: KeptVectors) -> int:
    """Return how many images have the vector of another one of their unit, as where two prompt sets share an image."""
    _, unit = np.unique(kept.units, return_inverse=True)
    order = np.lexsort((kept.vector_hashes, unit))
    is_like_last = (np.diff(unit[order]) == 0) & (kept.vector_hashes[order][1:] == kept.vector_hashes[order][:-1])
    return int(is_like_last.sum())


def _nearest_within(vectors: npt.NDArray[np.float32], lengths: Floats, neighbours: int) -> Floats:
    """Return the squared distances of the nearest others of each of some vectors, float64 (N, k), the last the largest.

    Args:
        vectors: float32 (N, D).
        lengths: float64 (N,), squared.
        neighbours: k.
    """
    nearest = np.full((len(vectors), neighbours), np.inf)
    for rows in blocks(len(vectors)):
        near = vectors[rows].astype(np.float64)
        for columns in blocks(len(vectors), rows.start):
            squares = squared_distances(near, vectors[columns], lengths[rows], lengths[columns])
            if rows == columns:
                np.fill_diagonal(squares, np.inf)
            nearest[rows] = _smallest(np.concatenate([nearest[rows], squares], axis=1), neighbours)
            if rows != columns:
                nearest[columns] = _smallest(np.concatenate([nearest[columns], squares.T], axis=1), neighbours)
    return nearest


def _take_across(nearest: Floats, vectors: npt.NDArray[np.float32], groups: Index) -> None:
    """Put the nearest vectors of other groups beside those of the own one, in place, as far as a radius may need them.

    Args:
        nearest: float64 (N, GROUPS, k), squared.
        vectors: float32 (N, D).
        groups: int64 (N,), ascending.
    """
    # A part that holds a vector holds its group, so that no ball reaches farther than within the group. What is found
    # in float32 lowers that before anything is measured.
    bounds, most = nearest[np.arange(len(vectors)), groups, -1], nearest.copy()
    waiting: list[NearPairs] = []

    def settle() -> None:
        row, column, squares, error = (np.concatenate(each) for each in zip(*waiting, strict=True))
        waiting.clear()
        _take_nearest(most, row, groups[column], squares + error)
        np.minimum(bounds, _radii(most, groups).max(axis=1), out=bounds)
        near = squares - error <= bounds[row]
        row, column, squares, error = (each[near] for each in (row, column, squares, error))
        rough = error > 0.0
        squares[rough] = measured(vectors, vectors, row[rough], column[rough])
        _take_nearest(nearest, row, groups[column], squares)

    for pairs in near_pairs(vectors, vectors, bounds, bounds, is_within=True):
        for row, column in ((pairs.row, pairs.column), (pairs.column, pairs.row)):
            group = groups[column]
            wanted = (group != groups[row]) & (pairs.squares - pairs.error < most[row, group, -1])
            waiting.append(NearPairs(*(each[wanted] for each in (row, column, pairs.squares, pairs.error))))
        if sum(len(each.row) for each in waiting) > WAITING * len(vectors):
            settle()
    if waiting:
        settle()


def _take_nearest(nearest: Floats, which: Index, groups: Index, squares: Floats) -> None:
    """Put (P,) squared distances of vectors to one of a group each into (N, GROUPS, k), in place, where smaller."""
    cells, last = nearest.reshape(-1, nearest.shape[2]), nearest.shape[2]
    cell = which * GROUPS + groups
    is_nearer = squares < cells[cell, -1]
    cell, squares = cell[is_nearer], squares[is_nearer]
    order = np.lexsort((squares, cell))
    cell, squares = cell[order], squares[order]
    touched, starts, counts = np.unique(cell, return_index=True, return_counts=True)
    rank = np.arange(len(cell)) - np.repeat(starts, counts)
    kept = rank < last
    more = np.full((len(touched), last), np.inf)
    more[np.repeat(np.arange(len(touched)), counts)[kept], rank[kept]] = squares[kept]
    cells[touched] = _smallest(np.concatenate([cells[touched], more], axis=1), last)


def _smallest(squares: Floats, count: int) -> Floats:
    """Return the smallest of each row (N, M), float64 (N, count), the last the largest."""
    found: Floats = np.partition(squares, count - 1, axis=1)[:, :count]
    return found


def _radii(nearest: Floats, groups: Index) -> Floats:
    """Return the k-th smallest of (N, GROUPS, k) in each part, (N, len(PARTS)); -inf where a row is not of it."""
    return np.stack([np.where(part[groups], _kth(nearest[:, part]), -np.inf) for part in PARTS], axis=1)


def _kth(nearest: Floats) -> Floats:
    """Return the k-th smallest over groups of (N, groups, k) squares, (N,), not below 0."""
    flat, last = nearest.reshape(len(nearest), -1), nearest.shape[2]
    kth: Floats = np.partition(flat, last - 1, axis=1)[:, last - 1]
    return np.maximum(kth, 0.0)
