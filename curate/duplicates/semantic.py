"""Semantic duplicates: pictures of the same content, by the cosine of their stored vectors, within clusters.

As SemDeDup does it (Abbas et al. 2023): k-means over the vectors, and in each cluster every row that has the wanted
cosine to a row that stays goes. Pairs over the border of two clusters are not seen; probes, rows that are compared with
all others, say how many have a like one in their own cluster. Vectors pass shard by shard and wait on the disk by
clusters, so that those of one cluster are in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.curate.config import Semantic
from diptych.curate.duplicates.alike_vectors import AlikeVectors
from diptych.curate.duplicates.buckets import Rows
from diptych.curate.duplicates.cosine_stars import cosine_stars
from diptych.curate.duplicates.cosines import Directions, Vectors, exact_cosines, which_reach
from diptych.curate.duplicates.spilled import MAX_BUCKETS, SpilledBuckets
from diptych.curate.duplicates.vector_clusters import (
    Centroids,
    cluster_count,
    find_centroids,
    sample_size,
)
from diptych.data.dataset import ColumnSet
from diptych.progress import track
from diptych.scores.tables import embedding_type, read_embeddings

CHUNK = 4096  # vectors at a time

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SemanticStars:
    """What is alike.

    Attributes:
        stands_for: int32 (N,): row number of the row that stands for each row; itself where it stays.
        clusters: Into which the rows were put.
        probed: Rows that were compared with all others; 0 where one cluster holds them all.
        probed_alike: Of those, how many have a like one anywhere.
        probed_within: Of those, how many have a like one in their own cluster.
        places: float64 (N,): by what the rows of a cluster were taken, the least first, before the order of preference;
            infinite for rows that take no part; None where that order alone decides.
    """

    stands_for: Rows
    clusters: int
    probed: int
    probed_alike: int
    probed_within: int
    places: npt.NDArray[np.float64] | None = None

    def rank(self, preferred: Rows) -> Rows:
        """Return the place of each row where all are ordered as they were taken, int32 (N,); given that by preference.

        So whoever has to choose one row of a cluster chooses as was chosen here.
        """
        if self.places is None:
            return preferred
        ranks = np.empty(len(preferred), np.int32)
        ranks[np.lexsort((preferred, self.places))] = np.arange(len(preferred), dtype=np.int32)
        return ranks


def left_behind(linked: Rows, stands_for: Rows, vectors: ColumnSet, least: float) -> Mask:
    """Return the rows whose row went for the sake of another one that they are not alike to themselves: bool (N,).

    Args:
        linked: int32 (N,): the row that stood for each.
        stands_for: int32 (N,): the row that stands for that one now.
        vectors: Stored embeddings.
        least: Least cosine of two rows that are alike.
    """
    found = np.zeros(len(linked), bool)
    moved = np.flatnonzero((stands_for[linked] != linked) & (linked != np.arange(len(linked)))).astype(np.int32)
    if not len(moved):
        return found
    stays = stands_for[linked[moved]]
    alike = AlikeVectors(vectors, least, np.unique(np.concatenate([moved, stays])))
    by = np.argsort(stays, kind="stable")
    starts = np.flatnonzero(np.diff(stays[by], prepend=-1))
    for some in np.split(by, starts[1:]):
        found[moved[some]] = ~alike(int(stays[some[0]]), moved[some])
    return found


def semantic_stars(
    vectors: ColumnSet, settings: Semantic, *, order: Rows, takes_part: Mask, progress: str = "none"
) -> SemanticStars:
    """Find the rows that are alike to a row that stays.

    Args:
        vectors: Stored embeddings.
        settings: Of which clusters, how alike, and which stays.
        order: int32 (N,): the rows in order of preference.
        takes_part: bool (N,): rows that may go or stand for others; one without a vector does neither.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ShardError: If the vectors are not what was written.
    """
    vectors.check()
    stands_for = np.arange(len(order), dtype=np.int32)
    rows = int(np.count_nonzero(takes_part))
    if not rows:
        return SemanticStars(stands_for, 0, 0, 0, 0)
    count = min(settings.clusters or cluster_count(rows), MAX_BUCKETS)
    sample = _Sample.of(vectors, takes_part, count, settings)
    if not len(sample.rows):
        return SemanticStars(stands_for, 0, 0, 0, 0)
    with track("semantic", 2 * rows, mode=progress) as tracker:
        centroids = find_centroids(sample.vectors, count, settings.seed)
        probes = _Probes(sample, centroids, settings)
        with SpilledBuckets(len(centroids), sample.record) as waiting:
            for part in _parts(vectors, takes_part):
                directions = Directions.of(part.vectors)
                nearest = centroids.nearest(directions)
                probes.compare(part.rows, directions, nearest)
                records = np.empty(len(part.rows), sample.record)
                records["row"], records["vector"] = part
                waiting.put(nearest, records)
                tracker.advance(len(nearest), {"ok": len(nearest)})
            rank = np.empty(len(order), np.int32)
            rank[order] = np.arange(len(order), dtype=np.int32)
            places = None if settings.keep == "preferred" else np.full(len(order), np.inf)
            for cluster, centroid in enumerate(centroids.directions):
                records = waiting.take(cluster)
                members = _VectorRows(records["row"], records["vector"])
                if places is not None:
                    cosines = exact_cosines(centroid, members.vectors)
                    places[members.rows] = cosines if settings.keep == "farthest" else -cosines
                members = _by_preference(members, rank, places)
                stands_for[members.rows] = members.rows[cosine_stars(members.vectors, settings.cosine)]
                tracker.advance(len(records), {"ok": len(records)})
    return SemanticStars(stands_for, len(centroids), *probes.facts(), places)


class _VectorRows(NamedTuple):
    """Row numbers, int32 (M,), and their vectors, (M, D)."""

    rows: Rows
    vectors: Vectors


def _by_preference(members: _VectorRows, rank: Rows, places: npt.NDArray[np.float64] | None) -> _VectorRows:
    """Return the rows of a cluster, the most preferred first."""
    own = rank[members.rows]
    by = np.argsort(own) if places is None else np.lexsort((own, places[members.rows]))
    return _VectorRows(members.rows[by], members.vectors[by])


def _parts(vectors: ColumnSet, takes_part: Mask) -> Iterator[_VectorRows]:
    """Yield the rows that take part and have a vector with a direction."""
    start = 0
    for file, shard in zip(vectors.files, vectors.shards, strict=True):
        rows = np.flatnonzero(takes_part[start : start + shard.rows])
        if len(rows):
            stored = read_embeddings(file)
            rows = rows[np.isfinite(stored[rows]).all(axis=1) & stored[rows].any(axis=1)]
            for at in range(0, len(rows), CHUNK):
                some = rows[at : at + CHUNK]
                yield _VectorRows((some + start).astype(np.int32), stored[some])
        start += shard.rows


@dataclass(frozen=True)
class _Sample:
    """Rows drawn with a seed among those that take part.

    Attributes:
        rows: int32 (S,), ascending.
        vectors: float32 (S, D).
        record: How a row waits on the disk: its number, and its vector as it is stored.
    """

    rows: Rows
    vectors: npt.NDArray[np.float32]
    record: np.dtype[np.void]

    @classmethod
    def of(cls, vectors: ColumnSet, takes_part: Mask, clusters: int, settings: Semantic) -> "_Sample":
        """Draw one."""
        stored, dim = embedding_type(vectors.files[0])
        rows = np.flatnonzero(takes_part)
        wanted = max(settings.probes, sample_size(clusters, dim))
        if len(rows) > wanted:
            rows = np.random.default_rng(settings.seed).choice(rows, wanted, replace=False)
        is_drawn = np.zeros(len(takes_part), bool)
        is_drawn[rows] = True
        parts = [_VectorRows(np.empty(0, np.int32), np.empty((0, dim), np.float32)), *_parts(vectors, is_drawn)]
        numbers, drawn = map(np.concatenate, zip(*parts, strict=True))
        return cls(numbers, drawn, np.dtype([("row", np.int32), ("vector", stored, (dim,))]))


class _Probes:
    """Rows that are compared with all others, so that what clusters hide is known; none where one holds them all."""

    def __init__(self, sample: _Sample, centroids: Centroids, settings: Semantic) -> None:
        count = settings.probes if len(centroids) > 1 else 0
        drawn = np.random.default_rng(settings.seed).permutation(len(sample.rows))[:count]
        self._rows, self._least = sample.rows[drawn], settings.cosine
        self._vectors = Directions.of(sample.vectors[drawn])
        self._cluster = centroids.nearest(self._vectors)
        self._is_alike = np.zeros(len(drawn), bool)
        self._is_within = np.zeros(len(drawn), bool)

    def compare(self, rows: Rows, vectors: Directions, cluster: Rows) -> None:
        """Compare the probes with further rows."""
        is_alike = which_reach(self._vectors, vectors, self._least) & (self._rows[:, None] != rows)
        self._is_alike |= is_alike.any(axis=1)
        self._is_within |= (is_alike & (self._cluster[:, None] == cluster)).any(axis=1)

    def facts(self) -> tuple[int, int, int]:
        """Return how many there are, how many have a like row, and how many have one in their cluster."""
        return len(self._rows), int(self._is_alike.sum()), int(self._is_within.sum())
