"""The rows of a dataset as an evaluation sees them: columns of the data, scores by name, vectors, groups, prompts.

Everything lies in the order of the dataset, so that columns are put side by side by position and never joined.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.data.dataset import ColumnSet, Dataset
from diptych.data.generated_columns import columns_of
from diptych.data.schema import data_schema
from diptych.data.shards import read_shard, reading
from diptych.errors import ConfigError
from diptych.lookup import describe_unknown
from diptych.scores import Column
from diptych.scores.tables import read_embeddings, score_schema
from diptych.storage.location import Location

Index = npt.NDArray[np.int64]


class RowGroup(NamedTuple):
    """Some rows that have the same values in some columns: the values by column, and the row numbers."""

    values: Mapping[str, Any]
    rows: Index


@dataclass(frozen=True)
class ScoredColumn:
    """One column of a score over a dataset.

    Attributes:
        name: As it is shown: its own, or ``label.column`` where two scores have a column of that name.
        facts: Its documentation: what ``diptych.scores.Column`` says.
        identity: Of the score.
        values: float64 (N,): NaN where there is no number; flags are 0 and 1.
        texts: Words, or hexadecimal digits of a hash, by row; None for a column of numbers.
        reasons: str or None by row: why there is nothing.
    """

    name: str
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
    def source(self) -> dict[str, Any]:
        """What decides the numbers: the identity of the column, and part of that of what is made from it."""
        return {"column": self.column, "score": dict(self.identity)}


@dataclass(frozen=True)
class ScoredRows:
    """One dataset of an evaluation.

    Attributes:
        label: In the config.
        role: ``generated``, ``pairs`` or ``reference``.
        dataset: The directory.
        score_sets: Finished scores by label.
        embedding_sets: Finished vectors by label of the encoder.
    """

    label: str
    role: str
    dataset: Dataset
    score_sets: Mapping[str, ColumnSet] = field(default_factory=dict)
    embedding_sets: Mapping[str, ColumnSet] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.dataset.rows

    @cached_property
    def table(self) -> pa.Table:
        """Every column of the data but the pictures, and ``shard`` and ``shard_row``, which say where they lie."""
        empty = _placed(data_schema().empty_table().drop_columns(["image"]), "")
        tables = [_without_images(file) for file in self.dataset.files]
        return pa.concat_tables(tables or [empty]).combine_chunks()

    @cached_property
    def scored(self) -> Mapping[str, ScoredColumn]:
        """The score columns by the name under which they are shown."""
        shown = shown_names({label: _column_names(found) for label, found in self.score_sets.items()})
        columns = {}
        for label, found in self.score_sets.items():
            empty = score_schema(Column(**facts) for facts in found.manifest["columns"]).empty_table()
            table = pa.concat_tables([read_shard(file) for file in found.files] or [empty])
            for facts in found.manifest["columns"]:
                name = shown[label, facts["name"]]
                columns[name] = _scored(name, facts, found.manifest["identity"], table)
        return columns

    def score(self, name: str) -> ScoredColumn:
        """Return a score column by its shown name or as ``label.column``.

        Raises:
            ConfigError: If there is none.
        """
        found = self.scored.get(self._full_names.get(name, name))
        if found is None:
            raise ConfigError(f"dataset {self.label!r}: {describe_unknown('score column', name, self.scored)}")
        return found

    def values(self, name: str) -> pa.Array:
        """Return a column to group by: one of the data, or a score's column of words.

        Raises:
            ConfigError: If there is none.
        """
        if name in self.table.column_names:
            return self.table[name].combine_chunks()
        shown = self._full_names.get(name, name)
        words = {each.name: each.texts for each in self.scored.values() if each.texts is not None}
        if shown not in words:
            known = [*self.table.column_names, *words]
            raise ConfigError(f"dataset {self.label!r}: {describe_unknown('column', name, known)}")
        return pa.array(words[shown], pa.string())

    def groups(self, by: Sequence[str], *, among: Index | None = None) -> list[RowGroup]:
        """Return the groups of rows with equal values in ``by``, in the order of their values, nulls first.

        Args:
            by: Column names; none gives one group.
            among: Rows to look at; None takes all.
        """
        rows = np.arange(len(self), dtype=np.int64) if among is None else among
        return group_by({name: self.values(name) for name in by}, rows)

    @cached_property
    def prompts(self) -> Index:
        """A number per row, equal for images of one prompt: those depend on each other.

        The prompt is ``benchmark`` and ``prompt_id``, or where those are missing the caption of a generated image;
        of a pair from the web it is the pair itself.
        """
        return codes([self.values(name) for name in self._prompt_columns], len(self))

    @cached_property
    def units(self) -> npt.NDArray[np.str_]:
        """Text per row, equal where images depend on each other: of one prompt, or of pairs from the web equal bytes.

        Unlike ``prompts`` it does not depend on which other rows there are.
        """
        names = self._prompt_columns if self.role == "generated" else ["sha256"]
        columns = [self.values(name).to_pylist() for name in names]
        keys = self.values("key").to_pylist()
        parts = zip(keys, zip(*columns, strict=True), strict=True)
        texts = (repr(key if values == (None,) else values) for key, values in parts)
        return np.array([hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16] for text in texts], np.str_)

    @cached_property
    def _prompt_columns(self) -> list[str]:
        names = self.table.column_names
        if "prompt_id" in names:
            return [name for name in columns_of("prompt") if name in names]
        return ["caption" if self.role == "generated" else "key"]

    def vectors(self, encoder: str) -> npt.NDArray[np.float32]:
        """Return float32 (N, dim) of an encoder by its label; NaN where there is no picture."""
        found = self.embedding_sets[encoder]
        empty = np.empty((0, int(found.manifest["dim"])), np.float32)
        return np.concatenate([empty, *(read_embeddings(file) for file in found.files)])

    @cached_property
    def _full_names(self) -> Mapping[str, str]:
        """``label.column`` -> the name under which it is shown."""
        shown = shown_names({label: _column_names(found) for label, found in self.score_sets.items()})
        return {f"{label}.{column}": name for (label, column), name in shown.items()}


def shown_names(columns: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], str]:
    """Return (label, column) -> the name to show: the column's own where only one score has it, else with the label.

    >>> shown_names({"b32": ["similarity"], "l14": ["similarity", "cut"]})[("l14", "similarity")]
    'l14.similarity'
    """
    every = [column for names in columns.values() for column in names]
    return {
        (label, column): column if every.count(column) == 1 else f"{label}.{column}"
        for label, names in columns.items()
        for column in names
    }


def group_by(columns: Mapping[str, pa.Array], rows: Index) -> list[RowGroup]:
    """Return the groups of some rows with equal values in all columns, in the order of the values, nulls first.

    Args:
        columns: Each with a value for every row of the dataset; none gives one group.
        rows: Row numbers to look at.
    """
    taken = {name: column.take(pa.array(rows)) for name, column in columns.items()}
    inverse = codes(taken.values(), len(rows))
    order = np.argsort(inverse, kind="stable")
    starts = np.flatnonzero(np.diff(inverse[order], prepend=-1))
    groups = []
    for part in np.split(order, starts[1:]) if len(rows) else []:
        groups.append(RowGroup({name: column[int(part[0])].as_py() for name, column in taken.items()}, rows[part]))
    return sorted(groups, key=lambda group: [(value is not None, value) for value in group.values.values()])


def codes(columns: Iterable[pa.Array], count: int) -> Index:
    """Return int64 (count,): a number per row, equal where all columns are equal; null is a value of its own."""
    code = np.zeros(count, np.int64)
    for column in columns:
        encoded = pc.dictionary_encode(column, null_encoding="encode").indices.to_numpy(zero_copy_only=False)
        pairs = np.stack([code, encoded.astype(np.int64)])
        code = np.unique(pairs, axis=1, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return code


def _without_images(file: Location) -> pa.Table:
    with reading(file) as parquet:
        names = [name for name in parquet.schema_arrow.names if name != "image"]
    return _placed(read_shard(file, names), file.name)


def _placed(table: pa.Table, shard: str) -> pa.Table:
    names = pa.array([shard] * table.num_rows, pa.string())
    return table.append_column("shard", names).append_column("shard_row", pa.array(range(table.num_rows), pa.int32()))


def _column_names(found: ColumnSet) -> list[str]:
    return [facts["name"] for facts in found.manifest["columns"]]


def _scored(name: str, facts: Mapping[str, Any], identity: Mapping[str, Any], table: pa.Table) -> ScoredColumn:
    column, reasons = table[facts["name"]], table["reason"].to_pylist()
    texts: list[str | None] | None = None
    numbers = np.full(len(column), np.nan)
    if pa.types.is_string(column.type):
        texts = column.to_pylist()
    elif pa.types.is_uint64(column.type):  # 64 bits of a hash do not fit a double
        texts = [None if value is None else f"{value:016x}" for value in column.to_pylist()]
    else:
        numbers = column.cast(pa.float64()).to_numpy()
    missing = column.is_null().to_pylist()
    said = [reason if is_missing else None for reason, is_missing in zip(reasons, missing, strict=True)]
    return ScoredColumn(name, facts, identity, numbers, texts, said)
