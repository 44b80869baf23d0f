"""Fréchet distance extrapolated (FID infinity). A set metric: without its size bias, as published.

The distance of each of 15 subsets of the images to the reference, sizes evenly from a tenth of them (at most 5,000) to
all, is fitted by a line in 1 / n, and the line read at 0. Source: Chong and Forsyth 2020 (arXiv 1911.07023), section 4,
as dgm-eval computes it. It is for papers that compare with such a number: the bias of the reference's side stays in it,
and it is noisy, since the line is read far from where its points are. ``corrected_frechet_distance`` corrects both
sides and has an interval.

Subsets are drawn with a seed from the images in the order of a hash of their vectors; other programs draw without one.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.evaluate.metrics.contract import ReportedValue, Result, SetMetric, bare, missing
from diptych.evaluate.metrics.frechet import MIN_IMAGES, frechet_distance
from diptych.evaluate.metrics.frechet_names import fid_name
from diptych.evaluate.metrics.kept_vectors import KeptVectors, check_dims, not_of_dependent
from diptych.evaluate.statistics.moments import Moments, moments

NAME = "frechet_infinity"
VERSION = 1
POINTS, FEWEST, SEED = 15, 5000, 2020
LEAST = 2 * POINTS


def results_of(statistics: KeptVectors, reference: KeptVectors, identity: Mapping[str, Any]) -> dict[str, Result]:
    """Return the line at 0, see ``SetMetric.results``."""
    drawn = f"{POINTS} from a tenth, at most {FEWEST:,}, to all; seed {SEED}, in the order of a hash of the vectors"
    identity = {"metric": NAME, "version": VERSION, "subsets": drawn, **identity}
    if statistics.n < LEAST or reference.n < MIN_IMAGES:
        note = f"needs at least {LEAST} images and {MIN_IMAGES} of the reference, not {statistics.n} and {reference.n}"
        return {NAME: missing("too_few_images", statistics.n, identity, note)}
    check_dims(statistics.matrix.shape[1], reference.matrix.shape[1])
    sizes, found = distances_of_subsets(statistics.matrix[statistics.drawing_order], moments(reference.matrix))
    note = f"no interval: extrapolated from {POINTS} subsets of {sizes[0]:,} to {sizes[-1]:,} images, {found[-1]:.6g}"
    return {NAME: bare(at_infinity(sizes, found), statistics.n, identity, f"{note} over all")}


def distances_of_subsets(
    vectors: npt.NDArray[np.float32], reference: Moments
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the sizes of the subsets and their distances, int64 and float64 (POINTS,)."""
    n, dice = len(vectors), np.random.default_rng(SEED)
    sizes = np.linspace(min(FEWEST, max(n // 10, 2)), n, POINTS).astype(np.int64)
    drawn = (vectors[np.sort(dice.choice(n, size, replace=False))] for size in sizes.tolist())
    return sizes, np.array([frechet_distance(moments(each), reference) for each in drawn])


def at_infinity(sizes: npt.NDArray[np.int64], distances: npt.NDArray[np.float64]) -> float:
    """Return the line through (1 / n, distance) at 0, by least squares.

    >>> round(at_infinity(np.array([10, 20, 40]), 3.0 + 5.0 / np.array([10, 20, 40])), 9)
    3.0
    """
    return float(np.polyfit(1.0 / sizes, distances, 1)[1])


def names_in_space(encoder: Mapping[str, Any]) -> Mapping[str, str]:
    """Return what it is called where a Fréchet distance is FID, see ``frechet_names``."""
    name = fid_name(encoder)
    return {} if name is None else {NAME: f"{name}_infinity"}


def of_dependent(statistics: KeptVectors, reference: KeptVectors, identity: Mapping[str, Any]) -> dict[str, Result]:
    """Return why there is none, see ``SetMetric.of_dependent``."""
    return {NAME: not_of_dependent(statistics.n, {"metric": NAME, "version": VERSION, **identity})}


FRECHET_INFINITY = SetMetric(
    name=NAME,
    values=(ReportedValue(NAME, better="lower", size_bias="corrected"),),
    statistics=KeptVectors.of,
    results=results_of,
    of_dependent=of_dependent,
    names=names_in_space,
)
