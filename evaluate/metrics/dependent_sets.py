"""A set metric of two sets that may depend on each other: what is left of its numbers then."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from diptych.evaluate.metrics.contract import Result, SetMetric, missing
from diptych.evaluate.metrics.overlap import Overlap

NO_INTERVAL = "no interval"


def results_between(
    metric: SetMetric[Any], statistics: Any, reference: Any, identity: Mapping[str, Any], shared: Overlap | None
) -> Mapping[str, Result]:
    """Return what a metric says of two sets, and beside it what the two have in common.

    Where that is much, values that take the sets for independent and errors, which all do, are left out. So they are
    where the numbers themselves say it: a value whose interval lies wholly below all that it can be (``below_zero``).
    """
    if shared is not None and shared.is_large:
        return _of_dependent(metric, statistics, reference, identity, f"the two sets depend on each other: {shared}")
    found = metric.results(statistics, reference, identity)
    refuted = _refuted(metric, found)
    if refuted:
        why = "the two sets seem to depend on each other: without that an interval hardly lies wholly below 0"
        left = {**_of_dependent(metric, statistics, reference, identity, why), **refuted}
        return {value.name: left[value.name] for value in metric.values if value.name in left}
    return found if shared is None else {name: result.cautioned(str(shared)) for name, result in found.items()}


def _of_dependent(
    metric: SetMetric[Any], statistics: Any, reference: Any, identity: Mapping[str, Any], why: str
) -> dict[str, Result]:
    compute = metric.of_dependent or metric.results
    return {name: _without_error(each, why) for name, each in compute(statistics, reference, identity).items()}


def _refuted(metric: SetMetric[Any], found: Mapping[str, Result]) -> dict[str, Result]:
    """Return a result without a value for each whose interval lies below what it can be."""
    lows = {value.name: value.true_low for value in metric.values if value.true_low is not None}
    return {
        name: missing(
            "below_zero",
            found[name].n,
            found[name].identity,
            f"{found[name].value:z.6g}, 95 % {found[name].ci_low:z.6g} to {found[name].ci_high:z.6g}, is no distance",
        )
        for name, low in lows.items()
        if name in found and found[name].ci_high < low
    }


def _without_error(result: Result, why: str) -> Result:
    nothing = float("nan")
    told = result.cautioned(why if NO_INTERVAL in result.note else f"{NO_INTERVAL}: {why}")
    return replace(told, se=nothing, ci_low=nothing, ci_high=nothing)
