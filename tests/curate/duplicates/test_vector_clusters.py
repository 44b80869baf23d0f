import numpy as np
import pytest

from diptych.curate.duplicates import vector_clusters
from diptych.curate.duplicates.cosines import Directions
from diptych.curate.duplicates.vector_clusters import Centroids, cluster_count, find_centroids, sample_size


def test_vectors_of_one_direction_are_one_cluster_whatever_their_length() -> None:
    chance = np.random.default_rng(0)
    middles = np.linalg.qr(chance.normal(size=(16, 16)))[0][:6]
    truth = chance.integers(6, size=300)
    vectors = (middles[truth] + 0.03 * chance.normal(size=(300, 16))) * chance.uniform(0.1, 50, size=(300, 1))
    centroids = find_centroids(vectors, 6, seed=1)
    found = centroids.nearest(Directions.of(vectors))
    assert len({*zip(found.tolist(), truth.tolist(), strict=True)}) == len({*found.tolist()}) <= 6
    assert np.allclose(np.linalg.norm(centroids.directions, axis=1), 1, atol=1e-6)


def test_the_same_seed_finds_the_same_and_the_order_of_the_sample_is_nothing() -> None:
    vectors = np.random.default_rng(2).normal(size=(400, 8)).astype(np.float32)
    first = find_centroids(vectors, 7, seed=3).directions
    assert np.array_equal(first, find_centroids(vectors[::-1], 7, seed=3).directions)
    assert not np.array_equal(first, find_centroids(vectors, 7, seed=4).directions)


def test_there_are_no_more_centroids_than_directions() -> None:
    vectors = np.array([[1, 0], [2, 0], [0, 1], [0, 5]], np.float32)
    assert len(find_centroids(vectors, 4, seed=0)) == 2
    assert len(find_centroids(vectors[:2], 4, seed=0)) == 1
    opposite = np.array([[1, 0], [-1, 0]], np.float32)  # whose middle has no direction
    assert np.abs(find_centroids(opposite, 1, seed=0).directions).sum() == 1


@pytest.mark.parametrize("compared", [1, 7, 1 << 24])
def test_of_equally_near_centroids_the_first_is_taken_whatever_the_blocks(
    compared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_clusters, "COMPARED", compared)
    centroids = Centroids(np.array([[0.6, 0.8], [0.8, 0.6], [0.8, 0.6]], np.float32))
    vectors = np.array([[1, 1 + 1e-9], [1, 1], [1 + 1e-9, 1], [9, 0]])
    assert centroids.nearest(Directions.of(vectors)).tolist() == [0, 0, 1, 1]


def test_how_many_clusters_and_of_how_many_rows() -> None:
    assert [cluster_count(rows) for rows in (0, 20_000, 20_001, 100_000_000)] == [1, 1, 141, 10_000]
    assert sample_size(100, 768) == 6_400
    assert sample_size(10_000, 768) == 174_762  # 512 MiB
    assert sample_size(60_000, 4096) == 60_000
