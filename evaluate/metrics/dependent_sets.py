"""A set metric of two sets that may depend on each other: what is left of its numbers then."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from diptych.evaluate.metrics.contract import Result, SetMetric
from diptych.evaluate.metrics.overlap import Overlap

NO_INTERVAL = "no interval"


def results_between(
    metric: SetMetric[Any], statistics: Any, reference: Any, identity: Mapping[str, Any], shared: Overlap | None
) -> Mapping[str, Result]:
    """Return what a metric says of two sets, and beside it what the two have in common.

    Where that is much, values that take the sets for independent and errors, which all do, are left out.
    """
    if shared is None or not shared.is_large:
        found = metric.results(statistics, reference, identity)
        return found if shared is None else {name: _noting(result, str(shared)) for name, result in found.items()}
    compute = metric.of_dependent or metric.results
    return {
        name: _without_error(result, f"the two sets depend on each other: {shared}")
        for name, result in compute(statistics, reference, identity).items()
    }


def _without_error(result: Result, why: str) -> Result:
    nothing = float("nan")
    noted = _noting(result, why if NO_INTERVAL in result.note else f"{NO_INTERVAL}: {why}")
    return replace(noted, se=nothing, ci_low=nothing, ci_high=nothing)


def _noting(result: Result, text: str) -> Result:
    return replace(result, note="; ".join(part for part in (result.note, text) if part))
