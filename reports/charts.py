"""The geometry of charts: where things lie, in percent of the width and in pixels of the height.

Templates draw what stands here; a chart has no number that is not in the table beside it. Horizontal places are
percentages so that a chart fits any width without scaling its text.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.reports.links import Range
from diptych.reports.read.numbers import short
from diptych.reports.read.rows import Floats

MAX_BINS = 20
MAX_VALUES = 8  # so many different values get a bar each
BAR_HEIGHT = 64.0
TAIL_REACH, TAIL_SHARE = 4.0, 0.05  # a tail lies beyond so many quartile distances and holds less than that
MAX_DISCRETE_WIDTH = 12.0  # percent
SMALLEST_WIDTH = 1e-300  # of an axis; less is none, as its steps would not be normal numbers
# On an axis; what is larger, up to infinity, belongs to its outermost bins.
LARGEST, LARGEST_SINGLE = 1e307, 1e37


class Tick(NamedTuple):
    """A number on an axis; ``x`` in percent."""

    x: float
    text: str


@dataclass(frozen=True)
class Scale:
    """A linear axis from ``low`` to ``high``."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return the place of a value in percent, within [0, 100].

        >>> Scale(10, 20).at(15), Scale(10, 20).at(99)
        (50.0, 100.0)
        """
        part = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(100 * min(max(part, 0.0), 1.0), 3)

    def ticks(self, count: int = 4) -> list[Tick]:
        """Return about ``count`` round numbers on the axis."""
        step = nice_step(self.high - self.low, count)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [Tick(self.at(k * step), short(float(f"{k * step:.15g}"))) for k in range(first, last + 1)]


def nice_step(width: float, count: int) -> float:
    """Return 1, 2 or 5 times a power of ten, so that about ``count`` steps make ``width``.

    >>> nice_step(1.0, 4), nice_step(97.0, 5), nice_step(0.0, 4), nice_step(math.inf, 20)
    (0.2, 20.0, 1.0, 1e+307)
    """
    if not width > SMALLEST_WIDTH:
        return 1.0
    raw = min(width, sys.float_info.max) / count
    power = 10.0 ** math.floor(math.log10(raw))
    factor = min((1, 2, 5, 10), key=lambda candidate: abs(math.log(candidate * power / raw)))
    return float(f"{factor * power:.10g}")


def scale_of(values: Sequence[float | None], *, keep: Sequence[float] = (), pad: float = 0.06) -> Scale:
    """Return an axis that holds all values and those to ``keep``, with a margin."""
    numbers = [value for value in [*values, *keep] if value is not None and math.isfinite(value)]
    known = [min(max(value, -LARGEST), LARGEST) for value in numbers]
    if not known:
        return Scale(0.0, 1.0)
    low, high = min(known), max(known)
    margin = (high - low) * pad or abs(high) * 0.1 or 0.5
    return Scale(low - margin, high + margin)


class Bar(NamedTuple):
    """One bar: ``x`` and ``width`` in percent, ``y`` and ``height`` in pixels from the top."""

    x: float
    width: float
    y: float
    height: float
    n: int


class Series(NamedTuple):
    """The bars of one group of images."""

    label: str
    n: int
    missing: int
    bars: list[Bar]


class Bin(NamedTuple):
    """One bin: its words and the range that a link names."""

    text: str
    range: Range


class Mark(NamedTuple):
    """A threshold: ``x`` in percent, its words."""

    x: float
    text: str


class Histogram(NamedTuple):
    """Bars of several groups over the same bins, from ``low`` to ``high``."""

    low: float
    high: float
    bins: list[Bin]
    series: list[Series]
    ticks: list[Tick]
    marks: list[Mark]


def histogram(groups: Mapping[str, Floats], thresholds: Sequence[float] = (), *, stacked: bool = False) -> Histogram:
    """Count values per bin and lay the bars out; each group's bars show its own shares, on one scale.

    Args:
        groups: Label -> values, NaN where there is none.
        thresholds: Lines to draw; the first is the edge of a bin.
        stacked: Whether bars show counts and lie on one another, the first group at the bottom.
    """
    present = {label: values[~np.isnan(values)].astype(np.float64) for label, values in groups.items()}
    everything = np.concatenate(list(present.values())) if present else np.zeros(0)
    # Edges in the precision of the values, as SQL compares them: 0.7 is a value of single precision, too.
    is_single = all(values.dtype == np.float32 for values in groups.values())
    edges, bins = _bins(everything, thresholds, np.float32 if is_single else np.float64)
    is_discrete = bins[0].range.is_closed
    counts = {label: _count(values, edges) for label, values in present.items()}
    scale = Scale(edges[0], edges[-1])
    heights = _heights(counts, stacked=stacked)
    base = np.zeros(len(bins))
    series = []
    for label, tall in heights.items():
        bars = []
        for index in range(len(bins)):
            x, width = _place(scale, edges[index], edges[index + 1], is_discrete=is_discrete)
            bottom = float(base[index]) if stacked else 0.0
            height = round(float(tall[index]), 2)
            y = round(BAR_HEIGHT - bottom - height, 2)
            bars.append(Bar(x, width, y, height, int(counts[label][index])))
        base = base + tall
        n = len(present[label])
        series.append(Series(label, n, len(groups[label]) - n, bars))
    ticks = [tick for tick in scale.ticks(5) if 1 < tick.x < 99]
    if is_discrete:
        ticks = [Tick(bar.x + bar.width / 2, bin_.text) for bar, bin_ in zip(series[0].bars, bins, strict=True)]
    marks = [Mark(scale.at(value), short(value)) for value in thresholds]
    return Histogram(edges[0], edges[-1], bins, series, ticks, marks)


def _place(scale: Scale, low: float, high: float, *, is_discrete: bool) -> tuple[float, float]:
    """Return left edge and width of a bar; that of a single value is a slim one in the middle of its room."""
    left, right = scale.at(low), scale.at(high)
    width = min(right - left, MAX_DISCRETE_WIDTH) if is_discrete else right - left
    return round((left + right - width) / 2, 3), round(width, 3)


def _heights(counts: Mapping[str, npt.NDArray[np.int64]], *, stacked: bool) -> dict[str, npt.NDArray[np.float64]]:
    parts = {label: found / (1 if stacked else max(1, int(found.sum()))) for label, found in counts.items()}
    together = np.sum(list(parts.values()), axis=0) if stacked and parts else np.zeros(1)
    tallest = max([float(part.max(initial=0)) for part in parts.values()] + [float(together.max(initial=0)), 1e-12])
    # What is there can be seen, however little it is.
    return {label: np.where(part > 0, np.maximum(part / tallest * BAR_HEIGHT, 1.5), 0) for label, part in parts.items()}


def _bins(
    values: npt.NDArray[np.float64], thresholds: Sequence[float], kind: type[np.floating[Any]]
) -> tuple[list[float], list[Bin]]:
    """Return edges and bins: one per value where there are few, else of equal width, the outermost open."""
    different = np.unique(values)
    if len(different) == 0:
        return [0.0, 1.0], [Bin("none", Range(0.0, 1.0))]
    largest = LARGEST if kind is np.float64 else LARGEST_SINGLE
    inside = values[np.abs(values) <= largest]
    if len(different) <= MAX_VALUES and not thresholds and len(inside) == len(values):
        return _bins_of_values(different)
    lines = [min(max(line, -largest), largest) for line in thresholds]
    low, high = _bulk(inside) if len(inside) else (0.0, 0.0)
    low, high = min(low, *lines, high), max(high, *lines, low)
    step = nice_step(high - low, MAX_BINS)
    anchor = lines[0] if lines else 0.0
    first, last = math.floor((low - anchor) / step + 1e-9), math.ceil((high - anchor) / step - 1e-9)
    steps = range(first, max(last, first + 1) + 1)
    edges = [float(kind(float(f"{anchor + k * step:.15g}") if k else anchor)) for k in steps]
    edges = list(dict.fromkeys(edges)) if len(set(edges)) > 1 else [anchor, math.nextafter(anchor, math.inf)]
    return edges, _bins_between(edges, float(different[0]), float(different[-1]))


def _bins_between(edges: Sequence[float], smallest: float, largest: float) -> list[Bin]:
    """Return the bins between edges, the outermost open where values lie beyond them."""
    bins = [Bin(f"{short(a)} to {short(b)}", Range(a, b)) for a, b in pairwise(edges)]
    if smallest < edges[0]:
        bins[0] = Bin(f"below {short(edges[1])}", Range(None, edges[1]))
    if largest >= edges[-1]:
        start = bins[-1].range.low
        bins[-1] = Bin("any" if start is None else f"{short(start)} and more", Range(start, None))
    return bins


def _bulk(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the range worth bins of its own: without the outermost half percent, and without a long thin tail."""
    low, left, right, high = (float(end) for end in np.quantile(values, [0.005, 0.25, 0.75, 0.995]))
    reach = TAIL_REACH * (right - left)
    if reach and np.mean(values > right + reach) < TAIL_SHARE:
        high = min(high, right + reach)
    if reach and np.mean(values < left - reach) < TAIL_SHARE:
        low = max(low, left - reach)
    return low, high


def _bins_of_values(values: npt.NDArray[np.float64]) -> tuple[list[float], list[Bin]]:
    pairs = [(float(a), float(b)) for a, b in pairwise(values)]
    middles = [middle if (middle := (a + b) / 2) > a else b for a, b in pairs]  # of two neighbours there is none
    gap = (middles[0] - float(values[0])) if middles else 0.5
    edges = [
        float(values[0]) - gap,
        *middles,
        float(values[-1]) + (float(values[-1]) - middles[-1] if middles else 0.5),
    ]
    return edges, [Bin(short(float(value)), Range(float(value), float(value), is_closed=True)) for value in values]


def _count(values: npt.NDArray[np.float64], edges: Sequence[float]) -> npt.NDArray[np.int64]:
    """Count values per half-open bin; what lies outside belongs to the outermost bin."""
    places = np.searchsorted(np.asarray(edges[1:-1]), values, side="right")
    return np.bincount(places, minlength=len(edges) - 1).astype(np.int64)


class Estimate(NamedTuple):
    """A value with its interval on an axis, in percent; None where there is none."""

    x: float | None
    low: float | None
    high: float | None


def estimate(scale: Scale, value: float | None, low: float | None, high: float | None) -> Estimate:
    """Lay a value and its interval out."""
    return Estimate(*(None if number is None else scale.at(number) for number in (value, low, high)))
