"""Differences between models, or between settings, over images of the same prompt, sample and everything else.

Both sides drew the same seeds (common random numbers), so most of the spread of a score cancels. Cut by prompts, which
are the clusters; p-values are adjusted over all comparisons of one metric at one level (whole, category, setting).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.data.generated_columns import columns_of, equal_in_pairs
from diptych.evaluate.collected import Findings
from diptych.evaluate.config import Compare, EvaluateConfig
from diptych.evaluate.inputs.scored_rows import Index, ScoredRows, codes
from diptych.evaluate.score_names import ImageMetric
from diptych.evaluate.statistics.intervals import LEVEL, Interval
from diptych.evaluate.statistics.means import CATEGORY, MeasuredMean, measured
from diptych.evaluate.statistics.paired import Difference, holm, paired_difference
from diptych.store.store import DifferenceRow

Texts = npt.NDArray[np.object_]  # not of fixed width: one prompt of a megabyte would make them all that wide


@dataclass(frozen=True)
class Images:
    """The images of some datasets that a metric is about, side by side.

    Attributes:
        side: Text (N,): the value that is compared, such as the model.
        prompt: int64 (N,): a number per prompt.
        unit: int64 (N,): a number per prompt and sample.
        rest: Text (N,): what must be equal beside the unit, such as the setting.
        category: Text (N,).
        dataset: Text (N,): label.
        values: float64 (N,).
    """

    side: Texts
    prompt: Index
    unit: Index
    rest: Texts
    category: Texts
    dataset: Texts
    values: npt.NDArray[np.float64]

    def take(self, mask: npt.NDArray[np.bool_]) -> "Images":
        """Return some of the images."""
        return Images(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))


class ImagePairs(NamedTuple):
    """The units that both sides have, with what each says, and in ``note`` how they are not quite the same."""

    a: npt.NDArray[np.float64]
    b: npt.NDArray[np.float64]
    prompt: Index
    category: Texts
    rest: Texts
    dataset: str
    note: Mapping[str, Any]

    def take(self, mask: npt.NDArray[np.bool_]) -> "ImagePairs":
        """Return some of the pairs."""
        return self._replace(
            a=self.a[mask],
            b=self.b[mask],
            prompt=self.prompt[mask],
            category=self.category[mask],
            rest=self.rest[mask],
        )


def add_differences(config: EvaluateConfig, rows: Mapping[str, ScoredRows], found: Findings) -> None:
    """Add the paired differences of every mean of the config."""
    compare = config.compare
    if compare is None:
        return
    for mean in {(mean.score, mean.datasets): mean for mean in config.means}.values():
        judged = [rows[label] for label in config.judged(mean.datasets)]
        ready = [measured(each.score(mean.score)) for each in judged]
        images = gather(judged, ready, compare.by)
        maker = Maker(found.run_id, ready[0], found.identify(ready[0].identity))
        for family in _families(images, maker, compare):
            found.differences += adjusted(family)


def sides_of(rows: Sequence[ScoredRows], by: str) -> list[str]:
    """Return the values that can be compared, in order."""
    return sorted({text for each in rows for text in _texts(each, by)})


def gather(rows: Sequence[ScoredRows], ready: Sequence[MeasuredMean], by: str) -> Images:
    """Return the images of some datasets that a metric is about, ready to be paired by a column."""
    columns = {name: [text for each in rows for text in _texts(each, name)] for name in needed_columns(by)}
    columns["dataset"] = [each.label for each in rows for _ in range(len(each))]
    images = images_of(columns, np.concatenate([each.values for each in ready]), by)
    return images.take(np.concatenate([each.is_asked for each in ready]))


def needed_columns(by: str) -> tuple[str, ...]:
    """Return the columns that decide which images make a pair."""
    return (*columns_of("prompt", "sample"), *equal_in_pairs(by), by, CATEGORY)


def images_of(columns: Mapping[str, Sequence[str]], values: npt.NDArray[np.float64], by: str) -> Images:
    """Return images from the text of ``needed_columns`` and ``dataset``, and their numbers."""
    prompt, sample = (
        [pa.array(columns[name], pa.string()) for name in names]
        for names in (columns_of("prompt"), columns_of("sample"))
    )
    rest = zip(*(columns[name] for name in equal_in_pairs(by)), strict=True)
    return Images(
        _objects(columns[by]),
        codes(prompt, len(values)),
        codes([*prompt, *sample], len(values)),
        _objects([" ".join(parts) for parts in rest]),
        _objects(columns[CATEGORY]),
        _objects(columns["dataset"]),
        values,
    )


def pair(images: Images, a: str, b: str, *, by: str) -> ImagePairs:
    """Return what both sides have. Where one side has several images for one unit, their mean stands for them.

    Models that were run with one setting each, and not the same one, are paired all the same; ``note`` says so. What
    is compared by anything but the model is equal in all the rest, or no pair.
    """
    left, right = images.take(images.side == a), images.take(images.side == b)
    note: Mapping[str, Any] = {}
    settings = sorted(set(left.rest)), sorted(set(right.rest))
    if by == "model" and settings[0] != settings[1] and len(settings[0]) == len(settings[1]) == 1:
        note = {"setting_a": settings[0][0], "setting_b": settings[1][0]}
        left, right = (replace(side, rest=_objects([""] * len(side.rest))) for side in (left, right))
    everything = np.concatenate([left.rest, right.rest])
    units = codes(
        [pa.array(np.concatenate([left.unit, right.unit])), pa.array(everything, pa.string())], len(everything)
    )
    of_left, of_right = units[: len(left.unit)], units[len(left.unit) :]
    common = np.intersect1d(of_left, of_right)
    first = np.searchsorted(np.sort(of_left), common)
    first = np.argsort(of_left, kind="stable")[first]
    labels = sorted({*left.dataset[np.isin(of_left, common)], *right.dataset[np.isin(of_right, common)]})
    return ImagePairs(
        _mean_by(of_left, left.values, common),
        _mean_by(of_right, right.values, common),
        left.prompt[first],
        left.category[first],
        left.rest[first],
        "+".join(labels or sorted({*left.dataset, *right.dataset})),
        note,
    )


def _families(images: Images, maker: "Maker", compare: Compare) -> Iterator[list[DifferenceRow]]:
    """Yield the differences of all images, those by category, and those by what pairs share, such as the setting."""
    sides = sorted(set(images.side))
    couples = [(side, compare.baseline) for side in sides if side != compare.baseline]
    if compare.baseline is None:
        couples = list(combinations(sides, 2))
    shared = equal_in_pairs(compare.by)
    whole, by_category, by_shared = [], [], []
    for a, b in couples:
        pairs = pair(images, str(a), str(b), by=compare.by)
        whole.append(maker.row(str(a), str(b), pairs))
        for category in _several(pairs.category):
            part = pairs.take(pairs.category == category)
            by_category.append(maker.row(str(a), str(b), part, {CATEGORY: category}))
        for rest in _several(pairs.rest) if len(shared) == 1 else ():
            by_shared.append(maker.row(str(a), str(b), pairs.take(pairs.rest == rest), {shared[0]: rest}))
    yield from (whole, by_category, by_shared)


def _several(texts: Texts) -> list[str]:
    """Return the different texts in order; none if there is but one."""
    different = sorted(set(texts))
    return different if len(different) > 1 else []


@dataclass(frozen=True)
class Maker:
    """Makes the rows of one metric."""

    run_id: str
    ready: MeasuredMean
    identity_id: str

    def row(self, a: str, b: str, pairs: ImagePairs, groups: Mapping[str, Any] | None = None) -> DifferenceRow:
        """Return the difference a - b over some pairs; ``p_adjusted`` is still open."""
        metric = self.ready.metric
        categories = pairs.category if metric.by_category else None
        found = paired_difference(pairs.a, pairs.b, pairs.prompt, categories)
        ends = ends_of(found, metric)
        reason = None
        if not found.n:
            reason = "nothing_scored" if len(pairs.a) else "no_common_images"
        elif not np.isfinite(found.se):
            reason = "too_few_prompts"  # the value is there, its error is not known
        elif not np.isfinite(ends.low):
            reason = "no_spread"
        return DifferenceRow(
            self.run_id,
            self.ready.name,
            pairs.dataset,
            {**pairs.note, **(groups or {})},
            a,
            b,
            found.value,
            found.se,
            ends.low,
            ends.high,
            found.p_value,
            None,
            found.n,
            found.n_clusters,
            self.ready.better_for_models,
            self.identity_id,
            reason,
        )


def ends_of(found: Difference, metric: ImageMetric) -> Interval:
    """Return the interval of a difference: of some width, and not beyond what the metric can differ by.

    Prompts that all differ by the same d show no spread. As many as they are, at least q = 0.025^(1 / prompts) of all
    would do the same (Clopper and Pearson 1934, as all did); the others may differ by -d. So the interval is
    d -+ 2 (1 - q) |d|, which excludes 0 exactly where the sign test's p-value is below 0.05. Where d is 0, the others
    of a share may differ by 1; of other metrics nobody knows by how much, and there is no interval.

    >>> from diptych.evaluate.score_names import OBJECT_ACCURACY
    >>> ends = ends_of(paired_difference(np.ones(6), np.zeros(6), np.arange(6)), OBJECT_ACCURACY)
    >>> round(ends.low, 3), ends.high
    (0.081, 1.0)
    """
    low, high = found.ci_low, found.ci_high
    if np.isfinite(found.se) and found.se <= abs(found.value) * 1e-12:  # as in the p-value: all but rounding
        other = 2.0 * abs(found.value) or (1.0 if metric.by_category else float("nan"))
        half = (1.0 - ((1.0 - LEVEL) / 2.0) ** (1.0 / found.n_clusters)) * other
        low, high = found.value - half, found.value + half
    if metric.low is not None and metric.high is not None:
        widest = metric.high - metric.low
        low, high = (float(np.clip(end, -widest, widest)) for end in (low, high))
    return Interval(low, high)


def adjusted(family: Sequence[DifferenceRow]) -> list[DifferenceRow]:
    """Return the rows with their p-values adjusted for their number, see ``holm``."""
    p_values = np.array([np.nan if row.p_value is None else row.p_value for row in family], np.float64)
    return [replace(row, p_adjusted=float(p)) for row, p in zip(family, holm(p_values), strict=True)]


def _mean_by(units: Index, values: npt.NDArray[np.float64], wanted: Index) -> npt.NDArray[np.float64]:
    """Return the mean of the values of each wanted unit; NaN where one of them is missing."""
    place = np.searchsorted(wanted, units)
    known = (place < len(wanted)) & (
        wanted[np.minimum(place, max(len(wanted) - 1, 0))] == units if len(wanted) else False
    )
    sums = np.bincount(place[known], values[known], minlength=len(wanted))
    with np.errstate(invalid="ignore"):
        means: npt.NDArray[np.float64] = sums / np.bincount(place[known], minlength=len(wanted))
    return means


def _texts(rows: ScoredRows, name: str) -> list[str]:
    """Return a column as text; a column that the dataset does not have is empty text, so that rows are equal in it."""
    if name not in rows.table.column_names:
        return [""] * len(rows)
    return [value_text(value) for value in rows.values(name).to_pylist()]


def value_text(value: Any) -> str:
    """Return a value as it is written in a config and shown in a report.

    >>> value_text(7.0), value_text(None), value_text("")
    ('7', 'none', '')
    """
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _objects(texts: Sequence[str]) -> Texts:
    array = np.empty(len(texts), object)
    array[:] = texts
    return array
