"""Kernel distance over subsets (KID), as published. A set metric: the mean over subsets of 1,000 images.

Bińkowski et al. 2018 (arXiv 1801.01401), section 4, as torch-fidelity 0.4 computes it: 100 pairs of subsets without
replacement, the unbiased estimate over each, all pairs of images being strangers. It is for papers that compare with
such a number: ``kernel_distance`` costs as much, has no seed, an interval, and knows that images of a prompt are alike.
The spread over subsets is no error of the number: the subsets overlap.

Subsets are drawn with seed 2020 from the images in the order of a hash of their vectors, so that neither the order of
the files nor the cut of the work changes them. In the same order torch-fidelity gives the same number; other programs
draw from whatever order the files have, most of them without a seed.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.evaluate.metrics.contract import ReportedValue, Result, SetMetric, bare
from diptych.evaluate.metrics.kept_vectors import KeptVectors, not_of_dependent, refused
from diptych.evaluate.metrics.kernel import cubic
from diptych.evaluate.metrics.kernel_distance import KERNEL

NAME = "subset_kernel_distance"
VERSION = 1
SUBSETS, SUBSET_SIZE, SEED = 100, 1000, 2020
MIN_IMAGES = 2

Vectors = npt.NDArray[np.float32]


def results_of(statistics: KeptVectors, reference: KeptVectors, identity: Mapping[str, Any]) -> dict[str, Result]:
    """Return the mean over subsets, and in its note their spread, see ``SetMetric.results``."""
    size = min(SUBSET_SIZE, statistics.n, reference.n)
    drawn = f"{SUBSETS} of {size} images, seed {SEED}, in the order of a hash of the vectors"
    identity = {"metric": NAME, "version": VERSION, "kernel": KERNEL, "subsets": drawn, **identity}
    too_few = refused(statistics, reference, MIN_IMAGES, identity)
    if too_few is not None:
        return {NAME: too_few}
    sides = [side.matrix[side.drawing_order] for side in (statistics, reference)]
    found = subset_distances(sides[0], sides[1], size)
    note = f"no interval: {found.std():.3g}, the spread over {SUBSETS} subsets of {size:,}, is none, as they overlap"
    return {NAME: bare(float(found.mean()), statistics.n, identity, note)}


def subset_distances(x: Vectors, y: Vectors, size: int) -> npt.NDArray[np.float64]:
    """Return the unbiased distance of each pair of subsets, float64 (SUBSETS,).

    Args:
        x: float32 (N, D).
        y: float32 (M, D).
        size: Of a subset, at most N and M, at least 2.
    """
    dice, found = np.random.RandomState(SEED), np.empty(SUBSETS)
    for number in range(SUBSETS):
        left, right = (side[dice.choice(len(side), size, replace=False)].astype(np.float64) for side in (x, y))
        found[number] = _inner(left) + _inner(right) - 2.0 * float(cubic(left, right).mean())
    return found


def of_dependent(statistics: KeptVectors, reference: KeptVectors, identity: Mapping[str, Any]) -> dict[str, Result]:
    """Return why there is none, see ``SetMetric.of_dependent``."""
    return {NAME: not_of_dependent(statistics.n, {"metric": NAME, "version": VERSION, **identity})}


SUBSET_KERNEL_DISTANCE = SetMetric(
    name=NAME,
    values=(ReportedValue(NAME, better="lower"),),
    statistics=KeptVectors.of,
    results=results_of,
    of_dependent=of_dependent,
)


def _inner(x: npt.NDArray[np.float64]) -> float:
    """Return the mean of the kernel over pairs of different vectors."""
    values = cubic(x, x)
    return float(values.sum() - np.trace(values)) / (len(x) * (len(x) - 1))
