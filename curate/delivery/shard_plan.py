"""Which rows each shard of an export begins with: as if the shards were written one after the other, however they are.

A shard begins where the one before it ends, and that may follow from its bytes, which nobody knows who has not read
them. One worker sees it as it goes. Several begin where rows alone would end each shard, as long as bytes are far from
their limit; where one meets that nevertheless, or they are near to it from the start, the rows are measured first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from diptych.curate.delivery.shard_job import ColumnBeside, ExportTask, PoolRows, SizesJob, fitting
from diptych.data.damage import ShardFile
from diptych.data.table import DatasetTable
from diptych.jobs import run_job
from diptych.jobs.engine import Engine
from diptych.progress import track

FAR = 0.5  # of the bytes that a shard may have: up to here it is taken for granted that its rows end it


@dataclass(frozen=True)
class KeptRows:
    """The rows of an export, where they lie.

    Attributes:
        table: The pool with its scores.
        keep: bool (N,) over its rows.
        columns: Columns of scores that are written beside the data, by the names that they have there.
        most_rows: Of a shard.
        most_bytes: Of a shard.
    """

    table: DatasetTable
    keep: npt.NDArray[np.bool_] = field(repr=False)
    columns: Mapping[str, ColumnBeside]
    most_rows: int
    most_bytes: int

    @cached_property
    def starts(self) -> npt.NDArray[np.int64]:
        """int64 (S + 1,): the row of the export that each shard of the pool begins with, and how many there are."""
        counts = [np.count_nonzero(self.keep[first:last]) for first, last in pairwise(self._firsts.tolist())]
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    @property
    def total(self) -> int:
        """Rows of the export."""
        return int(self.starts[-1])

    def task(self, number: int, start: int) -> ExportTask:
        """Return what writes the shard that begins with a row of the export."""
        stop = min(start + self.most_rows, self.total)
        first, last = np.searchsorted(self.starts, [start, stop - 1], side="right") - 1
        has_some = (at for at in range(first, last + 1) if self.starts[at] < self.starts[at + 1])
        return ExportTask(number, start, [self._piece(at, start, stop) for at in has_some])

    def by_rows(self) -> list[int]:
        """Return the row that each shard begins with where only rows end one."""
        return list(range(0, self.total, self.most_rows))

    def are_far_from_bytes(self) -> bool:
        """Return whether it is likely that no shard is ended by its bytes, going by the sizes of the pool's files."""
        shards = self.table.dataset.shards
        per_shard = np.array([shard.bytes / max(1, shard.rows) for shard in shards]) * np.diff(self.starts)
        ends = np.concatenate([[0.0], np.cumsum(per_shard)])
        starts = np.array([*self.by_rows(), self.total])
        return bool((np.diff(np.interp(starts, self.starts, ends)) < FAR * self.most_bytes).all())

    def measured(self, engine: Engine, progress: str) -> list[int]:
        """Return the row that each shard begins with, by the sizes of all rows."""
        sizes = np.empty(self.total, np.uint32)
        shards = np.flatnonzero(np.diff(self.starts)).tolist()
        tasks = ((at, self._piece(at, int(self.starts[at]), int(self.starts[at + 1]))) for at in shards)
        with track("measure", self.total, mode=progress) as tracker:
            for at, found in run_job(SizesJob(self.columns), tasks, engine=engine, report=tracker.advance):
                sizes[self.starts[at] : self.starts[at + 1]] = found
        return list(self._cut(sizes))

    def _cut(self, sizes: npt.NDArray[np.uint32]) -> Iterator[int]:
        start = 0
        while start < len(sizes):
            yield start
            start += fitting(sizes[start : start + self.most_rows], self.most_bytes)

    def _piece(self, at: int, start: int, stop: int) -> PoolRows:
        """Return the rows of a shard of the pool that lie between two rows of the export."""
        dataset, first = self.table.dataset, int(self.starts[at])
        inside = self.keep[self._firsts[at] : self._firsts[at + 1]]
        rows = np.flatnonzero(inside)[max(0, start - first) : stop - first].astype(np.int32)
        labels = dict.fromkeys(column.label for column in self.columns.values())
        beside = {label: self.table.sets[label].files[at] for label in labels}
        return PoolRows(ShardFile(dataset.files[at], dataset.shards[at]), beside, rows)

    @cached_property
    def _firsts(self) -> npt.NDArray[np.int64]:
        """int64 (S + 1,): the row of the pool that each of its shards begins with, and how many there are."""
        return np.concatenate([[0], np.cumsum([shard.rows for shard in self.table.dataset.shards])]).astype(np.int64)
