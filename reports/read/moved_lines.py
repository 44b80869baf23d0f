"""What every line of a rule would keep of a pool: counted once over all rows, so that a page need not have them.

A line is counted twice: for the rule by itself, and for the final selection, in which all other rules hold, too, and of
the copies of a picture one is kept. Between two lines a count is known to lie between theirs.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.reports.charts import nice_step
from diptych.reports.read.pool import Pool
from diptych.reports.read.thresholds import Threshold

MAX_LINES = 1000  # of a slider
MAX_VALUES = 1000  # so many different values are lines of their own

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Counts(NamedTuple):
    """How the values of some rows lie to each line.

    Attributes:
        rows: How many there are.
        below: For each line how many have a lower value.
        upto: For each line how many have its value or a lower one.
    """

    rows: int
    below: list[int]
    upto: list[int]

    def kept(self, threshold: Threshold, line: int) -> int:
        """Return how many rows a threshold keeps that lies at a line, by its number."""
        kept_above = {">": self.rows - self.upto[line], ">=": self.rows - self.below[line]}
        return {**kept_above, "<": self.below[line], "<=": self.upto[line]}[threshold.operator]


class MovedLine(NamedTuple):
    """What the lines of one threshold keep.

    Attributes:
        lines: Numbers in ascending order, as they are compared.
        places: Which of them a slider stops at.
        own: Which one is the rule's own.
        alone: Of the rows that the rest of the rule passes.
        final: Of the rows that everything else passes, one of each picture; None where the rules that are noted do not
            give what was decided, as when a score is gone.
    """

    lines: list[float]
    places: list[int]
    own: int
    alone: Counts
    final: Counts | None


def moved_line(pool: Pool, rule: int, threshold: Threshold, low: float, high: float) -> MovedLine:
    """Count what the lines of a threshold keep.

    Args:
        pool: The pool.
        rule: Number of the step in the funnel.
        threshold: One of the rule's.
        low: Where the slider begins.
        high: Where it ends.
    """
    values = threshold.as_compared(pool.values(threshold.expression))
    known = values[np.isfinite(values)]
    grid = np.unique(threshold.as_compared(_grid(threshold.value, low, high, is_whole=bool(np.all(known % 1 == 0)))))
    lines = np.unique(np.concatenate([grid, _different(known)]))
    own = int(np.searchsorted(lines, threshold.line))
    is_open = ~np.isnan(values) & _passes(pool, [threshold.others] if threshold.others else [])
    final = _count(_final(pool, rule, threshold, values, is_open), lines)
    return MovedLine(
        [float(line) for line in lines],
        [int(place) for place in np.searchsorted(lines, grid)],
        own,
        _count(values[is_open], lines),
        final if final.kept(threshold, own) == pool.select.manifest["kept"] else None,
    )


def _grid(value: float, low: float, high: float, *, is_whole: bool) -> Floats:
    """Return round numbers from ``low`` to ``high``, one of which is the value; whole steps where values are whole."""
    step = max(nice_step(max(high, value) - min(low, value), MAX_LINES), 1.0 if is_whole else 0.0)
    first, last = np.ceil((low - value) / step - 1e-9), np.floor((high - value) / step + 1e-9)
    return np.asarray(
        [
            value if not k else float(f"{value + k * step:.15g}")
            for k in range(min(int(first), 0), max(int(last), 0) + 1)
        ]
    )


def _different(values: Floats) -> Floats:
    """Return all values that there are, where they are few, else the outermost."""
    found = np.unique(values)
    return found if len(found) <= MAX_VALUES else found[[0, -1]]


def _passes(pool: Pool, conditions: Sequence[str]) -> Flags:
    """Return which rows pass all conditions; none where one is over what is not there any more."""
    passing = np.ones(len(pool.table), bool)
    for condition in conditions:
        found = pool.passes(condition)
        passing &= found if found is not None else False
    return passing


def _final(pool: Pool, rule: int, threshold: Threshold, values: Floats, is_open: Flags) -> Floats:
    """Return for each picture that only this line can lose the value that decides about it.

    Of copies one is kept if any passes: the one that the line lets pass longest.
    """
    passing = is_open & _passes(pool, [step["where"] for number, step in enumerate(pool.rules) if number != rule])
    if len(pool.rules) == len(pool.steps):
        return values[passing]
    clusters, best = pool.stands_for[passing], np.full(len(values), np.nan)
    keep = np.fmax if threshold.keeps_above else np.fmin
    keep.at(best, clusters, values[passing])
    decided: Floats = best[~np.isnan(best)]
    return decided


def _count(values: Floats, lines: Floats) -> Counts:
    ordered = np.sort(values)
    below, upto = (np.searchsorted(ordered, lines, side=side).tolist() for side in ("left", "right"))
    return Counts(len(values), below, upto)
