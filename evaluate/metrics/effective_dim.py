"""How many directions of a space count, told by fewer vectors than it has dimensions, which see too few of them."""

import numpy as np

from diptych.evaluate.metrics.kept_vectors import KeptVectors
from diptych.evaluate.statistics.moments import eigenvalues

FLOOR = 0.1  # which part of the eigenvalues tells what all directions that are not seen add to each of them
BLOCK_COLUMNS = 128
RANK_TOLERANCE = 1e-10  # of the largest: smaller ones are rounding, as of copies


def effective_dim(kept: KeptVectors) -> float:
    """Return (tr S^(1/2))^2 / tr S of the covariance S of the means of the units, as large as it may well be.

    N vectors span N - 1 directions. A wide one with a thousand narrow ones beside it looks like a few: what is not seen
    adds the same to each eigenvalue that is, its whole variance over N (the implicit ridge of Hastie, Montanari, Rosset
    and Tibshirani 2022, Annals of Statistics 50, 949). The smallest eigenvalues are little else. So that much is taken
    from each, and spread over all dimensions. 0 where there is nothing that is not seen, as there are enough units.

    >>> steep = KeptVectors((np.eye(3, 40, dtype=np.float32) * 9,), (np.array(["a", "b", "c"]),))
    >>> enough = KeptVectors((np.eye(3, 2, dtype=np.float32),), (np.array(["a", "b", "c"]),))
    >>> round(effective_dim(steep)), effective_dim(enough)
    (40, 0.0)
    """
    names, unit, sizes = np.unique(kept.units, return_inverse=True, return_counts=True)
    count, dim = len(names), kept.matrix.shape[1]
    if count - 1 >= dim:
        return 0.0
    order, starts = np.argsort(unit, kind="stable"), np.cumsum(sizes) - sizes
    means = np.empty((count, dim))
    for start in range(0, dim, BLOCK_COLUMNS):  # a thousand prompts may have a hundred thousand images
        columns = slice(start, start + BLOCK_COLUMNS)
        sums = np.add.reduceat(kept.matrix[order, columns], starts, axis=0, dtype=np.float64)
        means[:, columns] = sums / sizes[:, np.newaxis]
    centred = means - means.mean(axis=0)
    found = eigenvalues(centred @ centred.T / max(count - 1, 1))
    seen = found[found > RANK_TOLERANCE * found[-1]]
    if not len(seen):
        return 0.0
    floor = float(np.quantile(seen, FLOOR))
    roots = float(np.sqrt(np.maximum(seen - floor, 0.0)).sum()) + float(floor * len(seen) * dim) ** 0.5
    return min(float(roots**2 / seen.sum()), float(dim))
