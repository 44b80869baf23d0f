"""The rows of a dataset as an evaluation sees them: columns of the data, scores by name, vectors, groups, prompts.

Everything lies in the order of the dataset, so that columns are put side by side by position and never joined.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.data.checks import NOT_ASKED
from diptych.data.column_names import DATA
from diptych.data.dataset import ColumnSet, Dataset
from diptych.data.generated_columns import BENCHMARK, PROMPT_ID, SEED, columns_of
from diptych.data.prompt_sets import prompt_kinds
from diptych.data.same_prompt import texts_apart
from diptych.data.single_precision import meant_column
from diptych.data.table import DatasetTable, TableColumn
from diptych.evaluate.inputs.memberships import members
from diptych.evaluate.inputs.row_codes import codes, linked
from diptych.evaluate.statistics.intervals import even_clusters
from diptych.evaluate.statistics.macro_shares import ONE_PROMPT
from diptych.progress.wording import quantity
from diptych.scores.tables import read_embeddings

Index = npt.NDArray[np.int64]


class RowGroup(NamedTuple):
    """Some rows that have the same values in some columns: the values by column, and the row numbers."""

    values: Mapping[str, Any]
    rows: Index


@dataclass(frozen=True)
class ScoredColumn:
    """One column of a score over a dataset.

    Attributes:
        label: Of the score.
        facts: Its documentation: what ``diptych.scores.Column`` says.
        identity: Of the score.
        values: float64 (N,): what was meant, see ``meant_column``; NaN where there is no number; flags are 0 and 1.
        texts: Words, or hexadecimal digits of a hash, by row; None for a column of numbers.
        reasons: str or None by row: why there is nothing.
    """

    label: str
    facts: Mapping[str, Any]
    identity: Mapping[str, Any]
    values: npt.NDArray[np.float64]
    texts: Sequence[str | None] | None
    reasons: Sequence[str | None]

    @property
    def column(self) -> str:
        """The name of the column itself."""
        return str(self.facts["name"])

    @property
    def is_asked(self) -> npt.NDArray[np.bool_]:
        """Bool (N,): whether a row has what the score asks about."""
        return np.array([reason != NOT_ASKED for reason in self.reasons], bool)

    @property
    def source(self) -> dict[str, Any]:
        """What decides the numbers: the identity of the column, and part of that of what is made from it."""
        return {"column": self.column, "score": dict(self.identity)}


@dataclass(frozen=True)
class ScoredRows:
    """One dataset of an evaluation.

    Attributes:
        label: In the config.
        role: ``generated``, ``pairs`` or ``reference``.
        table: The data with its scores.
        embedding_sets: Finished vectors by label of the encoder.
        first_texts: Name of a prompt -> the text that it stands for in datasets before this one, see ``same_prompt``.
        made: Columns that are made of those of scores, by name.
    """

    label: str
    role: str
    table: DatasetTable
    embedding_sets: Mapping[str, ColumnSet] = field(default_factory=dict)
    first_texts: Mapping[tuple[Any, ...], str] = field(default_factory=dict)
    made: Mapping[str, ScoredColumn] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.table)

    @property
    def dataset(self) -> Dataset:
        """The directory."""
        return self.table.dataset

    @cached_property
    def prompt_kinds(self) -> Mapping[str, str]:
        """The kinds of its prompt sets by their labels, as far as it tells."""
        return prompt_kinds(self.dataset.manifest)

    @property
    def scored(self) -> list[str]:
        """The names of the columns of scores, and of those that are made of them."""
        return [*(column.name for column in self.table.columns.values() if column.facts), *self.made]

    def has(self, name: str) -> bool:
        """Return whether the data have a column."""
        return name in self.table.columns and self.table.columns[name].label == DATA

    def score(self, name: str) -> ScoredColumn:
        """Return a column of a score by its name, ``label.column``; read once."""
        if name in self.made:
            return self.made[name]
        if name not in self._read:
            self._read[name] = _scored(self.table, self.table.columns[name])
        return self._read[name]

    def values(self, name: str) -> pa.Array:
        """Return a column to group by: one of the data, or a score's column of words."""
        if self.has(name):
            return meant_column(self.table.column(name).combine_chunks())
        return pa.array(self.score(name).texts, pa.string())

    def groups(self, by: Sequence[str], *, among: Index | None = None) -> list[RowGroup]:
        """Return the groups of rows with equal values in ``by``, in the order of their values, nulls first.

        Args:
            by: Column names; none gives one group.
            among: Rows to look at; None takes all.
        """
        rows = np.arange(len(self), dtype=np.int64) if among is None else among
        return group_by({name: self.values(name) for name in by}, rows)

    @cached_property
    def units(self) -> npt.NDArray[np.str_]:
        """Text per row, equal where images depend on each other: every number of an evaluation counts by these.

        Generated images of one prompt do, see ``same_prompt``, or where it has no name by caption; two benchmarks that
        ask for one image have one prompt there. Pairs from the web do where their bytes are equal. But for what two
        benchmarks share, and for a name of two texts, it does not depend on which other rows there are.
        """
        columns = [self.values(name).to_pylist() for name in self._unit_columns]
        keys = self.values("key").to_pylist()
        rows = zip(keys, zip(*columns, strict=True), self.texts_apart, strict=True)
        named = [unit_name(*((key,) if values == (None,) else values), *text) for key, values, text in rows]
        names = np.array(named, np.str_)
        if not self.has(SEED):
            return names
        known, code = np.unique(names, return_inverse=True)
        return known[linked(code.astype(np.int64), self.values(SEED))]

    @cached_property
    def told_texts(self) -> list[str | None]:
        """Of each row the text of its prompt, where the dataset tells of the prompt's set."""
        if not self.prompt_kinds or not all(map(self.has, (*columns_of("prompt"), "caption"))):
            return [None] * len(self)
        both = zip(self.values(BENCHMARK).to_pylist(), self.values("caption").to_pylist(), strict=True)
        return [text if label in self.prompt_kinds else None for label, text in both]

    @property
    def prompts_told(self) -> list[tuple[tuple[Any, ...], str]]:
        """Name and text of the prompt of each row of which the dataset tells both."""
        if not any(text is not None for text in self.told_texts):
            return []
        names = zip(*(self.values(name).to_pylist() for name in columns_of("prompt")), strict=True)
        return [(name, text) for name, text in zip(names, self.told_texts, strict=True) if text is not None]

    @cached_property
    def texts_apart(self) -> list[tuple[str, ...]]:
        """Of each row the text of its prompt where the name alone stands for another one, see ``same_prompt``."""
        apart = iter(texts_apart(self.prompts_told, dict(self.first_texts)))
        found = (None if text is None else next(apart) for text in self.told_texts)
        return [() if text is None else (text,) for text in found]

    @cached_property
    def prompts(self) -> Index:
        """A number per row, equal for images of one unit."""
        return np.unique(self.units, return_inverse=True)[1].astype(np.int64)

    @cached_property
    def draws(self) -> Index:
        """A number per row, equal for images that repeat each other within a unit: those of one seed, whatever else.

        They begin with the same noise, so that near settings give near pictures. An image of which no seed is known
        stands for itself; equal files are one.
        """
        if self._unit_columns == ["sha256"]:
            return self.prompts
        own = np.arange(len(self), dtype=np.int64)
        if not self.has(SEED):
            return own
        seeds = self.values(SEED)
        alone = pc.if_else(seeds.is_null(), pa.array(own), pa.scalar(None, pa.int64()))
        return codes([pa.array(self.prompts), seeds, alone], len(self))

    def units_text(self, rows: Index) -> str:
        """Return in words how many units some rows are of, and where that is one, how many seeds or images it has.

        Where it is hardly more than one, what is said of them is about that one too, see ``effective_number``.
        """
        units, draws = len(np.unique(self.prompts[rows])), len(np.unique(self.draws[rows]))
        if not self.is_of_one(rows):
            return quantity(units, "prompt")
        if units > 1:
            return f"{quantity(units, 'prompt')}, {self.most_of_one(rows)}, about which alone it is"
        return f"1 prompt of {quantity(draws, 'seed' if self.has(SEED) else 'image')}, about which alone it is"

    def is_of_one(self, rows: Index) -> bool:
        """Return whether the interval of a share of some rows is about one unit, or hardly more."""
        units = len(np.unique(self.prompts[rows]))
        return units == 1 or (1 < units < len(rows) and even_clusters(self.prompts[rows]) < ONE_PROMPT)

    def most_of_one(self, rows: Index) -> str:
        """Return in words how many of some rows are of the unit that most are of."""
        most = int(np.unique(self.prompts[rows], return_counts=True)[1].max(initial=0))
        return f"{most:,} of {quantity(len(rows), 'image')} of one"

    @property
    def _unit_columns(self) -> list[str]:
        if self.has(PROMPT_ID):
            return [name for name in columns_of("prompt") if self.has(name)]
        return ["caption" if self.role == "generated" else "sha256"]

    def vectors(self, encoder: str) -> npt.NDArray[np.float32]:
        """Return float32 (N, dim) of an encoder by its label; NaN where there is no picture."""
        found = self.embedding_sets[encoder]
        empty = np.empty((0, int(found.manifest["dim"])), np.float32)
        return np.concatenate([empty, *(read_embeddings(file) for file in found.files)])

    @cached_property
    def _read(self) -> dict[str, ScoredColumn]:
        """The columns of scores that were asked for."""
        return {}


def unit_name(*values: Any) -> str:
    """Return the name of the unit of all images that have some values: of one file, those with its sha256.

    >>> unit_name("parti", "00001")
    '7c166df2685b8900'
    """
    return hashlib.sha256(repr(values).encode("utf-8", "replace")).hexdigest()[:16]


def group_by(columns: Mapping[str, pa.Array], rows: Index) -> list[RowGroup]:
    """Return the groups of some rows with equal values in all columns, in the order of the values, nulls first.

    A row that has several values in a column is in the group of each.

    Args:
        columns: Each with a value for every row of the dataset; none gives one group.
        rows: Row numbers to look at.
    """
    taken: dict[str, pa.Array] = {}
    for name, column in columns.items():
        found = members(column.take(pa.array(rows)))
        taken = {other: values.take(pa.array(found.positions)) for other, values in taken.items()}
        taken[name], rows = found.values, rows[found.positions]
    inverse = codes(taken.values(), len(rows))
    order = np.argsort(inverse, kind="stable")
    starts = np.flatnonzero(np.diff(inverse[order], prepend=-1))
    groups = []
    for part in np.split(order, starts[1:]) if len(rows) else []:
        groups.append(RowGroup({name: column[int(part[0])].as_py() for name, column in taken.items()}, rows[part]))
    return sorted(groups, key=lambda group: [(value is not None, value) for value in group.values.values()])


def _scored(table: DatasetTable, found: TableColumn) -> ScoredColumn:
    column = table.column(found.name)
    texts: list[str | None] | None = None
    numbers = np.full(len(column), np.nan)
    if pa.types.is_string(found.type):
        texts = column.to_pylist()
    elif pa.types.is_uint64(found.type):  # 64 bits of a hash do not fit a double
        texts = [None if value is None else f"{value:016x}" for value in column.to_pylist()]
    else:
        numbers = meant_column(column.combine_chunks()).cast(pa.float64()).to_numpy(zero_copy_only=False)
    reasons = table.reasons(found.name).to_pylist()
    return ScoredColumn(found.label, found.facts, found.identity, numbers, texts, reasons)
