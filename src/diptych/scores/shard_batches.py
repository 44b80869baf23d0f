"""The batches of a shard: cut by a row count and a pixel budget, decoded ahead of whoever looks at them.

Memory stays bounded whatever the pictures are. While one batch is being scored, threads decode the next ones and do the
encoders' own preprocessing.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pyarrow as pa

from diptych.data.shards import reading
from diptych.errors import DataError
from diptych.lookup import describe_unknown
from diptych.scores.batches import COLUMNS, Batch, MoreColumns, image_bytes
from diptych.scores.loading import Needs, load_image
from diptych.storage.location import Location

# Decoded pixels of one batch at most (x 3 bytes); one larger picture makes a batch of its own.
MAX_BATCH_PIXELS = 64_000_000


def iterate_batches(place: Location, *, batch_size: int, needs: Needs, threads: int) -> Iterator[Batch]:
    """Yield the batches of a shard, the images of the next two being decoded meanwhile.

    Args:
        place: A shard of ``data``.
        batch_size: Rows at most.
        needs: What to prepare ahead; nothing is decoded ahead if nothing is needed.
        threads: Decode threads.
    """
    ahead: deque[Batch] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:
        stored, start = _StoredColumns(place), 0
        for rows in _cut(place, batch_size):
            ahead.append(_start(rows, needs, pool, partial(stored.values, start, rows.num_rows)))
            start += rows.num_rows
            if len(ahead) > 2:
                yield ahead.popleft()
        while ahead:
            yield ahead.popleft()


def _start(rows: pa.RecordBatch, needs: Needs, pool: ThreadPoolExecutor, more: MoreColumns) -> Batch:
    if not needs.pixels and not needs.encoders:
        return Batch(rows, more=more)
    pairs = zip(image_bytes(rows), rows.column("status").to_pylist(), strict=True)
    return Batch(rows, [pool.submit(load_image, data, status, needs) for data, status in pairs], more)


class _StoredColumns:
    """Columns of one shard, each read whole on first use and kept, since the next batch wants it too."""

    def __init__(self, place: Location) -> None:
        self._place = place
        self._read: dict[str, pa.ChunkedArray] = {}

    def values(self, start: int, count: int, name: str) -> list[Any]:
        """Return ``count`` values of a column from the row ``start`` on.

        Raises:
            DataError: If the shard has no such column.
        """
        if name not in self._read:
            with reading(self._place) as parquet:
                if name not in parquet.schema_arrow.names:
                    known = describe_unknown("column", name, parquet.schema_arrow.names)
                    raise DataError(f"{self._place}: {known}")
                self._read[name] = parquet.read(columns=[name])[name]
        values: list[Any] = self._read[name].slice(start, count).to_pylist()
        return values


def _cut(place: Location, batch_size: int) -> Iterator[pa.RecordBatch]:
    """Yield record batches of at most ``batch_size`` rows and ``MAX_BATCH_PIXELS`` pixels, whatever the threads."""
    with reading(place) as parquet:
        for rows in parquet.iter_batches(batch_size=batch_size, columns=list(COLUMNS)):
            start, total = 0, 0
            for row, pixels in enumerate(_pixel_counts(rows)):
                if row > start and total + pixels > MAX_BATCH_PIXELS:
                    yield rows.slice(start, row - start)
                    start, total = row, 0
                total += pixels
            yield rows.slice(start)


def _pixel_counts(rows: pa.RecordBatch) -> list[int]:
    widths, heights = rows.column("width").to_pylist(), rows.column("height").to_pylist()
    return [(width or 0) * (height or 0) for width, height in zip(widths, heights, strict=True)]
