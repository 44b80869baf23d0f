"""Means of scores by group of images, with intervals that know that images of one prompt depend on each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.data.column_names import full_name
from diptych.data.generated_columns import BENCHMARK, CATEGORY
from diptych.evaluate.collected import Findings
from diptych.evaluate.inputs.asked_rows import is_asked_for
from diptych.evaluate.inputs.category_sets import categories_of_sets, kind_of, unanswered
from diptych.evaluate.inputs.cautions import share_caution
from diptych.evaluate.inputs.choices import MeanOver
from diptych.evaluate.inputs.memberships import members
from diptych.evaluate.inputs.prompt_images import prompt_weights
from diptych.evaluate.inputs.scored_rows import Index, RowGroup, ScoredColumn, ScoredRows
from diptych.evaluate.score_names import OF_CATEGORIES, OF_PROMPTS, PARTS, ImageMetric, metric_of
from diptych.evaluate.statistics.intervals import ClusteredMean, clustered_mean
from diptych.evaluate.statistics.macro_shares import clustered_share, mean_of_shares
from diptych.scores import Direction
from diptych.store.store import ResultRow

Numbers = npt.NDArray[np.float64]

WORST = "_worst"  # behind the name of a metric: what it is if all without an answer were wrong


@dataclass(frozen=True)
class AskedMean:
    """Which mean is asked for.

    Attributes:
        score: A column of a score, ``label.column``.
        by: Columns that make the groups.
        prompts: The kind of prompt set whose images it is about; None for all.
        facts: What decides the number beside the score, for its identity.
        over: Whether it is taken in each prompt or category first; over images, it is what the metric is otherwise.
        category_parts: How much each category then counts; none where all count alike.
        with_category: Whether images of prompts without a category are left out.
        counts_unscored: Whether an image without a number counts as the worst there can be.
    """

    score: str
    by: tuple[str, ...] = ()
    prompts: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    over: MeanOver = "images"
    category_parts: Mapping[str, float] = field(default_factory=dict)
    with_category: bool = False
    counts_unscored: bool = False

    @property
    def metric_name(self) -> str:
        """What the mean is called, behind the label of the score: as ``of`` names it, without any rows."""
        label, dot, column = self.score.rpartition(".")
        name = f"{label}{dot}{metric_of(column, {}).name}"
        return _at_worst(name) if self.counts_unscored else name

    def of(self, rows: ScoredRows) -> "MeasuredMean":
        """Return the column of a dataset ready to be averaged."""
        ready = measured(rows.score(self.score))
        ready = replace(ready, is_asked=ready.is_asked & is_asked_for(rows, self.prompts))
        facts = dict(self.facts)
        if self.over == "prompts":
            ready = replace(ready, metric=replace(ready.metric, of_prompts=True))
            facts["mean"] = OF_PROMPTS
        if self.over == "categories":
            ready = replace(ready, metric=ready.metric.of_categories(self.category_parts))
            facts |= {"mean": OF_CATEGORIES, **({PARTS: dict(self.category_parts)} if self.category_parts else {})}
        own = dict(ready.identity)
        if self.with_category:
            ready = replace(ready, is_asked=ready.is_asked & _has_category(rows))
            facts["images"] = "of prompts with a category"
        if self.counts_unscored:
            ready = at_worst(ready)
            end = "highest" if ready.better_for_models == "lower" else "lowest"
            own |= {"unscored": f"the {end} there can be", "counts": "images without an answer too"}
        if self.with_category or self.counts_unscored:
            own["of"] = own.pop("column")  # no mean of the column: whoever computes it again from the images must know
        return replace(ready, identity={**own, **facts})


@dataclass(frozen=True)
class MeasuredMean:
    """A score column ready to be averaged.

    Attributes:
        name: Of the metric, behind the label of the score: ``match.clip_score``.
        metric: What it is.
        identity: Everything that decides its numbers.
        values: float64 (N,): NaN is unscored.
        is_asked: bool (N,): rows that the metric is about.
        better_for_data: Which way is better where the images are selected, see ``diptych.scores.Column``.
        better_for_models: Where a model is judged by them.
    """

    name: str
    metric: ImageMetric
    identity: Mapping[str, Any]
    values: npt.NDArray[np.float64]
    is_asked: npt.NDArray[np.bool_]
    better_for_data: Direction | None
    better_for_models: Direction | None


def measured(column: ScoredColumn) -> MeasuredMean:
    """Return a column ready to be averaged."""
    metric = metric_of(column.column, column.facts)
    values = metric.prepare(column.values)
    is_flag = column.facts["dtype"] == "bool" or (metric.low, metric.high) == (0.0, 1.0)
    if is_flag and np.isin(values[np.isfinite(values)], (0.0, 1.0)).all():
        metric = replace(metric, is_share=True)
    identity = {**metric.facts, **column.source}
    name = full_name(column.label, metric.name)
    directions = column.facts["better_for_data"], column.facts["better_for_models"]
    return MeasuredMean(name, metric, identity, values, column.is_asked, *directions)


def at_worst(ready: MeasuredMean) -> MeasuredMean:
    """Return a column in which an image without a number has the worst there can be, under a name that says so."""
    worst = ready.metric.high if ready.better_for_models == "lower" else ready.metric.low
    assert worst is not None, ready.metric.name
    return replace(ready, name=_at_worst(ready.name), values=np.where(np.isnan(ready.values), worst, ready.values))


def _at_worst(name: str) -> str:
    return name if name.endswith(WORST) else f"{name}{WORST}"


def _has_category(rows: ScoredRows) -> npt.NDArray[np.bool_]:
    found = np.zeros(len(rows), bool)
    if rows.has(CATEGORY):
        each = categories_of(rows, np.arange(len(rows)))
        found[each.positions[each.names != ""]] = True
    return found


def mean_rows(rows: ScoredRows, asked: AskedMean, found: Findings) -> Iterator[ResultRow]:
    """Yield the means of a score over the groups of a dataset; by category too where the metric says so."""
    ready = asked.of(rows)
    for group in rows.groups(asked.by):
        yield from mean_rows_of_group(rows, ready, group, found)


def mean_rows_of_group(rows: ScoredRows, ready: MeasuredMean, group: RowGroup, found: Findings) -> Iterator[ResultRow]:
    """Yield the mean of one group; those of its categories too where the metric says so."""
    asked = RowGroup(group.values, group.rows[ready.is_asked[group.rows]])
    wanted = _wanted(rows, ready, asked) if ready.metric.by_category and CATEGORY not in group.values else frozenset()
    categories = categories_of(rows, asked.rows) if len(wanted) > 1 else None
    yield _row(rows, ready, asked, None if categories is None else categories.among(wanted, ready.metric), found)
    if categories is not None:
        for category in np.unique(categories.names):
            own = asked.rows[categories.positions[categories.names == category]]
            yield _row(rows, ready, RowGroup({**group.values, CATEGORY: str(category) or None}, own), None, found)


class Categories(NamedTuple):
    """The categories of some rows: a row that has several stands there several times.

    Attributes:
        positions: int64 (M,): which of the rows.
        names: Text (M,); empty for a row without a category.
        wanted: All categories of the set of prompts that the rows are of.
        parts: float64 (M,): how much the category counts; None where all count alike.
    """

    positions: Index
    names: npt.NDArray[np.object_]
    wanted: frozenset[str] = frozenset()
    parts: npt.NDArray[np.float64] | None = None

    def among(self, wanted: frozenset[str], metric: ImageMetric) -> "Categories":
        """Return the same, as of a set of prompts that has some categories, as a metric counts them."""
        counted = np.array([metric.counts(name) for name in self.names], bool)
        names = self.names[counted]
        return Categories(self.positions[counted], names, wanted, metric.parts_of(names))

    @property
    def told(self) -> str:
        """What a mean over them is over, in words."""
        return f"mean over {len(self.wanted)} categories{'' if self.parts is None else ' by their weights'}"


def categories_of(rows: ScoredRows, index: Index) -> Categories:
    """Return the categories of some rows of a dataset; where it has none, all are without one."""
    if not rows.has(CATEGORY):
        return Categories(np.arange(len(index)), np.full(len(index), "", object))
    found = members(rows.values(CATEGORY).take(pa.array(index)))
    names = found.values.cast(pa.string()).fill_null("").to_numpy(zero_copy_only=False)
    return Categories(found.positions, names)


def _wanted(rows: ScoredRows, ready: MeasuredMean, asked: RowGroup) -> frozenset[str]:
    """Return the categories of the benchmarks of some rows, also those of which the group has no row."""
    if not rows.has(CATEGORY):
        return frozenset(ready.metric.category_parts)
    every, own = np.flatnonzero(ready.is_asked), [""]
    if rows.has(BENCHMARK):
        labels = rows.values(BENCHMARK)
        own = labels.take(pa.array(asked.rows)).unique().to_pylist()
        every = every[pc.is_in(labels, pa.array(own, labels.type)).to_numpy(zero_copy_only=False)[every]]
    kinds = (kind_of(str(label), rows.prompt_kinds) for label in own)
    found = categories_of_sets(kinds, np.unique(categories_of(rows, every).names).tolist())
    return found | frozenset(ready.metric.category_parts)


def _row(
    rows: ScoredRows, ready: MeasuredMean, group: RowGroup, categories: Categories | None, found: Findings
) -> ResultRow:
    metric = ready.metric
    values = ready.values[group.rows]
    weights = prompt_weights(rows, group.rows, values) if metric.of_prompts else None
    if metric.is_share:
        mean, how = _mean_of_flags(rows, group.rows, values, categories, weights)
    else:
        mean, how = _mean_of_numbers(values, rows.prompts[group.rows], categories, weights)
    reason, lacking = None, "" if categories is None else _lacking(values, categories)
    if not mean.n:
        reason, how = "nothing_asked" if not len(values) else "nothing_scored", ""
    elif lacking:
        nothing = float("nan")
        reason, how = "categories_missing", lacking
        mean = mean._replace(value=nothing, se=nothing, ci_low=nothing, ci_high=nothing)
    elif not np.isfinite(mean.ci_low):
        how = why_no_interval(mean)
    return ResultRow(
        found.run_id,
        ready.name,
        rows.label,
        group.values,
        mean.value,
        mean.se if np.isfinite(mean.ci_low) else float("nan"),
        _within(mean.ci_low, metric),
        _within(mean.ci_high, metric),
        mean.n,
        mean.n_unscored,
        metric.unit,
        ready.better_for_models if rows.role == "generated" else ready.better_for_data,
        found.identify(ready.identity),
        reason,
        how or None,
        caution=share_caution(rows, group.rows[np.isfinite(values)]) if metric.is_share and reason is None else None,
    )


def why_no_interval(mean: ClusteredMean) -> str:
    """Return in words why a number of some images has none."""
    if mean.n_clusters < 2:
        return "no interval: all images are of one prompt"
    spread = f"nothing varies among {mean.n_clusters:,} prompts"
    return f"no interval: {spread}, so that nothing tells how far off others may be"


def _lacking(values: npt.NDArray[np.float64], categories: Categories) -> str:
    scored = np.isfinite(values[categories.positions])
    return unanswered(categories.wanted, np.unique(categories.names[scored]).tolist())


def _mean_of_numbers(
    values: npt.NDArray[np.float64], prompts: Index, categories: Categories | None, weights: Numbers | None
) -> tuple[ClusteredMean, str]:
    if categories is None:
        mean = clustered_mean(values, prompts, weights=weights)
        over = "images" if weights is None else "prompts, in each over its images"
        return mean, f"mean over {over}; interval clustered by {mean.n_clusters:,} prompts (Student)"
    at, scored = categories.positions, np.isfinite(values)
    mean = clustered_mean(values[at], prompts[at], categories.names, parts=categories.parts)
    mean = mean._replace(n=int(scored.sum()), n_unscored=int((~scored).sum()))
    return mean, f"{categories.told}; interval clustered by {mean.n_clusters:,} prompts (Student)"


def _mean_of_flags(
    rows: ScoredRows,
    index: Index,
    values: npt.NDArray[np.float64],
    categories: Categories | None,
    weights: Numbers | None,
) -> tuple[ClusteredMean, str]:
    prompts, draws, scored = rows.prompts[index], rows.draws[index], np.isfinite(values)
    if categories is None:
        mean, units = clustered_share(values, prompts, draws, weights), rows.units_text(index[scored])
        of = "share of images" if weights is None else "mean over prompts of the share of their images"
        return mean, f"{of}; interval clustered by {units} (Wilson, effective n)"
    at = categories.positions
    mean = mean_of_shares(values[at], prompts[at], categories.names, draws[at], categories.parts)
    mean = mean._replace(n=int(scored.sum()), n_unscored=int((~scored).sum()))
    return mean, f"{categories.told}; interval from theirs (MOVER), {mean.n_clusters:,} prompts"


def _within(end: float, metric: ImageMetric) -> float:
    """Return the end of an interval, not beyond what the metric can be."""
    low = -np.inf if metric.low is None else metric.low
    high = np.inf if metric.high is None else metric.high
    return float(np.clip(end, low, high))
