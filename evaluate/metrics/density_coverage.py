"""Density and coverage: fidelity and variety. A set metric, less moved by outliers than precision and recall.

Density is how many balls of the reference's manifold an image lies in, over k: above 1 where images sit where the
reference is dense. Coverage is the share of the reference's balls that hold an image. Source: Naeem et al. 2020 (arXiv
2002.09797), equations (4) and (5), with k = 5 and the rim left out, as their program ``prdc`` has it: a ball of which
the rim is all there is, around a vector that has k copies, holds nothing.

Both are what they are at these sizes: coverage grows with the number of images, also where the distributions are equal.
How likely an image is by the balls alone is its realism (Kynkäänniemi et al. 2019, equation (3)): the largest ratio of
a ball's radius to the image's distance from its centre, over the half of the balls that are narrower than the median.
It is a column of the images, since it is a matter of the reference and of one image.

What the reference's balls add to the error of density is known from halves of the reference, see ``manifolds``: in
simulation its intervals hold 93 to 97 %. Coverage has no interval: the jackknife over prompts holds 97 to 99 %, and
without what it counts twice 86 to 94 %.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.evaluate.metrics.contract import ImageNumbers, Influence, ReportedValue, Result, SetMetric, bare
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
from diptych.evaluate.metrics.near_pairs import TIE, near_pairs, settled, squared_lengths
from diptych.evaluate.metrics.realism import realism_of
from diptych.evaluate.statistics.intervals import interval

NAME = "density_coverage"
DENSITY, COVERAGE, REALISM = "density", "coverage", "realism"
VERSION = 1
NEIGHBOURS = 5
MIN_IMAGES = NEIGHBOURS + 1
CONVENTION = "k-nearest-neighbour balls of the reference, k = {}, rim excluded"
NO_ERROR = "no interval: none that was tried holds the truth as often as it says"
IN_REFERENCE = "in_reference"  # why an image has no realism: it lies on the centre of a ball


class BallStatistics(KeptVectors):
    """The vectors of a set of images; its manifold is computed once, where it is the reference."""

    @cached_property
    def manifold(self) -> Manifold:
        """The balls around all vectors."""
        return manifold_of(self, NEIGHBOURS)


class Reach(NamedTuple):
    """Which balls of a reference hold which images.

    Attributes:
        balls: int64 (N, len(PARTS)): how many hold each image, of the whole manifold and of that of each half.
        is_reached: bool (M,): whether a ball of the whole manifold holds an image.
    """

    balls: npt.NDArray[np.int64]
    is_reached: npt.NDArray[np.bool_]


def reach_of(images: KeptVectors, reference: BallStatistics) -> Reach:
    """Return which balls of a reference hold which images."""
    manifold, vectors = reference.manifold, images.matrix
    lengths = squared_lengths(vectors)
    balls = np.zeros((images.n, len(PARTS)), np.int64)
    is_reached = np.zeros(len(manifold.vectors), bool)
    of_none = np.full(images.n, -np.inf)
    for pairs in near_pairs(vectors, manifold.vectors, of_none, manifold.radii.max(axis=1)):
        row, column, radii = pairs.row, pairs.column, manifold.radii[pairs.column]
        squares = settled(pairs, vectors, manifold.vectors, radii)
        hits = (squares + TIE * (lengths[row] + manifold.lengths[column]))[:, np.newaxis] < radii
        starts = np.flatnonzero(np.diff(row, prepend=-1))
        balls[row[starts]] += np.add.reduceat(hits.astype(np.int64), starts, axis=0)
        is_reached[column[hits[:, 0]]] = True
    return Reach(balls, is_reached)


def results_of(statistics: BallStatistics, reference: BallStatistics, identity: Mapping[str, Any]) -> dict[str, Result]:
    """Return density and coverage with their errors, see ``SetMetric.results``; with few units there is no error."""
    identity = {"metric": NAME, "version": VERSION, "convention": CONVENTION.format(NEIGHBOURS), **identity}
    too_few = refused(statistics, reference, MIN_IMAGES, identity)
    if too_few is not None:
        return dict.fromkeys((DENSITY, COVERAGE), too_few)
    notes, reach = notes_of(statistics, reference), statistics.beside(reference, reach_of)
    copies = [note for note in notes if "no interval" not in note]
    coverage = bare(float(reach.is_reached.mean()), statistics.n, identity, "; ".join([NO_ERROR, *copies]))
    influence = _of_density(reach, statistics)
    value = float(reach.balls[:, 0].mean()) / NEIGHBOURS
    variance, df = variance_of(influence)
    if min(statistics.even_units, reference.even_units) < MIN_UNITS or not np.isfinite(
        interval(value, variance, df).low
    ):
        told = notes if any("no interval" in note for note in notes) else ["no interval: nothing varies", *notes]
        return {DENSITY: bare(value, statistics.n, identity, "; ".join(told)), COVERAGE: coverage}
    low, high = interval(value, variance, df)
    density = Result(value, variance**0.5, max(0.0, low), high, statistics.n, identity, None, "; ".join(notes))
    return {DENSITY: density, COVERAGE: coverage}


def influences_of(statistics: BallStatistics, reference: BallStatistics) -> dict[str, Influence]:
    """Return what images, and groups of those that make the balls, add to density, see ``SetMetric.influences``."""
    return {DENSITY: _of_density(statistics.beside(reference, reach_of), statistics)}


def image_numbers(statistics: BallStatistics, reference: BallStatistics) -> tuple[ImageNumbers, ...]:
    """Return the realism of each image, see ``SetMetric.of_images``."""
    if min(statistics.n, reference.n) < MIN_IMAGES:
        return ()
    found = realism_of(statistics, reference.manifold)
    what = "How likely an image is by the nearest images of the reference: above 1 inside their manifold"
    return (ImageNumbers(REALISM, what, np.where(np.isfinite(found), found, np.nan), IN_REFERENCE),)


DENSITY_COVERAGE = SetMetric(
    name=NAME,
    values=(
        ReportedValue(DENSITY, better="higher", low=0.0, size_bias="uncorrected"),
        ReportedValue(COVERAGE, better="higher", low=0.0, high=1.0, size_bias="uncorrected"),
    ),
    statistics=BallStatistics.of,
    results=results_of,
    influences=influences_of,
    of_images=image_numbers,
)


def _of_density(reach: Reach, images: BallStatistics) -> Influence:
    densities = reach.balls / NEIGHBOURS
    return Influence(densities[:, 0] - densities[:, 0].mean(), images.units, *added_by_groups(densities))
