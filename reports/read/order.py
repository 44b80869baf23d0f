"""In which order the numbers of a store are read: as the config of the run asks for them."""

from collections.abc import Mapping, Sequence
from typing import Any

from diptych.store.agreements import BOTH
from diptych.store.rows import NOISE_FLOOR, SIDE

RESULTS = "SELECT * FROM results WHERE run_id = ? ORDER BY place, metric, dataset, CAST(groups AS VARCHAR), identity_id"
DIFFERENCES = """
SELECT differences.* FROM differences
LEFT JOIN (SELECT run_id, metric, min(place) AS place FROM results GROUP BY ALL) AS places USING (run_id, metric)
WHERE run_id = ? ORDER BY place, metric, dataset, CAST(groups AS VARCHAR), a, b
"""
SPREADS = "SELECT * FROM spreads WHERE run_id = ? ORDER BY metric, dataset, CAST(groups AS VARCHAR), identity_id"


def metrics_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the metrics of some results or differences, in their order."""
    return list(dict.fromkeys(row["metric"] for row in rows))


def about_models(
    results: Sequence[dict[str, Any]], identities: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the results that are about models or images, and not about two judges or about pairs of pictures."""
    of_one = [row for row in results if not row["groups"].keys() & {SIDE, NOISE_FLOOR}]
    return [row for row in of_one if BOTH not in (identities.get(row["identity_id"]) or {})]
