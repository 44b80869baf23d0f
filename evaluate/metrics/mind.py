"""Monge distance (MIND), sliced. A set metric: how far apart two sets are along random directions.

3 D times the mean over 1,000 random directions of the mean squared difference of the sorted projections: the squared
2-Wasserstein distance of each, sliced. Source: Berthet et al. 2026 (arXiv 2605.06797), as torch-fidelity 0.5 computes
it: directions of seed 2020, and of a larger set as many images dropped at random as it has more (here those of the
largest hashes of their vectors). Over features of Inception it is on the scale of FID.

Two samples of one distribution are apart, by an amount that falls as 1 / n: of each side the mean variance of its
quantiles. What that is is told by the halves of each side, whose distance is four times what the side adds. The second
value is the first without both. Neither has an interval: none is known that holds.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.evaluate.metrics.contract import ReportedValue, Result, SetMetric, bare
from diptych.evaluate.metrics.kept_vectors import KeptVectors, hashed_groups, refused

NAME, CORRECTED = "mind", "corrected_mind"
VERSION = 1
DIRECTIONS, SEED = 1000, 2020
BLOCK_DIRECTIONS = 50
MIN_IMAGES = 2
NO_INTERVAL = "no interval: {}; none is known that holds"

Vectors = npt.NDArray[np.float32]


def results_of(statistics: KeptVectors, reference: KeptVectors, identity: Mapping[str, Any]) -> dict[str, Result]:
    """Return the distance as published, and without its size bias where the halves tell it."""
    found = of_dependent(statistics, reference, identity)
    value = found[NAME].value
    if found[NAME].reason is not None:
        return found
    added = [_added(side) for side in (statistics, reference)]
    if all(np.isfinite(added)):
        bias = sum(added) / min(statistics.n, reference.n)
        note = NO_INTERVAL.format(f"corrected for size, without that {value:.6g}")
        own = {**found[NAME].identity, "size_bias": "halves"}
        found[CORRECTED] = bare(value - bias, statistics.n, own, note)
    return found


def of_dependent(statistics: KeptVectors, reference: KeptVectors, identity: Mapping[str, Any]) -> dict[str, Result]:
    """Return the distance as published, see ``SetMetric.of_dependent``."""
    directions = f"{DIRECTIONS:,} directions, seed {SEED}; equal n by dropping images at random"
    identity = {"metric": NAME, "version": VERSION, "convention": directions, **identity, "size_bias": "uncorrected"}
    too_few = refused(statistics, reference, MIN_IMAGES, identity)
    if too_few is not None:
        return {NAME: too_few}
    value = sliced_distance(_drawn(statistics), _drawn(reference))
    return {NAME: bare(value, statistics.n, identity, NO_INTERVAL.format("biased by size"))}


def sliced_distance(x: Vectors, y: Vectors) -> float:
    """Return the distance of vectors (N, D) and (M, D), of which the first min(N, M) count."""
    n, dim = min(len(x), len(y)), int(x.shape[1])
    total = 0.0
    for block in _directions(dim):
        left, right = (np.sort(side[:n] @ block, axis=0) for side in (x, y))
        total += float(((left - right) ** 2).mean(axis=0, dtype=np.float64).sum())
    return 3.0 * dim * total / DIRECTIONS


MIND = SetMetric(
    name=NAME,
    values=(
        ReportedValue(NAME, better="lower", low=0.0, size_bias="uncorrected"),
        ReportedValue(CORRECTED, better="lower", size_bias="corrected"),
    ),
    statistics=KeptVectors.of,
    results=results_of,
    of_dependent=of_dependent,
)


def _directions(dim: int) -> Iterator[Vectors]:
    """Yield directions of length 1 as torch-fidelity draws them, float32 (D, up to BLOCK_DIRECTIONS)."""
    import torch

    generator = torch.Generator().manual_seed(SEED)
    drawn = torch.randn(DIRECTIONS, dim, generator=generator)
    drawn = drawn / drawn.norm(dim=1, keepdim=True).clamp_min(1e-12)
    for start in range(0, DIRECTIONS, BLOCK_DIRECTIONS):
        yield np.ascontiguousarray(drawn[start : start + BLOCK_DIRECTIONS].numpy().T)


def _drawn(side: KeptVectors) -> Vectors:
    return side.matrix[side.drawing_order]


def _added(side: KeptVectors) -> float:
    """Return what a side adds to the distance, times n, from two halves of its units; NaN if one is empty.

    Two samples of m are 2 b / m apart if they are of one distribution, and one of n adds b / n.
    """
    in_first = hashed_groups(side.units, 2)[side.drawing_order] == 0
    vectors = _drawn(side)
    m = min(int(in_first.sum()), int((~in_first).sum()))
    return float("nan") if m < MIN_IMAGES else sliced_distance(vectors[in_first], vectors[~in_first]) * m / 2.0
