"""A set metric of one set of images, which no other one of the house is, and whose error nobody knows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from diptych.evaluate.metrics.contract import SET_METRICS, ReportedValue, Result, SetMetric, missing
from diptych.evaluate.metrics.kept_vectors import KeptVectors


def results_of(statistics: KeptVectors, reference: None, identity: Mapping[str, Any]) -> dict[str, Result]:
    """Return the mean squared distance from the centre and the largest one."""
    assert reference is None
    identity = {"metric": "spread", "version": 1, **identity}
    if not statistics.n:
        nothing = missing("too_few_images", 0, identity, "needs an image")
        return {"spread": nothing, "reach": nothing}
    squares = ((statistics.matrix - statistics.matrix.mean(axis=0)) ** 2).sum(axis=1)
    nothing = float("nan")
    return {
        name: Result(
            float(value), nothing, nothing, nothing, statistics.n, identity, None, "no interval: a test's metric"
        )
        for name, value in (("spread", np.mean(squares)), ("reach", np.max(squares)))
    }


def statistics_of(vectors: npt.NDArray[np.floating[Any]], units: npt.ArrayLike) -> KeptVectors:
    return KeptVectors.of(vectors, units)


SPREAD = SetMetric(
    name="spread",
    values=(
        ReportedValue("spread", better="higher", unit="squared length", size_bias="uncorrected"),
        ReportedValue("reach", better=None, size_bias="uncorrected"),
    ),
    statistics=statistics_of,
    results=results_of,
    needs_reference=False,
)


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the metric into the table."""
    monkeypatch.setitem(SET_METRICS, "spread", "own_metrics:SPREAD")
