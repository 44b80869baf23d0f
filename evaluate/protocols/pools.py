"""Numbers over questions, over images by their weights, or over texts, with intervals that are clustered by prompt.

n counts what is pooled, not images. The interval is that of a mean over images whose prompts are clusters, so that the
many questions about one prompt are no more than they are worth.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.data.column_names import full_name
from diptych.evaluate.collected import Findings
from diptych.evaluate.inputs.cautions import share_caution
from diptych.evaluate.inputs.scored_rows import Index, ScoredRows
from diptych.evaluate.metrics.means import WORST, why_no_interval
from diptych.evaluate.protocols import text_errors
from diptych.evaluate.protocols.contract import QuestionPool, TextErrors, WeightedImages
from diptych.evaluate.protocols.items import PoolItems, pool_items
from diptych.evaluate.protocols.means import CountedRule
from diptych.evaluate.score_names import ImageMetric
from diptych.evaluate.statistics.intervals import ClusteredMean, clustered_mean
from diptych.evaluate.statistics.macro_shares import clustered_share, mean_of_shares
from diptych.evaluate.statistics.nested_means import leaf_parts
from diptych.progress.wording import quantity
from diptych.store.store import ResultRow

QUESTION_KIND = "question_kind"  # among the groups of a result: of which questions it is
QUESTIONS_RIGHT = "questions_right"
TEXT_SCORE = "text_score"
POOLED = "_pooled"  # behind a column: its number over all texts is another than its mean over images
VERSION = 1


def pool_name(pool: QuestionPool | WeightedImages | TextErrors) -> str:
    """Return what the number of a pool is called, behind the label of its score."""
    if isinstance(pool, QuestionPool):
        return QUESTIONS_RIGHT
    return (TEXT_SCORE if isinstance(pool, TextErrors) else pool.column) + POOLED


@dataclass(frozen=True, eq=False)
class RulePool:
    """The pool of a rule over some of the images of a dataset.

    Attributes:
        rule: Whose pool it is.
        rows: The dataset.
        items: What is pooled.
    """

    rule: CountedRule
    rows: ScoredRows
    items: PoolItems

    @classmethod
    def of(cls, rule: CountedRule, rows: ScoredRows) -> "RulePool | None":
        """Return the pool of a rule over a dataset; None where the rule pools nothing."""
        if rule.rule.pool is None:
            return None
        return cls(rule, rows, pool_items(rows, rule.label, rule.rule.pool, rule.protocol.prompts))

    def among(self, inside: npt.NDArray[np.bool_]) -> "RulePool":
        """Return what of it is about some rows of the dataset, (N,)."""
        return replace(self, items=self.items.take(inside[self.items.rows]))

    @property
    def metric(self) -> ImageMetric:
        """What its numbers are."""
        pool = self.rule.rule.pool
        assert pool is not None
        name = pool_name(pool)
        if isinstance(pool, QuestionPool):
            facts = {"metric": name, "version": VERSION, "reach": pool.reach, "unanswered": pool.unanswered}
            facts |= {"mean": "over kinds, in each over its own"} if pool.of_kinds else {}
            return ImageMetric(name, "share of questions", 0.0, 1.0, facts, of_kinds=pool.of_kinds)
        if isinstance(pool, TextErrors):
            facts = {"metric": name, "version": VERSION, "most_edits": pool.most_edits, "capped": pool.capped}
            return ImageMetric(name, "1 - edits x inexact x unread", 0.0, 1.0, facts)
        facts = {"metric": "weighted_mean", "version": VERSION, "of": pool.column, "weight": pool.weight}
        return ImageMetric(name, f"mean by {pool.weight}", 0.0, 1.0, facts)

    @property
    def noun(self) -> str:
        """What n counts."""
        return "questions" if isinstance(self.rule.rule.pool, QuestionPool) else "images"

    @property
    def name(self) -> str:
        """The metric behind the label of its score."""
        return full_name(self.rule.label, self.metric.name)

    @property
    def identity(self) -> Mapping[str, Any]:
        """Everything that decides its numbers, and what they count."""
        column = self.rows.table.columns[self.rule.scored]
        return {**self.metric.facts, "counts": self.noun, **self.rule.facts, "score": dict(column.identity)}

    @property
    def is_whole(self) -> bool:
        """Whether all items together are a number of the protocol."""
        pool = self.rule.rule.pool
        return not isinstance(pool, QuestionPool) or pool.is_whole

    def parts(self, *, with_kinds: bool) -> Iterator["PoolPart"]:
        """Yield the whole, where it is a number of the protocol, and the items of each kind."""
        if self.is_whole:
            yield PoolPart(self, "", self._valued(self.items))
        names = {name for kinds in self.items.kinds for name in kinds} if with_kinds else set()
        for name in sorted(names):
            yield PoolPart(self, name, self.items.take(np.array([name in kinds for kinds in self.items.kinds], bool)))

    def _valued(self, items: PoolItems) -> PoolItems:
        """Return items with what each is worth among these."""
        pool = self.rule.rule.pool
        if not isinstance(pool, TextErrors):
            return items
        return items._replace(values=text_errors.shares_of(items.parts, pool))

    def at_worst(self, items: PoolItems) -> npt.NDArray[np.float64]:
        """Return what items are worth if all without an answer were as wrong as can be, (M,)."""
        pool = self.rule.rule.pool
        if isinstance(pool, TextErrors):
            return text_errors.shares_of(text_errors.at_worst(items.parts), pool)
        return np.nan_to_num(items.values)


class PoolPart(NamedTuple):
    """Some of the items of a pool: all of them, or those of one kind."""

    pool: RulePool
    kind: str
    items: PoolItems

    @property
    def lacking(self) -> Sequence[str]:
        """Why items have no answer, of each that has none."""
        is_lacking = np.isnan(self.items.values) | (self.items.states != "")
        return [str(state) for state in self.items.states[is_lacking]]

    def rows(self, groups: Mapping[str, Any], found: Findings, *, with_worst: bool) -> Iterator[ResultRow]:
        """Yield the result; of a whole also what it is if all items without an answer were wrong, where it differs.

        That is all items, or where a protocol has nothing over all, those of a broadest kind. Of fewer, items without
        an answer are counted and no more is said: at worst a few are mostly far off.
        """
        cut = {**groups, **({QUESTION_KIND: self.kind} if self.kind else {})}
        values, name = self.items.values, self.pool.name
        number = self._row(name, values, cut, found, {})
        yield number
        if with_worst and self._is_whole and np.isnan(values).any():
            facts = {"unscored": "the lowest there can be"}
            worst = self._row(f"{name}{WORST}", self.pool.at_worst(self.items), cut, found, facts)
            if worst.value != number.value:
                yield worst

    @property
    def _is_whole(self) -> bool:
        has_whole = self.pool.is_whole or self.pool.rule.rule.column is not None
        return not self.kind if has_whole else self.kind in {kinds[0] for kinds in self.items.kinds}

    def _row(
        self,
        name: str,
        values: npt.NDArray[np.float64],
        cut: Mapping[str, Any],
        found: Findings,
        facts: Mapping[str, Any],
    ) -> ResultRow:
        mean, how, is_share = self._mean(values)
        reason = None if mean.n else "nothing_asked" if not len(values) else "nothing_scored"
        has_interval = np.isfinite(mean.ci_low)
        if mean.n and not has_interval:
            how = why_no_interval(mean)
        low, high = (float(np.clip(end, 0.0, 1.0)) for end in (mean.ci_low, mean.ci_high))
        return ResultRow(
            found.run_id,
            name,
            self.pool.rows.label,
            cut,
            mean.value,
            mean.se if has_interval else float("nan"),
            low,
            high,
            mean.n,
            mean.n_unscored,
            self.pool.metric.unit,
            "higher",
            found.identify({**self.pool.identity, **facts}),
            reason,
            how if mean.n else None,
            caution=self._caution(values, is_share=is_share) if mean.n else None,
        )

    def _caution(self, values: npt.NDArray[np.float64], *, is_share: bool) -> str | None:
        """Return what the number of items with some values rests on less than it seems."""
        told = [share_caution(self.pool.rows, self._scored(values))] if is_share else []
        if self.pool.metric.of_kinds:
            known, every = ({path[0] for path in self._paths(rows) if path} for rows in (values, np.zeros(len(values))))
            if left := sorted(every - known):
                told.append(f"without {', '.join(left)}, of which nothing is answered")
        return "; ".join(filter(None, told)) or None

    def _scored(self, values: npt.NDArray[np.float64]) -> Index:
        """Return the rows that scored items are about."""
        return np.unique(self.items.rows[np.isfinite(values)])

    def _mean(self, values: npt.NDArray[np.float64]) -> tuple[ClusteredMean, str, bool]:
        """Return the number, how its interval was made, and whether it is a share, or a mean of shares."""
        rows, items = self.pool.rows, self.items
        prompts, noun = rows.prompts[items.rows], self.pool.noun
        known = values[np.isfinite(values)]
        is_mean = not items.parts.size
        is_share = is_mean and bool(np.isin(known, (0.0, 1.0)).all()) and len(np.unique(items.weights)) < 2
        if self.pool.metric.of_kinds and len(set(paths := self._paths(values))) > 1:
            return (*self._mean_of_kinds(values, paths, is_share=is_share), is_share)
        if is_share:
            mean = clustered_share(values, prompts, rows.draws[items.rows])
            units = rows.units_text(self._scored(values))
            return mean, f"share of {noun}; interval clustered by {units} (Wilson, effective n)", True
        mean = clustered_mean(values, prompts, weights=items.weights)
        weighted = " by their weights" if len(np.unique(items.weights)) > 1 else ""
        by = f"clustered by {quantity(mean.n_clusters, 'prompt')} (Student)"
        made = f"mean over {noun}{weighted}; interval " if is_mean else f"over {noun} together; interval linearised, "
        return mean, made + by, False

    def _paths(self, values: npt.NDArray[np.float64]) -> list[tuple[str, ...]]:
        """Return of each item that is known the kinds below the part's own."""
        known = self.items.kinds[np.isfinite(values)]
        return [kinds[kinds.index(self.kind) + 1 :] if self.kind else kinds for kinds in known]

    def _mean_of_kinds(
        self, values: npt.NDArray[np.float64], paths: Sequence[tuple[str, ...]], *, is_share: bool
    ) -> tuple[ClusteredMean, str]:
        """Return the mean over kinds, in each over its own, and how its interval was made."""
        items = self.items.take(known := np.isfinite(values))
        prompts, draws = (each[items.rows] for each in (self.pool.rows.prompts, self.pool.rows.draws))
        leaves, parts = np.array(["".join(path[-1:]) for path in paths]), leaf_parts(paths)
        if is_share:
            mean, way = mean_of_shares(values[known], prompts, leaves, draws, parts), "from theirs (MOVER)"
        else:
            mean, way = clustered_mean(values[known], prompts, leaves, items.weights, parts), "Student"
        groups, kinds = len({path[:1] for path in paths}), quantity(len(set(leaves)), "kind")
        over = f"{kinds} of questions" if groups == len(set(leaves)) else f"{groups} groups of {kinds} of questions"
        how = f"mean over {over}; interval {way}, {quantity(mean.n_clusters, 'prompt')}"
        return mean._replace(n_unscored=int((~known).sum())), how
