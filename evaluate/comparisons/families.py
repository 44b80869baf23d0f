"""How many differences are looked at together: p-values and what could have been found are adjusted for that."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from diptych.evaluate.statistics.paired import holm
from diptych.evaluate.statistics.power import detectable, equivalence_p
from diptych.intervals import SIGNIFICANCE
from diptych.store.rows import HOW_COMPARED
from diptych.store.store import DifferenceRow


def adjusted(rows: Sequence[DifferenceRow], margins: Mapping[str, float] | None = None) -> list[DifferenceRow]:
    """Return differences with their p-values adjusted for their number in their family, see ``holm``.

    A family is all comparisons of one metric that are cut by the same columns: those of all images, those by category,
    those by setting; also where they are of several datasets. What could have been found is at the level of a family's
    first step, 0.05 over its number, so never less than what Holm's adjustment finds.

    Args:
        rows: The differences.
        margins: By the full name of a metric: the largest difference that counts as none; for those the equivalence is
            tested, too.
    """
    families: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        families[row.metric, frozenset(row.groups) - set(HOW_COMPARED)].append(place)
    known = _numbers([row.p_value for row in rows])
    wide = margins or {}
    apart = _numbers([_equivalence(row, wide.get(row.metric)) for row in rows])
    found, equal, least = np.full((3, len(rows)), np.nan)
    for places in families.values():
        found[places], equal[places] = holm(known[places]), holm(apart[places])
        count = max(int(np.isfinite(known[places]).sum()), 1)
        least[places] = [_detectable(rows[place], SIGNIFICANCE / count) for place in places]
    return [
        replace(row, p_adjusted=float(p), margin=wide.get(row.metric), p_equivalence=float(same), detectable=float(gap))
        for row, p, same, gap in zip(rows, found, equal, least, strict=True)
    ]


def _numbers(values: Sequence[float | None]) -> npt.NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _error(row: DifferenceRow) -> tuple[float, float]:
    """Return standard error and degrees of freedom of a difference, NaN where one is not known."""
    nothing = float("nan")
    return nothing if row.se is None else row.se, nothing if row.df is None else row.df


def _detectable(row: DifferenceRow, level: float) -> float:
    return detectable(*_error(row), level)


def _equivalence(row: DifferenceRow, margin: float | None) -> float:
    if margin is None or row.value is None:
        return float("nan")
    return equivalence_p(row.value, *_error(row), margin)
