"""The funnel: named SQL rules over columns, how many rows each one loses, and which rows only it loses.

All rules are evaluated in one pass that gives each row a bit mask of the rules it fails; every count follows from how
often each mask occurs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.curate.conditions import TrialTable, check_condition, trial_table
from diptych.curate.config import Rule
from diptych.curate.decisions import Clusters
from diptych.curate.missing_columns import what_lacks
from diptych.curate.rules.built_in import built_in_rules
from diptych.data.sql import (
    aliases,
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
LIMIT_S = 3600.0  # of all rules together; forty million rows take less than a minute
CHUNK = 1 << 20  # rows worked on at a time where arrays would be made on the way


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
        masks: uint64 (N,): bit i is set where a row fails rule i.
        is_unknown: Bool (N,): where the first rule that a row fails is neither true nor false of it.
    """

    masks: npt.NDArray[np.uint64]
    is_unknown: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Funnel:
    """What the rules do to a dataset.

    Attributes:
        steps: One per rule, in order.
        masks: uint64 (N,): bit i is set where a row fails rule i.
    """

    steps: tuple[FunnelStep, ...]
    masks: npt.NDArray[np.uint64]

    @property
    def keep(self) -> npt.NDArray[np.bool_]:
        """Bool (N,): rows that pass every rule."""
        kept: npt.NDArray[np.bool_] = self.masks == 0
        return kept

    @property
    def first_failed(self) -> npt.NDArray[np.int8]:
        """int8 (N,): number of the first rule that a row fails, -1 where it passes all."""
        return _first_failed(self.masks)


def _first_failed(masks: npt.NDArray[np.uint64]) -> npt.NDArray[np.int8]:
    first = np.full(len(masks), -1, np.int8)
    for start in range(0, len(first), CHUNK):
        part = masks[start : start + CHUNK]
        below = np.bitwise_count((part & (~part + np.uint64(1))) - np.uint64(1))  # zeros under the lowest bit
        first[start : start + CHUNK] = np.where(part == 0, -1, below.astype(np.int8))
    return first


def evaluate(table: DatasetTable, rules: Sequence[Rule], *, heic: bool = False) -> Funnel:
    """Evaluate rules over a dataset, the built-in ones before the given ones; no image byte is read.

    Args:
        table: What the rules look at.
        rules: In order.
        heic: Whether HEIC is kept, see ``built_in_rules``.

    Raises:
        ConfigError: If a rule is not one SQL condition over columns that are there; the message names the rule.
    """
    rules = [*built_in_rules(table, heic=heic), *rules]
    if len(rules) > MAX_RULES:
        raise ConfigError(f"select: {len(rules)} rules; {MAX_RULES} is the limit, join some with AND")
    con = connect(table.dataset)
    named = {name for rule in rules for name in column_references(con, f"SELECT (\n{rule.where}\n)")}
    trial = trial_table(con, schemas(table, aliases(table, named)), missing=partial(what_lacks, table.dataset))
    check_rules(trial, rules)
    answers = _answers(con, relation(table, needed(table, named)), rules)
    if len(answers.masks) != len(table):
        raise ShardError(f"{table.dataset.location}: the rules gave {len(answers.masks)} answers for {len(table)} rows")
    return Funnel(_steps(rules, answers), answers.masks)


def _answers(con: Any, source: str, rules: Sequence[Rule]) -> RuleAnswers:
    import duckdb

    names = [quoted(f"rule {bit}") for bit in range(len(rules))]
    said = ", ".join(f"(\n{rule.where}\n) AS {name}" for rule, name in zip(rules, names, strict=True))
    mask = " + ".join(f"(CASE WHEN {name} THEN 0 ELSE {1 << bit} END)" for bit, name in enumerate(names))
    unknown = " ".join(f"WHEN {name} IS NOT TRUE THEN {name} IS NULL" for name in names)
    query = f"SELECT CAST({mask} AS UBIGINT) AS mask, CASE {unknown} ELSE false END AS is_unknown"
    try:
        with interrupted_after(cursor := con.cursor(), LIMIT_S):
            found = cursor.execute(f"{query} FROM (SELECT {said} FROM {source})").fetchnumpy()
            return RuleAnswers(np.asarray(found["mask"], np.uint64), np.asarray(found["is_unknown"], np.bool_))
    except TimeoutError as error:
        if len(rules) == 1:
            raise ConfigError(f"rule {rules[0].name!r}: {rules[0].where!r}: {error}") from error
    except duckdb.Error as error:  # what only shows on values, such as a cast that does not fit
        if len(rules) == 1:
            raise ConfigError(f"rule {rules[0].name!r}: {rules[0].where!r}: {what_sql_says(error)}") from error
    for rule in rules:  # one by one, to name the one that fails
        _answers(con, source, [rule])
    raise ConfigError("the rules fail together, but none of them alone")


def keep_one_of_each(funnel: Funnel, clusters: Clusters) -> Funnel:
    """Return the funnel with a last step that keeps one row of each cluster: of those left, the most preferred.

    So a picture is not lost when a rule drops its preferred copy while another copy passes.

    Args:
        funnel: The rules before it.
        clusters: What dedup decided.
    """
    is_passing = funnel.keep
    best = np.full(len(is_passing), np.iinfo(np.int32).max, np.int32)  # rank, by the row that stands for the cluster
    np.minimum.at(best, clusters.stands_for[is_passing], clusters.rank[is_passing])
    is_dropped = is_passing & (clusters.rank != best[clusters.stands_for])
    masks = funnel.masks.copy()
    masks[is_dropped] = np.uint64(1 << len(funnel.steps))
    rows_in, lost = int(np.count_nonzero(is_passing)), int(np.count_nonzero(is_dropped))
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


def _value_counts(masks: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    if len(masks) and int(masks.max()) < 2**20:  # counting is five times faster than sorting
        counts = np.bincount(masks.astype(np.int64))
        values = np.flatnonzero(counts)
        return values.astype(np.uint64), counts[values]
    return np.unique(masks, return_counts=True)
