"""Paired differences of numbers over questions: two models by the same question about the same prompt and sample."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from diptych.evaluate.collected import Findings
from diptych.evaluate.comparisons.choices import Compare
from diptych.evaluate.comparisons.compared_images import gather
from diptych.evaluate.comparisons.means import DifferenceMaker, foreign_of, image_differences
from diptych.evaluate.inputs.row_codes import codes
from diptych.evaluate.inputs.scored_rows import ScoredRows
from diptych.evaluate.metrics.means import MeasuredMean
from diptych.evaluate.protocols.contract import TextErrors
from diptych.evaluate.protocols.items import PoolItems
from diptych.evaluate.protocols.means import CountedRule
from diptych.evaluate.protocols.pools import QUESTION_KIND, RulePool
from diptych.store.store import DifferenceRow


def pool_differences(
    judged: Sequence[ScoredRows], rule: CountedRule, compare: Compare, found: Findings, told: str = ""
) -> Iterator[DifferenceRow]:
    """Yield the paired differences of a rule's pool, over all its items and those of each kind, apart by dataset.

    Of texts there is none, as what one image adds depends on the others of its own side.

    Args:
        judged: The datasets.
        rule: Whose pool it is.
        compare: What is held against what.
        found: Where identities are noted.
        told: What there is to say of the judge.
    """
    if isinstance(rule.rule.pool, TextErrors):
        return
    pools = [pool for each in judged if (pool := RulePool.of(rule, each)) is not None]
    if not pools:
        return
    starts = np.cumsum([0, *(len(each) for each in judged)])
    moved = [pool.items._replace(rows=pool.items.rows + start) for pool, start in zip(pools, starts, strict=False)]
    items = PoolItems._make(np.concatenate(columns) for columns in zip(*moved, strict=True))
    everything = np.ones(starts[-1], bool)
    images = gather(judged, np.full(len(everything), np.nan), everything, compare.by).take(items.rows)
    kinds, wanted = np.empty((2, len(items.rows)), object)
    kinds[:] = [names or ("",) for names in items.kinds]
    wanted[:] = [frozenset()] * len(wanted)
    units = codes([pa.array(images.unit), pa.array(items.places)], len(items.rows))
    lines = replace(images, unit=units, category=kinds, wanted=wanted, values=items.values, weights=items.weights)
    pool = pools[0]
    is_share = bool(np.isin(items.values[np.isfinite(items.values)], (0.0, 1.0)).all())
    ready = MeasuredMean(
        pool.name,
        replace(pool.metric, is_share=is_share),
        pool.identity,
        items.values,
        np.ones(len(items.rows), bool),
        better_for_data="higher",
        better_for_models="higher",
    )
    about = [np.unique(each.items.rows) for each in pools]
    every = (*foreign_of(rule.protocol, [each.rows for each in pools], about), told)
    maker = replace(DifferenceMaker.of(ready, found), protocol=rule.protocol, told=every)
    for row in image_differences(lines, maker, compare, cut=QUESTION_KIND):
        if row.groups.get(QUESTION_KIND, pool.is_whole):
            yield row
