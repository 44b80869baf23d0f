"""The manifold of a set of vectors: the union of balls as wide as the distance to the k-th nearest other vector.

What precision, recall, density and coverage are made of. Distances are computed block by block, so no N x M matrix is
held, and in float64; two that differ by less than rounding are equal, so that neither copies of an image nor the order
of the images make a difference. Each set is dealt into groups by a hash of the unit, and every radius is known among
the vectors of the whole set and of balanced halves of its groups: what a share owes to the manifold's own sampling is
told by those.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import linalg

from diptych.evaluate.metrics.contract import Influence
from diptych.evaluate.metrics.kept_vectors import KeptVectors, Texts, hashed_groups
from diptych.evaluate.statistics.intervals import joint_df, mean_variance

GROUPS = 16
MIN_UNITS = 64  # for an error
BLOCK_ROWS = 512
TIE = 1e-12  # squared distances that differ by less, as a share of the squared lengths, are equal

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

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
    nearest = np.full((len(vectors), GROUPS, neighbours), np.inf)  # by the group of the neighbour
    for rows in blocks(len(vectors)):
        near = vectors[rows].astype(np.float64)
        for columns in blocks(len(vectors), rows.start):
            squares = squared_distances(near, vectors[columns], lengths[rows], lengths[columns])
            if rows == columns:
                np.fill_diagonal(squares, np.inf)
            _take_nearest(nearest[rows], squares, groups[columns])
            if rows != columns:
                _take_nearest(nearest[columns], squares.T, groups[rows])
    return np.stack([np.where(part[groups], _kth(nearest[:, part]), -np.inf) for part in PARTS], axis=1)


def squared_lengths(vectors: npt.NDArray[np.float32]) -> Floats:
    """Return float64 (N,) of vectors (N, D)."""
    found: Floats = np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64)
    return found


def squared_distances(
    x: npt.NDArray[np.floating[Any]], y: npt.NDArray[np.floating[Any]], x_lengths: Floats, y_lengths: Floats
) -> Floats:
    """Return squared distances, float64 (N, M), in float64; those of equal vectors are 0 but for rounding."""
    squares: Floats = x.astype(np.float64, copy=False) @ y.astype(np.float64, copy=False).T
    squares *= -2.0
    squares += x_lengths[:, np.newaxis]
    squares += y_lengths
    return squares


def blocks(count: int, start: int = 0) -> Iterator[slice]:
    """Yield slices of at most ``BLOCK_ROWS`` from a start to a count."""
    for first in range(start, count, BLOCK_ROWS):
        yield slice(first, min(first + BLOCK_ROWS, count))


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


def _take_nearest(nearest: Floats, squares: Floats, groups: Index) -> None:
    """Put the smallest of (N, M) squares by the group of the columns into (N, GROUPS, k), in place."""
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    last = nearest.shape[2]
    for group, part in zip(groups[starts], np.split(squares, starts[1:], axis=1), strict=True):
        both = np.concatenate([nearest[:, group], part], axis=1)
        nearest[:, group] = np.partition(both, last - 1, axis=1)[:, :last]


def _kth(nearest: Floats) -> Floats:
    """Return the k-th smallest over groups of (N, groups, k) squares, (N,), not below 0."""
    flat, last = nearest.reshape(len(nearest), -1), nearest.shape[2]
    kth: Floats = np.partition(flat, last - 1, axis=1)[:, last - 1]
    return np.maximum(kth, 0.0)
