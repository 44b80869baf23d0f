"""In which order the numbers of a store are read."""

from collections.abc import Mapping, Sequence
from typing import Any

MOST_READ = ("object_accuracy", "clip_score", "frechet_distance", "kernel_distance")
RESULTS = "SELECT * FROM results WHERE run_id = ? ORDER BY metric, dataset, CAST(groups AS VARCHAR), identity_id"
DIFFERENCES = "SELECT * FROM differences WHERE run_id = ? ORDER BY metric, dataset, CAST(groups AS VARCHAR), a, b"


def order_of(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the metrics, those that are read most first."""
    names = dict.fromkeys(row["metric"] for row in results)
    return sorted(names, key=lambda name: (_rank(name), name))


def _rank(metric: str) -> int:
    plain = metric.rpartition(".")[2]
    return MOST_READ.index(plain) if plain in MOST_READ else len(MOST_READ)
