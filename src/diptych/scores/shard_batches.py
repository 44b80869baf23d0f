"""The batches of a shard: cut by a row count and by bytes, decoded ahead of whoever looks at them.

Memory stays bounded whatever the pictures are, and pictures that nobody looks at are not read. While one batch is being
scored, threads decode the next ones and do the encoders' own preprocessing.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.data.generated_columns import generated_columns
from diptych.data.shards import read_groups, reading
from diptych.errors import DataError
from diptych.lookup import describe_unknown
from diptych.scores.batches import COLUMNS, Batch, image_bytes, row_limits
from diptych.scores.loading import Needs, load_image
from diptych.storage.location import Location
from diptych.torch_threads import compute_alone

# Of the pictures of one batch at most, as they came and decoded; one larger picture makes a batch of its own.
MAX_BATCH_BYTES = 128_000_000
AHEAD = 2  # batches that are decoded beside the one in hand, of together no more bytes than one may have


def iterate_batches(place: Location, *, batch_size: int, needs: Needs, threads: int) -> Iterator[Batch]:
    """Yield the batches of a shard, the images of the next ones being decoded meanwhile.

    Args:
        place: A shard of ``data``.
        batch_size: Rows at most.
        needs: What to prepare ahead; no picture is read if none is needed.
        threads: Decode threads.

    Raises:
        ShardError: If the shard is missing or damaged.
    """
    ahead: deque[tuple[Batch, int]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="decode", initializer=compute_alone) as pool:
        shard, start = _Shard(place), 0
        for rows, size in _cut(place, batch_size, needs):
            while len(ahead) > 1 and sum(other for _, other in ahead) - ahead[0][1] + size > MAX_BATCH_BYTES:
                yield ahead.popleft()[0]
            ahead.append((_begin(rows, needs, pool, _Part(shard, start, rows.num_rows)), size))
            start += rows.num_rows
            if len(ahead) > AHEAD:
                yield ahead.popleft()[0]
        while ahead:
            yield ahead.popleft()[0]


def _begin(rows: pa.Table, needs: Needs, pool: ThreadPoolExecutor, part: "_Part") -> Batch:
    if not needs.decoded:
        return Batch(rows, rest=part)
    given = zip(image_bytes(rows), rows.column("status").to_pylist(), row_limits(rows), strict=True)
    loads = [pool.submit(load_image, data, status, needs, max_pixels=limit) for data, status, limit in given]
    # What is decoded is not kept as it came as well, unless somebody looks at that too.
    return Batch(rows if needs.bytes else rows.drop_columns("image"), loads, part)


def _cut(place: Location, batch_size: int, needs: Needs) -> Iterator[tuple[pa.Table, int]]:
    """Yield the rows of each batch, and how many bytes their pictures take; the threads decide nothing."""
    names = [*COLUMNS, "image"] if needs.pictures else list(COLUMNS)
    held: pa.Table | None = None
    for group in read_groups(place, names):
        held = group if held is None else pa.concat_tables([held, group])
        sizes = _sizes(held, needs)
        start = 0
        for stop in _stops(sizes, batch_size):
            yield held.slice(start, stop - start), int(sizes[start:stop].sum())
            start = stop
        held = held.slice(start)
    if held is not None:
        yield held, int(_sizes(held, needs).sum())


def _stops(sizes: npt.NDArray[np.int64], batch_size: int) -> Iterator[int]:
    """Yield where batches end that nothing can be added to."""
    start, total = 0, 0
    for row, size in enumerate(sizes.tolist()):
        if row > start and (row - start == batch_size or total + size > MAX_BATCH_BYTES):
            yield row
            start, total = row, 0
        total += size


def _sizes(rows: pa.Table, needs: Needs) -> npt.NDArray[np.int64]:
    """Return how many bytes the picture of each row takes, as it came and decoded: int64 (N,)."""
    sizes = np.zeros(rows.num_rows, np.int64)
    if needs.pictures:
        lengths = pc.binary_length(pc.struct_field(rows.column("image"), "bytes"))
        sizes += pc.fill_null(lengths, 0).to_numpy()
    if needs.decoded:
        sides = [pc.fill_null(rows.column(name).cast(pa.int64()), 0).to_numpy() for name in ("width", "height")]
        sizes += 3 * sides[0] * sides[1]
    return sizes


@dataclass
class _Shard:
    """What is read of a shard on demand: columns, each whole, and pictures, one row group at a time."""

    place: Location
    columns: dict[str, pa.ChunkedArray] = field(default_factory=dict)
    pictures: tuple[int, list[bytes | None]] = (0, [])  # of one row group, from this row on

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a column, which is kept, since the next batch wants it too; null if only generated images have it.

        Raises:
            DataError: If the shard has no such column.
        """
        if name not in self.columns:
            with reading(self.place) as parquet:
                if name in parquet.schema_arrow.names:
                    self.columns[name] = parquet.read(columns=[name])[name]
                elif name in generated_columns():
                    self.columns[name] = pa.chunked_array([pa.nulls(parquet.metadata.num_rows)])
                else:
                    known = describe_unknown("column", name, parquet.schema_arrow.names)
                    raise DataError(f"{self.place}: {known}")
        return self.columns[name]

    def picture(self, row: int) -> bytes | None:
        """Return the bytes of a picture."""
        first, found = self.pictures
        if not first <= row < first + len(found):
            self.pictures = first, found = self._group_of(row)
        return found[row - first]

    def _group_of(self, row: int) -> tuple[int, list[bytes | None]]:
        first = 0
        with reading(self.place) as parquet:
            for group in range(parquet.num_row_groups):
                count = parquet.metadata.row_group(group).num_rows
                if row < first + count:
                    return first, image_bytes(parquet.read_row_group(group, columns=["image"]))
                first += count
        raise IndexError(row)


@dataclass(frozen=True)
class _Part:
    """Some rows of a shard, as a batch asks for more of them."""

    shard: _Shard
    start: int
    count: int

    def values(self, name: str) -> list[Any]:
        """Return a column as Python values.

        Raises:
            DataError: If the shard has no such column.
        """
        values: list[Any] = self.shard.column(name).slice(self.start, self.count).to_pylist()
        return values

    def picture(self, row: int) -> bytes | None:
        """Return the bytes of the picture of one of the rows."""
        return self.shard.picture(self.start + row)
