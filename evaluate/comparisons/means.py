"""Paired differences of means between models, or between settings.

Both sides drew the same seeds (common random numbers), so most of the spread of a score cancels. Cut by prompts, which
are the clusters.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from diptych.data.generated_columns import CATEGORY
from diptych.evaluate.collected import Findings
from diptych.evaluate.comparisons.choices import Compare
from diptych.evaluate.comparisons.compared_images import Images, gather
from diptych.evaluate.comparisons.pairs import ImagePairs, couples, pairs_by_dataset, parts_of
from diptych.evaluate.inputs.category_sets import unanswered
from diptych.evaluate.inputs.scored_rows import Index, ScoredRows
from diptych.evaluate.metrics.means import AskedMean, MeasuredMean
from diptych.evaluate.protocols.contract import Protocol
from diptych.evaluate.protocols.coverage import foreign_prompts, number_note
from diptych.evaluate.score_names import ImageMetric
from diptych.evaluate.statistics.intervals import LEVEL, Interval
from diptych.evaluate.statistics.nested_means import leaf_parts
from diptych.evaluate.statistics.paired import Difference, paired_difference
from diptych.progress.wording import quantity
from diptych.store.store import DifferenceRow


def mean_differences(
    judged: Sequence[ScoredRows],
    mean: AskedMean,
    compare: Compare,
    found: Findings,
    protocol: Protocol | None = None,
    told: str = "",
) -> Iterator[DifferenceRow]:
    """Yield the paired differences of the mean of a score, apart by dataset; ``p_adjusted`` is still open.

    Args:
        judged: The datasets.
        mean: Of which score.
        compare: What is held against what.
        found: Where identities are noted.
        protocol: Whose number it is; None where it is none of a protocol.
        told: What there is to say of its judge.
    """
    ready = [mean.of(each) for each in judged]
    values, asked = np.concatenate([one.values for one in ready]), np.concatenate([one.is_asked for one in ready])
    images = gather(judged, values, asked, compare.by)
    maker = DifferenceMaker.of(ready[0], found)
    if protocol is not None:
        about = [np.flatnonzero(one.is_asked) for one in ready]
        maker = replace(maker, protocol=protocol, told=(*foreign_of(protocol, judged, about), told))
    yield from image_differences(images, maker, compare)


def foreign_of(protocol: Protocol, judged: Sequence[ScoredRows], about: Sequence[Index]) -> tuple[str, ...]:
    """Return which prompts of some rows of datasets are not upstream's, each once."""
    each = (foreign_prompts(protocol, rows, of) for rows, of in zip(judged, about, strict=True))
    return tuple(dict.fromkeys(told for some in each for told in some))


def image_differences(
    images: Images, maker: "DifferenceMaker", compare: Compare, *, cut: str = CATEGORY
) -> Iterator[DifferenceRow]:
    """Yield the paired differences of what each image says, or each line about one, apart by dataset.

    Args:
        images: What is compared.
        maker: Of the rows.
        compare: What is held against what.
        cut: What their categories are called among the groups of a difference.
    """
    for a, b in couples(images, compare.baseline):
        for pairs in pairs_by_dataset(images, a, b, by=compare.by):
            yield maker.row(a, b, pairs)
            for groups, part in parts_of(pairs, cut, compare.by, of_kinds=maker.ready.metric.of_kinds):
                yield maker.row(a, b, part, groups)


def _difference(pairs: ImagePairs, metric: ImageMetric) -> Difference:
    """Return the mean difference, or that over prompts or categories; a pair of several counts in each of them."""
    if metric.of_kinds:
        return _difference_of_kinds(pairs)
    if metric.of_prompts:
        return paired_difference(pairs.a, pairs.b, pairs.prompt, weights=pairs.prompt_weights)
    if not metric.by_category:
        return paired_difference(pairs.a, pairs.b, pairs.prompt, weights=pairs.weights)
    counted = [[name for name in names if metric.counts(name)] for names in pairs.category]
    at = np.repeat(np.arange(len(pairs.a)), [len(names) for names in counted])
    names = [name for each in counted for name in each]
    parts = metric.parts_of(names)
    found = paired_difference(pairs.a[at], pairs.b[at], pairs.prompt[at], names, pairs.weights[at], parts)
    scored = int((np.isfinite(pairs.a) & np.isfinite(pairs.b)).sum())
    return found._replace(n=scored, n_unscored=len(pairs.a) - scored)


def _difference_of_kinds(pairs: ImagePairs) -> Difference:
    """Return the mean difference over kinds, in each over its own."""
    known = pairs.take(np.isfinite(pairs.a) & np.isfinite(pairs.b))
    leaves = np.array(["".join(names[-1:]) for names in known.category], object).astype(str)
    parts = leaf_parts(known.category.tolist())
    found = paired_difference(known.a, known.b, known.prompt, leaves, known.weights, parts)
    return found._replace(n_unscored=len(pairs.a) - len(known.a))


def _answered(pairs: ImagePairs) -> set[str]:
    """Return the categories in which a pair is scored on both sides."""
    scored = np.isfinite(pairs.a) & np.isfinite(pairs.b)
    return {name for names in pairs.category[scored] for name in names}


def _unknown(found: Difference) -> Difference:
    nothing = float("nan")
    return found._replace(value=nothing, se=nothing, ci_low=nothing, ci_high=nothing, p_value=nothing)


@dataclass(frozen=True)
class DifferenceMaker:
    """Makes the rows of one metric.

    Attributes:
        run_id: Of the run.
        ready: The metric.
        identity_id: Of it.
        protocol: Whose number it is; None where it is none of a protocol.
        told: What all differences rest on less than it seems.
    """

    run_id: str
    ready: MeasuredMean
    identity_id: str
    protocol: Protocol | None = None
    told: tuple[str, ...] = ()

    @classmethod
    def of(cls, ready: MeasuredMean, found: Findings) -> "DifferenceMaker":
        """Return the maker of a metric's rows for a run."""
        return cls(found.run_id, ready, found.identify(ready.identity))

    def row(self, a: str, b: str, pairs: ImagePairs, groups: Mapping[str, Any] | None = None) -> DifferenceRow:
        """Return the difference a - b over some pairs; ``p_adjusted`` is still open."""
        metric = self.ready.metric
        found, reason = _difference(pairs, metric), None
        if not found.n:
            reason = "nothing_scored" if len(pairs.a) else "no_common_images"
        elif metric.by_category and unanswered({*pairs.categories, *metric.category_parts}, _answered(pairs)):
            reason, found = "categories_missing", _unknown(found)
        ends = ends_of(found, metric)
        if reason is None and not np.isfinite(ends.low):  # the value is there, its error is not known
            reason = "no_spread" if np.isfinite(found.se) else "too_few_prompts"
        return DifferenceRow(
            self.run_id,
            self.ready.name,
            pairs.dataset,
            {**pairs.note, **(groups or {})},
            a,
            b,
            found.value,
            found.se if np.isfinite(ends.low) else float("nan"),
            ends.low,
            ends.high,
            found.p_value,
            None,
            found.n,
            found.n_clusters,
            self.ready.better_for_models,
            self.identity_id,
            reason,
            self._caution(pairs, found, is_of_all=groups is None) if found.n else None,
            found.df,
            *self._won(found),
            found.effect,
        )

    def _won(self, found: Difference) -> tuple[int | None, int | None, int | None]:
        """Return in how many prompts a is better, equal and worse; where neither way is better, higher and lower."""
        if not found.n_clusters:
            return None, None, None
        wins, losses = found.above, found.below
        if self.ready.better_for_models == "lower":
            wins, losses = losses, wins
        return wins, found.n_clusters - wins - losses, losses

    def _caution(self, pairs: ImagePairs, found: Difference, *, is_of_all: bool) -> str | None:
        """Return what a difference over some pairs, or over all, rests on less than it seems."""
        told = []
        if found.n_unscored:
            told.append(f"{quantity(found.n_unscored, 'pair')} left out, as a side of it is unscored")
        if is_of_all:
            told += self.told
        if is_of_all and self.protocol is not None:
            scored = np.isfinite(pairs.a) & np.isfinite(pairs.b)
            told.append(number_note(self.protocol, len(np.unique(pairs.asked[scored]))))
        return "; ".join(filter(None, told)) or None


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
        other = 2.0 * abs(found.value) or (1.0 if metric.is_share else float("nan"))
        half = (1.0 - ((1.0 - LEVEL) / 2.0) ** (1.0 / found.n_clusters)) * other
        low, high = found.value - half, found.value + half
    if metric.low is not None and metric.high is not None:
        widest = metric.high - metric.low
        low, high = (float(np.clip(end, -widest, widest)) for end in (low, high))
    return Interval(low, high)
