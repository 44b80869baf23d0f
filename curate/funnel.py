"""The funnel: named SQL rules over columns, how many rows each one loses, and which rows only it loses.

All rules are evaluated in one pass that gives each row a bit mask of the rules it fails; every count follows from how
often each mask occurs. Column sets lie in one row order, so they are put side by side by position, never joined.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.curate.config import Rule
from diptych.dataset import ColumnSet, Dataset
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


@dataclass(frozen=True)
class Columns:
    """The columns that a rule can name: those of the data, and of each column set under its label."""

    dataset: Dataset
    sets: dict[str, ColumnSet]


def evaluate(columns: Columns, rules: Sequence[Rule]) -> Funnel:
    """Evaluate rules over a dataset, ``readable`` before the given ones; no image byte is read.

    Raises:
        ConfigError: If a rule is not one SQL condition over columns that are there; the message names the rule.
    """
    rules = [READABLE, *(rule for rule in rules if rule.name != READABLE.name)]
    if len(rules) > MAX_RULES:
        raise ConfigError(f"select: {len(rules)} rules; {MAX_RULES} is the limit, join some with AND")
    con = connect(columns.dataset)
    for rule in rules:
        _check_rule(con, columns, rule)
    terms = [f"(CASE WHEN ({rule.where}) THEN 0 ELSE {1 << bit} END)" for bit, rule in enumerate(rules)]
    query = f"SELECT CAST({' + '.join(terms)} AS UBIGINT) AS mask FROM {relation(columns)}"
    masks = con.cursor().execute(query).fetchnumpy()["mask"]
    return Funnel(_steps(rules, masks), np.asarray(masks, np.uint64))


def connect(dataset: Dataset) -> Any:
    """Return an in-memory DuckDB connection that can read the dataset's files and nothing else."""
    import duckdb

    con = duckdb.connect(config={"threads": available_threads()})
    folder = str(dataset.path.resolve()).replace("'", "''")
    # Conditions come from configs that people share: they may look at columns, not at the machine.
    con.cursor().execute(f"SET allowed_directories = ['{folder}']")
    con.cursor().execute("SET enable_external_access = false")
    con.cursor().execute("SET lock_configuration = true")
    return con


def available_threads() -> int:
    """Return the number of processors that this process may use."""
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def relation(columns: Columns, *, shards: int | None = None) -> str:
    """Return the FROM clause: the data and the column sets side by side, each set under its label.

    A column that only one of them has can be named alone; ``label.column`` names it in any case.

    Args:
        columns: What to put side by side.
        shards: How many shards, from the first; None takes all.
    """
    parts = [f"{_files(columns.dataset.files[:shards], 'EXCLUDE (image)')} AS data"]
    for label, column_set in columns.sets.items():
        parts.append(f"{_files(column_set.files[:shards], 'EXCLUDE (key)')} AS {quoted(label)}")
    return " POSITIONAL JOIN ".join(parts)


def quoted(name: str) -> str:
    """Return an SQL identifier in quotes."""
    return '"' + name.replace('"', '""') + '"'


def _files(files: Sequence[Path], star: str) -> str:
    listed = ", ".join("'" + str(file.resolve()).replace("'", "''") + "'" for file in files)
    return f"(SELECT * {star} FROM read_parquet([{listed}], hive_partitioning = false))"


def _check_rule(con: Any, columns: Columns, rule: Rule) -> None:
    import duckdb

    probe = f"SELECT CASE WHEN ({rule.where}) THEN 0 ELSE 1 END FROM {relation(columns, shards=1)} LIMIT 0"
    try:
        if len(con.extract_statements(probe)) != 1:
            raise ConfigError(f"rule {rule.name!r}: {rule.where!r} is not one SQL condition")
        con.cursor().execute(probe).fetchall()
    except duckdb.Error as error:
        raise ConfigError(f"rule {rule.name!r}: {rule.where!r}: {_explain(error, columns)}") from error


def _explain(error: Exception, columns: Columns) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    sets = ", ".join(columns.sets) or "none"
    return f"{lines[0] if lines else error} (scores at hand: {sets})"


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
