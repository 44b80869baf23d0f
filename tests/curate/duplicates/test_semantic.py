"""Semantic duplicates: against the definition within the same clusters, and what the probes say of the others."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from vectors_on_disk import stored

from diptych.curate.config import Semantic
from diptych.curate.duplicates import semantic as module
from diptych.curate.duplicates.cosines import Directions
from diptych.curate.duplicates.semantic import SemanticStars, semantic_stars
from diptych.curate.duplicates.vector_clusters import find_centroids


def crowd(rows: int, dim: int = 12, seed: int = 0) -> npt.NDArray[np.float32]:
    """Draw vectors of which many are alike."""
    chance = np.random.default_rng(seed)
    middles = chance.normal(size=(rows // 6, dim))
    return (middles[chance.integers(len(middles), size=rows)] + 0.15 * chance.normal(size=(rows, dim))).astype(
        np.float16
    )


def find(
    path: Path, vectors: npt.NDArray[np.floating], *, order: Any = None, takes_part: Any = None, **said: Any
) -> SemanticStars:
    rows = len(vectors)
    return semantic_stars(
        stored(path, vectors.astype(np.float32)),
        Semantic(encoder="clip", **said),
        order=np.arange(rows, dtype=np.int32) if order is None else order,
        takes_part=np.ones(rows, bool) if takes_part is None else takes_part,
    )


def by_definition(vectors: Any, cluster: Any, order: Any, least: float) -> list[int]:
    """Return who stands for each row, of those in its cluster."""
    units = vectors.astype(np.float64) / np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    stands = np.full(len(units), -1)
    for row in order:
        if stands[row] < 0:
            is_claimed = (units @ units[row] >= least) & (cluster == cluster[row]) & (stands < 0)
            stands[is_claimed] = row
            stands[row] = row
    return stands.tolist()


@pytest.mark.parametrize("chunk", [2, 4096])
@pytest.mark.parametrize("keep", ["preferred", "farthest", "nearest"])
def test_rows_that_stay_are_those_of_the_definition_in_the_same_clusters(
    keep: str, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    vectors = crowd(240)
    order = np.random.default_rng(5).permutation(240).astype(np.int32)
    found = find(tmp_path, vectors, order=order, cosine=0.9, clusters=5, keep=keep, seed=2)
    centroids = find_centroids(vectors.astype(np.float32), 5, seed=2)
    cluster = centroids.nearest(Directions.of(vectors))
    if keep != "preferred":
        rank = np.argsort(order)
        units = Directions.of(vectors).units.astype(np.float64)
        distance = 1 - (units * centroids.directions[cluster]).sum(axis=1)
        order = np.lexsort((rank, -distance if keep == "farthest" else distance))
    assert found.clusters == len({*cluster.tolist()}) == 5
    assert found.stands_for.tolist() == by_definition(vectors, cluster, order, 0.9)
    assert 40 < len({*found.stands_for.tolist()}) < 200


def test_probes_say_how_many_like_rows_lie_in_another_cluster(tmp_path: Path) -> None:
    vectors = crowd(240)
    found = find(tmp_path, vectors, cosine=0.9, clusters=40, probes=240)
    units = Directions.of(vectors).units.astype(np.float64)
    is_alike = (units @ units.T >= 0.9) & ~np.eye(240, dtype=bool)
    cluster = find_centroids(vectors.astype(np.float32), 40, seed=0).nearest(Directions.of(vectors))
    within = is_alike & (cluster[:, None] == cluster)
    assert (found.probed, found.probed_alike) == (240, int(is_alike.any(axis=1).sum()))
    assert found.probed_within == int(within.any(axis=1).sum()) < found.probed_alike


def test_one_cluster_hides_nothing_and_needs_no_probes(tmp_path: Path) -> None:
    vectors = crowd(60)
    found = find(tmp_path, vectors, cosine=0.9)
    assert (found.clusters, found.probed) == (1, 0)
    order = np.arange(60)
    assert found.stands_for.tolist() == by_definition(vectors, np.zeros(60), order, 0.9)


def test_rows_without_a_vector_or_a_direction_and_those_that_take_no_part_stay(tmp_path: Path) -> None:
    vectors = np.array([[1, 0], [1, 0], [np.nan, 0], [0, 0], [0, 0], [1, 0]], np.float32)
    takes_part = np.array([False, True, True, True, True, True])
    found = find(tmp_path, vectors, takes_part=takes_part, cosine=0.5)
    assert found.stands_for.tolist() == [0, 1, 2, 3, 4, 1]
    nobody = find(tmp_path / "nobody", vectors, takes_part=np.zeros(6, bool), cosine=0.5)
    assert (nobody.stands_for.tolist(), nobody.clusters) == ([0, 1, 2, 3, 4, 5], 0)


def test_what_is_found_does_not_depend_on_what_spills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = crowd(300)
    held = find(tmp_path / "held", vectors, cosine=0.9, clusters=7)
    monkeypatch.setattr("diptych.storage.spill.HELD_BYTES", 512)
    spilled = find(tmp_path / "spilled", vectors, cosine=0.9, clusters=7)
    assert held.stands_for.tolist() == spilled.stands_for.tolist()
