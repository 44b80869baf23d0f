"""All values of a score, also of the rows that a report does not show: what counts and quantiles are made of."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.config.identity import short_id
from diptych.reports.read.curated import as_floats, is_number
from diptych.reports.read.pool import Pool
from diptych.reports.read.report import Report, names_here
from diptych.reports.read.rows import Floats
from diptych.reports.read.stored import FINITE

VALUES = f"""
SELECT images.dataset, images.model, {FINITE} AS value FROM images
LEFT JOIN scores ON scores.run_id = images.run_id AND scores.dataset = images.dataset AND scores.key = images.key
    AND scores.score = ?
WHERE images.run_id = ? ORDER BY images.model IS NULL, images.dataset, images.shard, images.shard_row, images.key
"""


class WholeGroup(NamedTuple):
    """The values of a score in one group of images.

    Attributes:
        dataset: Label in the report.
        model: Who made the images; None where they were not made.
        is_kept: What was decided about them; None where nothing was.
        values: Of all of them, NaN where there is none.
    """

    dataset: str
    model: str | None
    is_kept: bool | None
    values: Floats


def whole_groups(report: Report, name: str) -> list[WholeGroup]:
    """Return the values of a score over all rows of all sources: by model, else by dataset, pools by what was decided.

    Args:
        report: The report.
        name: Of the score as the report has it.
    """
    curated = [group for pool in report.pools for group in _curated(report, pool, name)]
    decided = {group.dataset for group in curated}  # a pool that was evaluated, too, is there once
    return [*(group for group in _stored(report, name) if group.dataset not in decided), *curated]


def _stored(report: Report, name: str) -> Iterator[WholeGroup]:
    found = [score for score in report.score_identities if name in names_here(score, report.score_identities)]
    if report.store is None or not found:
        return
    table = report.store.arrow(VALUES, [found[0], report.run["run_id"]])
    values = as_floats(table["value"])
    groups = table.select(["dataset", "model"]).combine_chunks()
    for (dataset, model), rows in _places(groups).items():
        yield WholeGroup(dataset, model, None, values[rows])


def _curated(report: Report, pool: Pool, name: str) -> Iterator[WholeGroup]:
    values = _values(report, pool, name)
    if values is not None:
        keep, _ = pool.decided
        yield WholeGroup(pool.label, None, True, values[keep])
        yield WholeGroup(pool.label, None, False, values[~keep])


def _values(report: Report, pool: Pool, name: str) -> Floats | None:
    """Return the values of a score, or of an expression that a rule compares, over all rows of a pool."""
    for column in pool.scores:
        if is_number(column) and name in names_here(column.name, {column.name: short_id(column.identity)}):
            return as_floats(pool.table.column(column.name))
    for threshold in (each for found in pool.thresholds.values() for each in found):
        if threshold.name == name:
            values = threshold.as_compared(pool.values(threshold.expression))
            return values.astype(np.float32) if threshold.is_single else values
    return None


def _places(groups: pa.Table) -> dict[tuple[str, str | None], npt.NDArray[np.intp]]:
    """Return the row numbers of each combination of values, in the order in which they come."""
    found: dict[tuple[str, str | None], npt.NDArray[np.intp]] = {}
    for dataset in pc.unique(groups["dataset"]).to_pylist():
        own = pc.equal(groups["dataset"], dataset)
        for model in pc.unique(groups["model"].filter(own)).to_pylist():
            is_model = pc.is_null(groups["model"]) if model is None else pc.equal(groups["model"], model)
            rows = pc.and_(own, pc.fill_null(is_model, False))
            found[dataset, model] = np.flatnonzero(rows.to_numpy(zero_copy_only=False))
    return found
