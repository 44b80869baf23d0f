"""A dataset as a notebook has it: columns as Arrow or pandas, pictures as PIL, rows by SQL. Decides nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.data.dataset import Dataset
from diptych.data.images import Image, decode
from diptych.data.pixel_limit import pixels_allowed
from diptych.data.sql import column_references, connect, needed, relation, what_sql_lacks
from diptych.data.table import DatasetTable
from diptych.data.unfinished import unfinished_score
from diptych.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class OpenDataset:
    """A dataset directory with its scores and decisions, column by column and picture by picture.

    Attributes:
        table: What it reads from; see ``diptych.data.table``.
    """

    table: DatasetTable

    @property
    def dataset(self) -> Dataset:
        """The directory: its place, its manifest, its shards."""
        return self.table.dataset

    @property
    def columns(self) -> list[str]:
        """The names of all columns but the pictures: those of the data, then ``label.column`` of each score."""
        return list(self.table.columns)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.table)

    def __repr__(self) -> str:
        """Return what it is in a few words."""
        manifest = self.dataset.manifest
        return f"<diptych dataset of {len(self):,} rows: {manifest['kind']} {manifest['name']!r}>"

    def arrow(self, *names: str, rows: Sequence[int] | None = None) -> pa.Table:
        """Return columns as Arrow; all but the pictures where none is named.

        Args:
            names: Of columns, as ``columns`` lists them, or ``image``.
            rows: Numbers of rows, in the order that is wanted; None takes all.

        Raises:
            ConfigError: If there is no such column; names the nearest.
            DataError: If there is no such row.
            ShardError: If a shard is not what was written.
        """
        wanted = [name if name == "image" else self.table.find(name).name for name in names or self.columns]
        return self.table.read(wanted, None if rows is None else self._numbers(rows))

    def pandas(self, *names: str, rows: Sequence[int] | None = None) -> "pd.DataFrame":
        """Return columns as a pandas data frame, as ``arrow`` does."""
        return self.arrow(*names, rows=rows).to_pandas()

    def image(self, row: int) -> Image:
        """Return the picture of a row: upright, in sRGB, opaque.

        Raises:
            DataError: If there is no such row.
            DecodeError: If it has none, or one that cannot be decoded.
        """
        return next(self.images([row]))

    def images(self, rows: Sequence[int] | None = None) -> Iterator[Image]:
        """Yield the pictures of some rows, or of all, as PIL images.

        Raises:
            DataError: If there is no such row.
            DecodeError: If a row has no picture, or one that cannot be decoded.
        """
        for row in range(len(self)) if rows is None else rows:
            (found,) = self.arrow("image", "width", "height", rows=[row]).to_pylist()
            limit = pixels_allowed(found["width"], found["height"])
            yield decode(found["image"]["bytes"] if found["image"] else b"", max_pixels=limit)

    def query(self, select: str, where: str = "TRUE") -> pa.Table:
        """Return the SQL expressions ``select`` over the rows for which the SQL condition ``where`` holds.

        A score's column is ``label.column``, or its own name where only one score has it.

        Raises:
            DataError: If DuckDB refuses; of a column that is not there, names the nearest.
        """
        import duckdb

        con, table = connect(self.dataset), self.table
        named = column_references(con, f"SELECT {select} WHERE {where}")
        sql = f"SELECT {select} FROM {relation(table, needed(table, named))} WHERE {where}"
        try:
            return con.cursor().sql(sql).to_arrow_table()
        except duckdb.Error as error:
            said = what_sql_lacks(error, self.columns, missing=partial(unfinished_score, self.dataset))
            raise DataError(f"{self.dataset.location}: {said}") from error

    def _numbers(self, rows: Sequence[int]) -> npt.NDArray[np.int64]:
        given = np.asarray(rows)
        if given.ndim != 1 or (given.dtype.kind not in "iu" and given.size):
            raise DataError(f"{self.dataset.location}: rows are a list of their numbers, counted from 0, not {rows!r}")
        numbers = given.astype(np.int64)
        strange = numbers[(numbers < 0) | (numbers >= len(self))]
        if len(strange):
            said = f"there is no row {strange[0]}; it has {len(self):,}, counted from 0"
            raise DataError(f"{self.dataset.location}: {said}")
        return numbers
