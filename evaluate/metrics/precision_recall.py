"""Precision and recall: fidelity and variety. A set metric: shares of each set in the manifold of the other.

The manifold of a set is the union of balls around its vectors, each as wide as the distance to the k-th nearest other
vector of the set. Precision is the share of the images that lie in the manifold of the reference: are they like real
ones? Recall is the share of the reference that lies in the manifold of the images: is everything there that is real?
Source: Kynkäänniemi et al. 2019 (arXiv 1904.06991), equations (1) and (2), with k = 3 as there. A vector on the rim of
a ball is in it. Both depend on how many images there are, so they are what they are at these sizes.

The error has two parts. A share of vectors is as uncertain as any, by their units. What the manifold adds is known from
its halves: the share that a half covers varies twice as much as that of the whole, and two halves are independent. Each
set is dealt into groups by a hash of the unit, and halves of groups are taken in a balanced way, see ``manifolds``. In
simulation the error is 0.85 to 1.3 times that of repeated sampling; leaving out one group at a time (the jackknife)
makes it half as large again, because balls overlap.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.evaluate.metrics.contract import Influence, ReportedValue, Result, SetMetric
from diptych.evaluate.metrics.kept_vectors import KeptVectors, refused
from diptych.evaluate.metrics.manifolds import (
    MIN_UNITS,
    PARTS,
    Manifold,
    added_by_groups,
    manifold_of,
    notes_of,
    variance_of,
)
from diptych.evaluate.metrics.near_pairs import TIE, Floats, Index, near_pairs, settled
from diptych.evaluate.statistics.intervals import share_interval

NAME = "precision_recall"
PRECISION, RECALL = "precision", "recall"
VERSION = 1
NEIGHBOURS = 3
MIN_IMAGES = NEIGHBOURS + 1

Flags = npt.NDArray[np.bool_]


class NeighbourStatistics(KeptVectors):
    """The vectors of a set of images; its manifold is computed once."""

    @cached_property
    def manifold(self) -> Manifold:
        """The balls around all vectors."""
        return manifold_of(self, NEIGHBOURS)


def covered(left: Manifold, right: Manifold) -> tuple[Flags, Flags]:
    """Return which vectors of each set lie in the manifold of the other, bool (N, len(PARTS)) and (M, len(PARTS)).

    The first column is of the whole manifold, the others of that of each half.
    """
    of_left = np.zeros((len(left.vectors), len(PARTS)), bool)
    of_right = np.zeros((len(right.vectors), len(PARTS)), bool)
    bounds = left.radii.max(axis=1), right.radii.max(axis=1)
    for pairs in near_pairs(left.vectors, right.vectors, *bounds):
        row, column = pairs.row, pairs.column
        radii = left.radii[row], right.radii[column]
        squares = settled(pairs, left.vectors, right.vectors, np.concatenate(radii, axis=1))
        squares -= TIE * (left.lengths[row] + right.lengths[column])
        _mark(of_left, row, squares, radii[1])
        order = np.argsort(column, kind="stable")
        _mark(of_right, column[order], squares[order], radii[0][order])
    return of_left, of_right


def results_of(
    statistics: NeighbourStatistics, reference: NeighbourStatistics, identity: Mapping[str, Any]
) -> dict[str, Result]:
    """Return precision and recall with their errors, see ``SetMetric.results``; with few units there is no error."""
    convention = f"k-nearest-neighbour manifolds, k = {NEIGHBOURS}, rim included"
    identity = {"metric": NAME, "version": VERSION, "convention": convention, **identity}
    too_few = refused(statistics, reference, MIN_IMAGES, identity)
    if too_few is not None:
        return dict.fromkeys((PRECISION, RECALL), too_few)
    worth, notes = min(statistics.even_units, reference.even_units), notes_of(statistics, reference)
    results = {}
    for name, (value, influence) in statistics.beside(reference, _shares).items():
        variance, df = variance_of(influence) if worth >= MIN_UNITS else (float("nan"), float("nan"))
        ends = share_interval(value, variance, df, (worth, statistics.n if name == PRECISION else reference.n))
        results[name] = Result(value, variance**0.5, *ends, statistics.n, identity, None, "; ".join(notes))
    return results


def influences_of(statistics: NeighbourStatistics, reference: NeighbourStatistics) -> dict[str, Influence]:
    """Return what images, and groups of those that make a manifold, add to both, see ``SetMetric.influences``."""
    return {name: influence for name, (_, influence) in statistics.beside(reference, _shares).items()}


PRECISION_RECALL = SetMetric(
    name=NAME,
    values=tuple(
        ReportedValue(name, better="higher", low=0.0, high=1.0, size_bias="uncorrected") for name in (PRECISION, RECALL)
    ),
    statistics=NeighbourStatistics.of,
    results=results_of,
    influences=influences_of,
)


def _shares(images: NeighbourStatistics, reference: NeighbourStatistics) -> dict[str, tuple[float, Influence]]:
    """Return precision and recall, each with what the images of both sets add to it."""
    left, right = images.manifold, reference.manifold
    of_left, of_right = covered(left, right)
    inside, found = of_left[:, 0].astype(np.float64), of_right[:, 0].astype(np.float64)
    precision, recall = float(inside.mean()), float(found.mean())
    return {
        PRECISION: (precision, Influence(inside - precision, left.units, *added_by_groups(of_left))),
        RECALL: (recall, Influence(*added_by_groups(of_right), found - recall, right.units)),
    }


def _mark(flags: Flags, which: Index, squares: Floats, radii: Floats) -> None:
    """Mark which of N vectors lie in a ball, for each column of the radii, in place.

    Args:
        flags: bool (N, len(PARTS)).
        which: int64 (P,), ascending: which vector is of a pair with a ball.
        squares: float64 (P,), the squared distance of the two less what rounding may add.
        radii: float64 (P, len(PARTS)), of the ball, squared.
    """
    starts = np.flatnonzero(np.diff(which, prepend=-1))
    flags[which[starts]] |= np.logical_or.reduceat(squares[:, np.newaxis] <= radii, starts, axis=0)
