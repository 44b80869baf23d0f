"""A pool as a report reads it: a dataset directory, its scores, and what select and dedup decided about each row.

Everything lies in one row order, so columns are put side by side by position. Conditions come from the decisions that
are shown; they are evaluated by a connection that can read the pool's folder and nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.config.identity import fingerprint, short_id
from diptych.data.dataset import ColumnSet, Dataset, open_dataset
from diptych.data.sql import column_references, connect, needed, quoted, relation
from diptych.data.table import DatasetTable
from diptych.errors import DataError, MissingExtra, first_line
from diptych.reports.read.thresholds import Threshold, find_thresholds

NUMERIC = {"float32", "int32"}
WORDS = {"string", "bool"}


@dataclass(frozen=True)
class PoolColumn:
    """A column of a score set: its name in the report, its SQL, and what the score's manifest says of it."""

    name: str
    sql: str
    facts: Mapping[str, Any]
    identity_id: str


@dataclass(frozen=True)
class Pool:
    """A dataset directory with decisions.

    Attributes:
        label: Its name in the report.
        dataset: The directory.
        sets: Its score sets by label, as the rules call them.
        select: What select decided.
        dedup: What dedup decided; None where it did not run.
        con: A DuckDB connection.
    """

    label: str
    dataset: Dataset
    sets: Mapping[str, ColumnSet]
    select: ColumnSet
    dedup: ColumnSet | None
    con: Any

    @cached_property
    def table(self) -> DatasetTable:
        """The data with the scores and the decisions."""
        decided = {"select": self.select, **({"dedup": self.dedup} if self.dedup is not None else {})}
        return DatasetTable(self.dataset, {**self.sets, **decided})

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The funnel: rule, where, rows_in, rows_out, failed, lost_only_here."""
        return list(self.select.manifest["funnel"])

    def columns(self, dtypes: set[str]) -> list[PoolColumn]:
        """Return the score columns of some types; a name that two sets have is ``label.name``."""
        found = [
            (label, column, short_id(column_set.manifest["identity"]))
            for label, column_set in self.sets.items()
            for column in column_set.manifest["columns"]
        ]
        names = [column["name"] for _, column, _ in found]
        return [
            PoolColumn(
                column["name"] if names.count(column["name"]) == 1 else f"{label}.{column['name']}",
                f"{quoted(label)}.{quoted(column['name'])}",
                column,
                identity_id,
            )
            for label, column, identity_id in found
            if column["dtype"] in dtypes
        ]

    def query(self, select: str, rest: str = "") -> pa.Table:
        """Return ``SELECT {select} FROM`` all columns of the pool ``{rest}``, in row order unless ``rest`` says other.

        Beside the data and the sets there are ``"select".keep``, ``"select".reason`` and ``place.position``, the row
        number; ``dedup.duplicate_of`` where dedup ran.

        Raises:
            DataError: If DuckDB refuses.
        """
        import duckdb

        try:
            named = column_references(self.con, f"SELECT {select} {rest}")
            source = f"{relation(self.table, needed(self.table, named))} POSITIONAL JOIN {self._place}"
            return self.con.cursor().sql(f"SELECT {select} FROM {source} {rest}").to_arrow_table()
        except duckdb.Error as error:
            raise DataError(f"{self.dataset.path}: its columns cannot be read: {first_line(error)}") from error

    @cached_property
    def thresholds(self) -> dict[str, list[Threshold]]:
        """The thresholds of each rule, by its name; those whose columns are gone are left out."""
        found = {}
        for step in self.steps:
            known = [item for item in find_thresholds(self.con, step["where"]) if self._can_evaluate(item)]
            if known:
                found[step["rule"]] = known
        return found

    def values(self, expression: str) -> npt.NDArray[np.float64]:
        """Return float64 (N,) of a numeric expression over all rows; NaN where it is null or no number."""
        column = self.query(f"TRY_CAST(({expression}) AS DOUBLE) AS value")["value"]
        return np.asarray(column.to_numpy(zero_copy_only=False), np.float64)

    @cached_property
    def decided(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """Bool (N,): kept; int64 (N,) the number of the step that drops each row, -1 for none."""
        table = self.query('"select".keep, "select".reason')
        names = {step["rule"]: number for number, step in enumerate(self.steps)}
        reasons = table["reason"].to_pylist()
        numbers = np.asarray([names.get(reason, -1) for reason in reasons], np.int64)
        return np.asarray(table["keep"].to_numpy(zero_copy_only=False), bool), numbers

    def _can_evaluate(self, threshold: Threshold) -> bool:
        try:
            self.query(f"TRY_CAST(({threshold.expression}) AS DOUBLE)", "LIMIT 0")
        except DataError:
            return False
        return True

    @property
    def _place(self) -> str:
        return f"(SELECT range AS position FROM range({self.dataset.rows})) AS place"


def open_pool(path: Path, taken: Sequence[str] = ()) -> Pool:
    """Open a pool that select has decided on.

    Args:
        path: The dataset directory.
        taken: Labels that are in use.

    Raises:
        ShardError: If there is no finished dataset directory.
        DataError: If there are no decisions, or scores that they follow from are gone.
    """
    dataset = open_dataset(path)
    select = dataset.column_set("decisions", "select")
    if select is None:
        raise DataError(f"{path}: no decisions that fit its data; run: diptych curate select CONFIG --out RUN")
    name = str(dataset.manifest.get("name") or path.name)
    label = name
    while label in taken:
        label = f"{label}'"
    dedup = dataset.column_set("decisions", "dedup")
    return Pool(label, dataset, _label_sets(dataset, select), select, dedup, _connected(path))


def _label_sets(dataset: Dataset, select: ColumnSet) -> dict[str, ColumnSet]:
    """Return all score sets, under the labels that the rules gave them, or else the score's name."""
    used = select.manifest["identity"].get("columns", {})
    labels = {fingerprint(identity): label for label, identity in used.items()}
    found: dict[str, ColumnSet] = {}
    for column_set in dataset.column_sets("scores"):
        label = labels.get(fingerprint(column_set.manifest["identity"]))
        label = label or str(column_set.manifest.get("score") or column_set.name)
        found[label if label not in found else column_set.name] = column_set
    return found


def _connected(folder: Path) -> Any:
    try:
        return connect(folder)
    except ModuleNotFoundError as error:
        raise MissingExtra("reports", "duckdb") from error
