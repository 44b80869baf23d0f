"""The funnel: named SQL rules over columns, how many rows each one loses, and which rows only it loses.

All rules are evaluated in one pass that gives each row a bit mask of the rules it fails; every count follows from how
often each mask occurs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.curate.columns import Columns, check_query, connect
from diptych.curate.config import Rule
from diptych.errors import ConfigError

MAX_RULES = 62
# Rows without a picture that can be read are of no use to anybody, so this rule is always there and always first.
READABLE = Rule(name="readable", where="status = 'ok'")


class Step(NamedTuple):
    """One rule of the funnel.

    Attributes:
        rule: Its name.
        where: Its SQL.
        rows_in: Rows that all rules before it keep.
        rows_out: Rows that it and all rules before it keep.
        failed: Rows that fail it, whatever the others say.
        lost_only_here: Rows that fail it and no other rule.
    """

    rule: str
    where: str
    rows_in: int
    rows_out: int
    failed: int
    lost_only_here: int


@dataclass(frozen=True)
class Funnel:
    """What the rules do to a dataset.

    Attributes:
        steps: One per rule, in order.
        masks: uint64 (N,): bit i is set where a row fails rule i.
    """

    steps: tuple[Step, ...]
    masks: npt.NDArray[np.uint64]

    @property
    def keep(self) -> npt.NDArray[np.bool_]:
        """Bool (N,): rows that pass every rule."""
        kept: npt.NDArray[np.bool_] = self.masks == 0
        return kept

    @property
    def first_failed(self) -> npt.NDArray[np.int64]:
        """int64 (N,): number of the first rule that a row fails, -1 where it passes all."""
        lowest = self.masks & (~self.masks + np.uint64(1))
        failed = np.where(lowest == 0, -1.0, np.log2(np.maximum(lowest, 1).astype(np.float64)))
        return failed.astype(np.int64)


def evaluate(columns: Columns, rules: Sequence[Rule]) -> Funnel:
    """Evaluate rules over a dataset, ``readable`` before the given ones; no image byte is read.

    Raises:
        ConfigError: If a rule is not one SQL condition over columns that are there; the message names the rule.
    """
    rules = [READABLE, *(rule for rule in rules if rule.name != READABLE.name)]
    if len(rules) > MAX_RULES:
        raise ConfigError(f"select: {len(rules)} rules; {MAX_RULES} is the limit, join some with AND")
    con = connect(columns.dataset.path)
    check_rules(con, columns.relation(shards=1), rules, list(columns.sets))
    terms = [f"(CASE WHEN ({rule.where}) THEN 0 ELSE {1 << bit} END)" for bit, rule in enumerate(rules)]
    query = f"SELECT CAST({' + '.join(terms)} AS UBIGINT) AS mask FROM {columns.relation()}"
    masks = con.cursor().execute(query).fetchnumpy()["mask"]
    return Funnel(_steps(rules, masks), np.asarray(masks, np.uint64))


def check_rules(con: Any, relation: str, rules: Sequence[Rule], labels: Sequence[str]) -> None:
    """Try each rule on no rows.

    Raises:
        ConfigError: If one is not a single SQL condition over columns of the relation; the message names the rule.
    """
    for rule in rules:
        probe = f"SELECT CASE WHEN ({rule.where}) THEN 0 ELSE 1 END FROM {relation} LIMIT 0"
        check_query(con, probe, where=f"rule {rule.name!r}: {rule.where!r}", labels=labels)


def _steps(rules: Sequence[Rule], masks: npt.NDArray[np.uint64]) -> tuple[Step, ...]:
    values, counts = _value_counts(masks)
    steps, rows = [], int(counts.sum())
    before = np.zeros(len(values), bool)
    for bit, rule in enumerate(rules):
        fails = (values & np.uint64(1 << bit)) != 0
        lost = int(counts[fails & ~before].sum())
        only = int(counts[values == np.uint64(1 << bit)].sum())
        steps.append(Step(rule.name, rule.where, rows, rows - lost, int(counts[fails].sum()), only))
        rows -= lost
        before |= fails
    return tuple(steps)


def _value_counts(masks: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    if len(masks) and int(masks.max()) < 2**20:  # counting is five times faster than sorting
        counts = np.bincount(masks.astype(np.int64))
        values = np.flatnonzero(counts)
        return values.astype(np.uint64), counts[values]
    return np.unique(masks, return_counts=True)
