"""The funnel: named SQL rules over columns, how many rows each one loses, and which rows only it loses.

All rules are evaluated in one pass that gives each row a bit mask of the rules it fails; every count follows from how
often each mask occurs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.curate.conditions import TrialTable, check_condition, trial_table
from diptych.curate.config import Rule
from diptych.curate.decisions import Clusters
from diptych.curate.missing_columns import what_lacks
from diptych.curate.rules.built_in import built_in_rules
from diptych.data.sql import (
    aliases,
    batches,
    column_references,
    connect,
    interrupted_after,
    needed,
    quoted,
    relation,
    schemas,
    what_sql_says,
)
from diptych.data.table import DatasetTable
from diptych.errors import ConfigError, ShardError

MAX_RULES = 62
LIMIT_S = 3600.0  # of all rules together; thirty million rows take less than two minutes
CHUNK = 1 << 20  # rows worked on at a time where arrays would be made on the way

Masks = npt.NDArray[np.unsignedinteger[Any]]


class FunnelStep(NamedTuple):
    """One rule of the funnel.

    Attributes:
        rule: Its name.
        where: Its SQL.
        rows_in: Rows that all rules before it keep.
        rows_out: Rows that it and all rules before it keep.
        failed: Rows that fail it, whatever the others say.
        lost_only_here: Rows that fail it and no other rule.
        without_value: Of the rows that it takes from those before it, those where it is neither true nor false, as a
            column that it looks at has no value.
    """

    rule: str
    where: str
    rows_in: int
    rows_out: int
    failed: int
    lost_only_here: int
    without_value: int = 0


class RuleAnswers(NamedTuple):
    """What rules say of each row.

    Attributes:
        masks: Unsigned (N,), as narrow as the rules allow: bit i is set where a row fails rule i.
        is_unknown: Bool (N,): where the first rule that a row fails is neither true nor false of it.
    """

    masks: Masks
    is_unknown: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Funnel:
    """What the rules do to a dataset.

    Attributes:
        steps: One per rule, in order.
        masks: Unsigned (N,), as narrow as the rules allow: bit i is set where a row fails rule i.
    """

    steps: tuple[FunnelStep, ...]
    masks: Masks

    @property
    def keep(self) -> npt.NDArray[np.bool_]:
        """Bool (N,): rows that pass every rule."""
        kept: npt.NDArray[np.bool_] = self.masks == 0
        return kept

    @property
    def first_failed(self) -> npt.NDArray[np.int8]:
        """int8 (N,): number of the first rule that a row fails, -1 where it passes all."""
        return _first_failed(self.masks)


def _first_failed(masks: Masks) -> npt.NDArray[np.int8]:
    first = np.full(len(masks), -1, np.int8)
    for start in range(0, len(first), CHUNK):
        part = masks[start : start + CHUNK].astype(np.uint64)
        below = np.bitwise_count((part & (~part + np.uint64(1))) - np.uint64(1))  # zeros under the lowest bit
        first[start : start + CHUNK] = np.where(part == 0, -1, below.astype(np.int8))
    return first


def evaluate(table: DatasetTable, rules: Sequence[Rule], *, built_in: Sequence[Rule] | None = None) -> Funnel:
    """Evaluate rules over a dataset, the built-in ones before the given ones; no image byte is read.

    Args:
        table: What the rules look at.
        rules: In order.
        built_in: Those before them; None finds out, see ``built_in_rules``.

    Raises:
        ConfigError: If a rule is not one SQL condition over columns that are there; the message names the rule.
    """
    rules = [*(built_in_rules(table) if built_in is None else built_in), *rules]
    if len(rules) > MAX_RULES:
        raise ConfigError(f"select: {len(rules)} rules; {MAX_RULES} is the limit, join some with AND")
    con = connect(table.dataset)
    named = {name for rule in rules for name in column_references(con, f"SELECT (\n{rule.where}\n)")}
    trial = trial_table(con, schemas(table, aliases(table, named)), missing=partial(what_lacks, table.dataset))
    check_rules(trial, rules)
    answers = _answers(con, relation(table, needed(table, named)), rules, len(table))
    return Funnel(_steps(rules, answers), answers.masks)


def _answers(con: Any, source: str, rules: Sequence[Rule], rows: int) -> RuleAnswers:
    import duckdb

    names = [quoted(f"rule {bit}") for bit in range(len(rules))]
    said = ", ".join(f"(\n{rule.where}\n) AS {name}" for rule, name in zip(rules, names, strict=True))
    mask = " + ".join(f"(CASE WHEN {name} THEN 0 ELSE {1 << bit} END)" for bit, name in enumerate(names))
    unknown = " ".join(f"WHEN {name} IS NOT TRUE THEN {name} IS NULL" for name in names)
    query = f"SELECT CAST({mask} AS UBIGINT) AS mask, CASE {unknown} ELSE false END AS is_unknown"
    try:
        with interrupted_after(cursor := con.cursor(), LIMIT_S):
            return _collected(batches(cursor, f"{query} FROM (SELECT {said} FROM {source})"), len(rules), rows)
    except TimeoutError as error:
        if len(rules) == 1:
            raise ConfigError(f"rule {rules[0].name!r}: {rules[0].where!r}: {error}") from error
    except duckdb.Error as error:  # what only shows on values, such as a cast that does not fit
        if len(rules) == 1:
            raise ConfigError(f"rule {rules[0].name!r}: {rules[0].where!r}: {what_sql_says(error)}") from error
    for rule in rules:  # one by one, to name the one that fails
        _answers(con, source, [rule], rows)
    raise ConfigError("the rules fail together, but none of them alone")


def _collected(found: Iterator[pa.RecordBatch], rules: int, rows: int) -> RuleAnswers:
    """Return the answers of all rows, of which those of one batch are held as they come."""
    kind = np.min_scalar_type((1 << rules + 1) - 1)  # with a bit for the step that keeps one of each
    answers = RuleAnswers(np.zeros(rows, kind), np.zeros(rows, np.bool_))
    start = 0
    for batch in found:
        part = slice(start, start + len(batch))
        start = part.stop
        if start <= rows:
            answers.masks[part] = batch["mask"].to_numpy()
            answers.is_unknown[part] = batch["is_unknown"].to_numpy(zero_copy_only=False)
    if start != rows:
        raise ShardError(f"the rules gave {start:,} answers for {rows:,} rows; see: diptych verify DATASET")
    return answers


def keep_one_of_each(funnel: Funnel, clusters: Clusters) -> Funnel:
    """Return the funnel with a last step that keeps one row of each cluster: of those left, the most preferred.

    So a picture is not lost when a rule drops its preferred copy while another copy passes.

    Args:
        funnel: The rules before it.
        clusters: What dedup decided.
    """
    masks = funnel.masks.copy()
    best = np.full(len(masks), np.iinfo(np.int32).max, np.int32)  # rank, by the row that stands for the cluster
    parts = [slice(start, start + CHUNK) for start in range(0, len(masks), CHUNK)]
    for part in parts:
        is_passing = masks[part] == 0
        np.minimum.at(best, clusters.stands_for[part][is_passing], clusters.rank[part][is_passing])
    rows_in = lost = 0
    for part in parts:
        is_passing = masks[part] == 0
        is_dropped = is_passing & (clusters.rank[part] != best[clusters.stands_for[part]])
        masks[part][is_dropped] = 1 << len(funnel.steps)
        rows_in += int(np.count_nonzero(is_passing))
        lost += int(np.count_nonzero(is_dropped))
    step = FunnelStep("duplicate", "the preferred copy of those left", rows_in, rows_in - lost, lost, lost)
    return Funnel((*funnel.steps, step), masks)


def check_rules(trial: TrialTable, rules: Sequence[Rule]) -> None:
    """Try each rule on a row of nulls.

    Raises:
        ConfigError: If one is not a single SQL condition over columns that are there; the message names the rule.
    """
    for rule in rules:
        check_condition(trial, rule.where, where=f"rule {rule.name!r}: {rule.where!r}")


def _steps(rules: Sequence[Rule], answers: RuleAnswers) -> tuple[FunnelStep, ...]:
    values, counts = _value_counts(answers.masks)
    unknown = np.bincount(_first_failed(answers.masks[answers.is_unknown]) + 1, minlength=len(rules) + 1)[1:]
    steps, rows = [], int(counts.sum())
    before = np.zeros(len(values), bool)
    for bit, rule in enumerate(rules):
        fails = (values & np.uint64(1 << bit)) != 0
        lost = int(counts[fails & ~before].sum())
        only = int(counts[values == np.uint64(1 << bit)].sum())
        failed = int(counts[fails].sum())
        steps.append(FunnelStep(rule.name, rule.where, rows, rows - lost, failed, only, int(unknown[bit])))
        rows -= lost
        before |= fails
    return tuple(steps)


def _value_counts(masks: Masks) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    counts: dict[int, int] = {}
    for start in range(0, len(masks), CHUNK):
        values, own = np.unique(masks[start : start + CHUNK], return_counts=True)
        for value, count in zip(values.tolist(), own.tolist(), strict=True):
            counts[value] = counts.get(value, 0) + count
    return np.array(list(counts), np.uint64), np.array(list(counts.values()), np.int64)
