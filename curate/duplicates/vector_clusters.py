"""Clusters of vectors by their directions (spherical k-means), so that only rows of one cluster need be compared.

The centroids are those of scikit-learn's k-means over a sample, in one thread, so that a rerun finds the same ones.
Decides nothing about which rows are alike.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.curate.duplicates.cosines import Directions, Vectors, exact_cosines, float32_error

WHOLE_ROWS = 20_000  # up to here all rows are one cluster, and no near pair is missed
SAMPLE_PER_CLUSTER = 64
SAMPLE_BYTES = 512 * 2**20
ITERATIONS = 25
COMPARED = 1 << 24  # cosines to centroids at a time


class Centroids(NamedTuple):
    """The middles of clusters: float32 (K, D), of length 1."""

    directions: npt.NDArray[np.float32]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.directions)

    def nearest(self, vectors: Directions) -> npt.NDArray[np.int32]:
        """Return the centroid with the largest cosine to each vector, the first of equal ones: int32 (N,)."""
        found = np.zeros(len(vectors.units), np.int32)
        step = max(1, COMPARED // len(self))
        for start in range(0, len(found) if len(self) > 1 else 0, step):
            part = np.arange(start, min(start + step, len(found)))
            found[part] = self._nearest(vectors.take(part))
        return found

    def _nearest(self, vectors: Directions) -> npt.NDArray[np.int32]:
        cosines = vectors.units @ self.directions.T
        found: npt.NDArray[np.int32] = cosines.argmax(axis=1).astype(np.int32)
        # Whatever the rounding, the same centroid wins.
        largest = np.take_along_axis(cosines, found[:, None].astype(np.intp), axis=1)
        is_close = cosines >= largest - 2.0 * float32_error(vectors.units.shape[1])
        for row in np.flatnonzero(np.count_nonzero(is_close, axis=1) > 1):
            rivals = np.flatnonzero(is_close[row])
            found[row] = rivals[exact_cosines(vectors.stored[row], self.directions[rivals]).argmax()]
        return found


def cluster_count(rows: int) -> int:
    """Return into how many clusters so many rows are put where nobody says: 1, or the square root of the rows.

    >>> cluster_count(20_000), cluster_count(1_000_000)
    (1, 1000)
    """
    return 1 if rows <= WHOLE_ROWS else math.isqrt(rows)


def sample_size(clusters: int, dim: int) -> int:
    """Return of how many rows the centroids are made: 64 a cluster, or what is 512 MiB of float32."""
    return max(clusters, min(SAMPLE_PER_CLUSTER * clusters, SAMPLE_BYTES // (4 * dim)))


def find_centroids(sample: Vectors, clusters: int, seed: int) -> Centroids:
    """Return the centroids of a sample, (S, D), each with a direction; no more of them than different directions.

    Source: k-means of unit vectors, whose centroids are brought to length 1, as Abbas et al. 2023 (SemDeDup) do.
    """
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    units = np.unique(Directions.of(sample).units, axis=0)
    if clusters == 1 or len(units) <= 1:
        middle = units.mean(axis=0, keepdims=True)
        return Centroids(middle if middle.any() else units[:1])
    first = np.random.default_rng(seed).choice(len(units), min(clusters, len(units)), replace=False)
    means = KMeans(len(first), init=units[np.sort(first)], n_init=1, max_iter=ITERATIONS, random_state=seed)
    with threadpool_limits(1):  # several threads add in whatever order
        middles = means.fit(units).cluster_centers_
    length = np.linalg.norm(middles, axis=1, keepdims=True)
    return Centroids((middles / np.where(length == 0, 1, length)).astype(np.float32))
