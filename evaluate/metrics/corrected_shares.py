"""Shares of images that a judge calls right, told as they are without the judge's own errors."""

from collections.abc import Iterator

import numpy as np

from diptych.evaluate.collected import Findings
from diptych.evaluate.inputs.scored_rows import RowGroup, ScoredRows
from diptych.evaluate.metrics.means import AskedMean, MeasuredMean
from diptych.evaluate.statistics.judge_errors import JudgeCheck, corrected_share
from diptych.evaluate.statistics.macro_shares import effective_number
from diptych.store.store import ResultRow

SUFFIX = "_judge_corrected"  # behind the name of the metric
NOT_A_SHARE = "not_a_share"  # the reason where the numbers are not 0 and 1 alone
AT_CHANCE = "judge_at_chance"  # where the judge is no better than chance


def corrected_rows(rows: ScoredRows, asked: AskedMean, check: JudgeCheck, found: Findings) -> Iterator[ResultRow]:
    """Yield the share of right images of each group of a dataset, by what is known of the judge's errors."""
    ready = asked.of(rows)
    for group in rows.groups(asked.by):
        about = RowGroup(group.values, group.rows[ready.is_asked[group.rows]])
        yield _row(rows, ready, about, check, found)


def _row(rows: ScoredRows, ready: MeasuredMean, group: RowGroup, check: JudgeCheck, found: Findings) -> ResultRow:
    values = ready.values[group.rows]
    scored = values[np.isfinite(values)]
    nothing = float("nan")
    value, low, high, reason = nothing, nothing, nothing, None
    if not len(values):
        reason = "nothing_asked"
    elif not len(scored):
        reason = "nothing_scored"
    elif not ready.metric.is_share:
        reason = NOT_A_SHARE
    else:
        worth = effective_number(values, rows.prompts[group.rows], rows.draws[group.rows])
        value, low, high, _ = corrected_share(float(scored.mean()), worth, check)
        reason = AT_CHANCE if np.isnan(value) else None
    known = f"by what the judge said of {check.right:,} right and {check.wrong:,} wrong images"
    return ResultRow(
        found.run_id,
        ready.name + SUFFIX,
        rows.label,
        group.values,
        value,
        nothing,
        low if reason is None else nothing,
        high if reason is None else nothing,
        len(scored),
        len(values) - len(scored),
        ready.metric.unit,
        ready.better_for_models if rows.role == "generated" else ready.better_for_data,
        found.identify({**ready.identity, "metric": ready.name + SUFFIX, "judge_check": list(check)}),
        reason,
        None if reason else f"share of images {known} (Rogan and Gladen; Lang and Reiczigel)",
    )
