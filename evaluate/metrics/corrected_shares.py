"""Shares of images that a judge calls right, told as they are without the judge's own errors."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from diptych.evaluate.collected import Findings
from diptych.evaluate.inputs.scored_rows import ScoredRows
from diptych.evaluate.metrics.means import AskedMean, MeasuredMean, mean_rows_of_group
from diptych.evaluate.statistics.judge_errors import JudgeCheck, corrected_share
from diptych.intervals import wilson_number
from diptych.store.store import ResultRow

SUFFIX = "_judge_corrected"  # behind the name of the metric
NOT_A_SHARE = "not_a_share"  # the reason where the numbers are not 0 and 1 alone
AT_CHANCE = "judge_at_chance"  # where the judge is no better than chance


def corrected_rows(rows: ScoredRows, asked: AskedMean, check: JudgeCheck, found: Findings) -> Iterator[ResultRow]:
    """Yield what each mean over a dataset is by what is known of the judge's errors; of categories these too."""
    ready = asked.of(rows)
    for group in rows.groups(asked.by):
        for mean in mean_rows_of_group(rows, ready, group, found):
            yield _corrected(mean, ready, check, found)


def _corrected(mean: ResultRow, ready: MeasuredMean, check: JudgeCheck, found: Findings) -> ResultRow:
    """Return a share, or the mean of those of categories, by what is known of the judge's errors."""
    nothing = float("nan")
    value, low, high, reason = nothing, nothing, nothing, mean.reason
    if reason is None and not ready.metric.is_share:
        reason = NOT_A_SHARE
    if reason is None:
        assert mean.value is not None
        assert mean.ci_low is not None
        assert mean.ci_high is not None
        worth = wilson_number(mean.value, mean.ci_high - mean.ci_low)
        value, low, high, _ = corrected_share(mean.value, worth, check)
        reason = AT_CHANCE if np.isnan(value) else None
    known = f"by what the judge said of {check.right:,} right and {check.wrong:,} wrong images"
    note = f"share of images {known} (Rogan and Gladen; Lang and Reiczigel)"
    return replace(
        mean,
        metric=ready.name + SUFFIX,
        value=value,
        se=nothing,
        ci_low=low if reason is None else nothing,
        ci_high=high if reason is None else nothing,
        identity_id=found.identify({**ready.identity, "metric": ready.name + SUFFIX, "judge_check": list(check)}),
        reason=reason,
        note=mean.note if mean.reason else None if reason else note,
    )
