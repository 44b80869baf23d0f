"""How much of the spread of a score lies between prompts and how much between images of one prompt, by category."""

from collections.abc import Iterator

import numpy as np

from diptych.data.generated_columns import CATEGORY, columns_of
from diptych.evaluate.collected import Findings
from diptych.evaluate.inputs.scored_rows import RowGroup, ScoredRows
from diptych.evaluate.metrics.means import AskedMean, MeasuredMean, categories_of
from diptych.evaluate.statistics.variances import two_levels
from diptych.store.store import SpreadRow


def spread_rows(rows: ScoredRows, asked: AskedMean, found: Findings) -> Iterator[SpreadRow]:
    """Yield the variances of a score on two levels for each model and setting, and by category where there are several.

    Images of one prompt that another model made, or the same with another setting, differ by more than their seeds, so
    they are never taken together. There is none where no prompt has two images with a score.
    """
    ready = asked.of(rows)
    by = [name for name in columns_of("model", "setting") if rows.has(name)]
    groups = rows.groups(by)
    several = [name for name in by if name in columns_of("model") or len({each.values[name] for each in groups}) > 1]
    for group in groups:
        group = RowGroup({name: group.values[name] for name in several}, group.rows)
        own = RowGroup(group.values, group.rows[ready.is_asked[group.rows]])
        for part in (own, *_by_category(rows, own)):
            row = _row(rows, ready, part, found)
            if row is not None:
                yield row


def _by_category(rows: ScoredRows, group: RowGroup) -> Iterator[RowGroup]:
    if CATEGORY in group.values or not rows.has(CATEGORY):
        return
    found = categories_of(rows, group.rows)
    names = np.unique(found.names)
    for name in names if len(names) > 1 else ():
        own = group.rows[found.positions[found.names == name]]
        yield RowGroup({**group.values, CATEGORY: str(name) or None}, own)


def _row(rows: ScoredRows, ready: MeasuredMean, group: RowGroup, found: Findings) -> SpreadRow | None:
    spread = two_levels(ready.values[group.rows], rows.prompts[group.rows])
    if not np.isfinite(spread.within):
        return None
    return SpreadRow(
        found.run_id,
        ready.name,
        rows.label,
        group.values,
        spread.between,
        spread.within,
        spread.icc,
        spread.n,
        spread.n_clusters,
        found.identify(ready.identity),
    )
