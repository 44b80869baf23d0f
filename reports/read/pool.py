"""A pool as a report looks at it: a dataset directory with its scores, and what select and dedup decided about it.

Conditions come from the decisions that are shown; they are evaluated by a connection that can read the pool's folder
and nothing else.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.addresses import Address
from diptych.config.identity import fingerprint
from diptych.data.dataset import ColumnSet, Dataset, open_dataset
from diptych.data.labels import labelled_sets
from diptych.data.sql import column_references, connect, needed, relation
from diptych.data.table import DatasetTable, TableColumn
from diptych.errors import DataError, MissingExtra, first_line
from diptych.reports.read.thresholds import Threshold, find_thresholds

MAX_WHOLE = 2.0**53  # up to which doubles have all whole numbers
ONE_OF_EACH = "duplicate"  # the step that keeps one of the copies of a picture; no rule can have its name


@dataclass(frozen=True)
class Pool:
    """A dataset directory with decisions.

    Attributes:
        label: Its name in the report.
        table: The data, the scores under the labels that the rules call them by, ``select``, and ``dedup`` if it ran.
        con: A DuckDB connection.
    """

    label: str
    table: DatasetTable
    con: Any

    @property
    def dataset(self) -> Dataset:
        """The directory."""
        return self.table.dataset

    @property
    def select(self) -> ColumnSet:
        """What select decided."""
        return self.table.sets["select"]

    @property
    def dedup(self) -> ColumnSet | None:
        """What dedup decided; None where it did not run."""
        return self.table.sets.get("dedup")

    @property
    def scores(self) -> list[TableColumn]:
        """The columns of the scores."""
        return [column for column in self.table.columns.values() if column.facts]

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The funnel: rule, where, rows_in, rows_out, failed, lost_only_here."""
        return list(self.select.manifest["funnel"])

    @property
    def rules(self) -> list[dict[str, Any]]:
        """The steps that are conditions: all but the last one where that keeps one of each picture."""
        return self.steps[:-1] if self.steps and self.steps[-1]["rule"] == ONE_OF_EACH else self.steps

    def query(self, select: str, rest: str = "") -> pa.Table:
        """Return ``SELECT {select} FROM`` all columns of the pool ``{rest}``, in row order unless ``rest`` says other.

        Beside the data, the scores and the decisions there is ``place.position``, the row number.

        Raises:
            DataError: If DuckDB refuses.
        """
        import duckdb

        try:
            named = column_references(self.con, f"SELECT {select} {rest}")
            place = f"(SELECT range AS position FROM range({len(self.table)})) AS place"
            source = f"{relation(self.table, needed(self.table, named))} POSITIONAL JOIN {place}"
            return self.con.cursor().sql(f"SELECT {select} FROM {source} {rest}").to_arrow_table()
        except duckdb.Error as error:
            raise DataError(f"{self.dataset.location}: its columns cannot be read: {first_line(error)}") from error

    @cached_property
    def thresholds(self) -> dict[str, list[Threshold]]:
        """The thresholds of each rule, by its name; those whose columns are gone are left out."""
        found = {}
        for step in self.steps:
            known = [item for item in find_thresholds(self.con, step["where"]) if self._can_evaluate(item)]
            exact = [item for item in known if self._is_exact(item)]
            if exact:
                found[step["rule"]] = [self._in_place(item) for item in exact]
        return found

    def values(self, expression: str) -> npt.NDArray[np.float64]:
        """Return float64 (N,) of a numeric expression over all rows; NaN where it is null or no number.

        What is NaN to DuckDB, as 0/0, is infinite here: DuckDB compares it as larger than all numbers.
        """
        column = self.query(f"TRY_CAST(({expression}) AS DOUBLE) AS value")["value"]
        known = pc.if_else(pc.is_nan(column), pa.scalar(np.inf), column)
        return np.asarray(known.to_numpy(zero_copy_only=False), np.float64)

    def passes(self, condition: str) -> npt.NDArray[np.bool_] | None:
        """Return bool (N,): the rows for which a condition holds; None if it is none over columns that are there."""
        if condition not in self._passing:  # every line of every rule asks for all other rules
            try:
                holds = self.query(f"CASE WHEN (\n{condition}\n) THEN true ELSE false END AS holds")["holds"]
                self._passing[condition] = np.asarray(holds.to_numpy(zero_copy_only=False), bool)
            except DataError:
                self._passing[condition] = None
        return self._passing[condition]

    @cached_property
    def _passing(self) -> dict[str, npt.NDArray[np.bool_] | None]:
        """What ``passes`` has found."""
        return {}

    @cached_property
    def stands_for(self) -> npt.NDArray[np.int32]:
        """int32 (N,): for each row the number of the row that it is a copy of; its own where it is none."""
        found = np.arange(len(self.table), dtype=np.int32)
        if self.dedup is None:
            return found
        start = 0
        for chunk in self.table.column("dedup.duplicate_of_row").chunks:
            is_copy = chunk.is_valid().to_numpy(zero_copy_only=False)
            found[start : start + len(chunk)][is_copy] = chunk.drop_null().to_numpy()
            start += len(chunk)
        return found

    @cached_property
    def decided(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int8]]:
        """Bool (N,): kept; int8 (N,) the number of the step that drops each row, -1 for none."""
        names = pa.array([step["rule"] for step in self.steps], pa.string())
        numbers = pc.index_in(self.table.column("select.reason"), value_set=names)
        dropped = pc.fill_null(numbers.cast(pa.int8()), -1)
        return np.asarray(self.table.column("select.keep"), bool), np.asarray(dropped, np.int8)

    def _can_evaluate(self, threshold: Threshold) -> bool:
        try:
            self.query(f"TRY_CAST(({threshold.expression}) AS DOUBLE)", "LIMIT 0")
        except DataError:
            return False
        return True

    def _compared_type(self, expression: str, number: str) -> pa.DataType:
        """Return the type in which DuckDB compares an expression with a number: the one that both have in common."""
        asked = f"coalesce(({expression}), ({number})) AS both"
        if asked not in self._types:
            self._types[asked] = self.query(asked, "LIMIT 0")["both"].type
        return self._types[asked]

    @cached_property
    def _types(self) -> dict[str, pa.DataType]:
        """What ``_compared_type`` has found."""
        return {}

    def _is_exact(self, threshold: Threshold) -> bool:
        """Whether doubles tell apart all that is compared: whole numbers beyond 2^53 they do not."""
        both = self._compared_type(threshold.expression, threshold.compared)
        if not (pa.types.is_integer(both) or pa.types.is_decimal(both)):
            return True
        values = self.values(threshold.expression)
        return bool(np.nanmax(np.abs(values), initial=abs(threshold.value)) < MAX_WHOLE)

    def _in_place(self, threshold: Threshold) -> Threshold:
        """Return a threshold with the name of the column that it compares, and in which precision DuckDB does it."""
        expression = threshold.expression
        is_single = self._compared_type(expression, threshold.compared) == pa.float32()
        is_raised = not is_single and self._compared_type(expression, "0.5") == pa.float32()
        return threshold._replace(name=self._name_of(threshold), is_single=is_single, is_raised=is_raised)

    def _name_of(self, threshold: Threshold) -> str:
        """Return the name of the column that a rule compares with a number; the expression where it is none."""
        found = list(self._columns_of(threshold.column))
        return found[0].name if len(found) == 1 else threshold.name

    def _columns_of(self, reference: Sequence[str]) -> Iterator[TableColumn]:
        """Yield the columns that a name in SQL may mean."""
        *labels, own = [part.casefold() for part in reference] or [""]
        for column in self.table.columns.values():
            if column.column.casefold() == own and labels in ([], [column.label.casefold()]):
                yield column


def open_pool(address: Address, taken: Sequence[str] = ()) -> Pool:
    """Open a pool that select has decided on.

    Args:
        address: The dataset directory.
        taken: Labels that are in use.

    Raises:
        ShardError: If there is no finished dataset directory.
        DataError: If there are no decisions that fit the data.
    """
    dataset = open_dataset(address)
    select = dataset.column_set("decisions", "select")
    if select is None:
        raise DataError(f"{address}: no decisions that fit its data; run: diptych curate select CONFIG --out RUN")
    label = str(dataset.manifest.get("name") or dataset.location.name)
    while label in taken:
        label = f"{label}'"
    dedup = dataset.column_set("decisions", "dedup")
    decided = {"select": select, **({"dedup": dedup} if dedup is not None else {})}
    return Pool(label, DatasetTable(dataset, {**_scores(dataset, select), **decided}), _connected(dataset))


def _scores(dataset: Dataset, select: ColumnSet) -> dict[str, ColumnSet]:
    """Return the scores under the labels by which the rules called them, then others under their own."""
    known = {fingerprint(found.manifest["identity"]): found for found in dataset.column_sets("scores")}
    used = {label: fingerprint(identity) for label, identity in select.manifest["identity"]["columns"].items()}
    decided = {label: known[identity] for label, identity in used.items() if identity in known}
    names = {found.name for found in decided.values()}
    others = {label: found for label, found in labelled_sets(dataset).items() if found.name not in names}
    return {**decided, **{label: found for label, found in others.items() if label not in decided}}


def _connected(dataset: Dataset) -> Any:
    try:
        return connect(dataset)
    except ModuleNotFoundError as error:
        raise MissingExtra("reports", "duckdb") from error
