"""Batches of rows: decoded once, embedded once, ahead of whoever looks at them.

The rows of a shard are cut into batches by a row count and a pixel budget, so that memory stays bounded whatever the
pictures are. While one batch is being scored, threads decode the next ones and do the encoders' own preprocessing.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.config.identity import fingerprint
from diptych.data import images
from diptych.data.images import Image
from diptych.data.shards import reading
from diptych.encoders import Encoder
from diptych.errors import DataError, DecodeError
from diptych.judges.boxes import Detection, Detector
from diptych.lookup import describe_unknown
from diptych.storage.location import Location

# Decoded pixels of one batch at most (x 3 bytes); one larger picture makes a batch of its own.
MAX_BATCH_PIXELS = 64_000_000
COLUMNS = ("key", "image", "caption", "status", "width", "height")


@dataclass(frozen=True)
class Needs:
    """What to prepare ahead for each row.

    Attributes:
        pixels: Whether somebody looks at the decoded picture.
        encoders: By label: encoders whose vectors are wanted and not stored.
    """

    pixels: bool = False
    encoders: Mapping[str, Encoder] = field(default_factory=dict)


@dataclass(frozen=True)
class LoadedImage:
    """One decoded row: the picture if wanted, what each encoder made of it, or the reason why not."""

    image: Image | None
    prepared: Mapping[int, npt.NDArray[Any]]
    reason: str | None


class Batch:
    """Some rows in order, with lazily decoded images and memoised embeddings.

    Attributes:
        keys: Unique key of each row.
        captions: Text of each row, None where there is none.
        bytes: Image bytes as they came, None where the row has none.
        statuses: ``ok`` or the reason for which the row failed before.
    """

    def __init__(
        self,
        rows: pa.RecordBatch,
        loads: Sequence["Future[LoadedImage]"] | None = None,
        more: "MoreColumns | None" = None,
    ) -> None:
        """Wrap rows with THE columns of ``COLUMNS``.

        Args:
            rows: The rows.
            loads: Their images, being decoded elsewhere; decoded on first use where None.
            more: The columns that ``rows`` does not have; None if there are no others.
        """
        self.keys: list[str] = rows.column("key").to_pylist()
        self.captions: list[str | None] = rows.column("caption").to_pylist()
        self.statuses: list[str] = rows.column("status").to_pylist()
        self.bytes: list[bytes | None] = _image_bytes(rows)
        self._columns = {name: rows.column(name) for name in rows.schema.names if name != "image"}
        self._more = more
        self._futures = loads
        self._loads: list[LoadedImage] | None = None
        self._reasons: dict[int, str | None] = {}
        self._vectors: dict[int, npt.NDArray[np.float32]] = {}
        self._text_vectors: dict[int, npt.NDArray[np.float32]] = {}
        self._detections: dict[str, list[list[Detection] | None]] = {}

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.keys)

    def column(self, name: str) -> list[Any]:
        """Return a column of the data as Python values, None where null; read from disk on first use.

        Raises:
            DataError: If the data has no such column.
        """
        if name in self._columns:
            values: list[Any] = self._columns[name].to_pylist()
            return values
        if self._more is None:
            raise DataError(describe_unknown("column", name, self._columns))
        return self._more.values(name, len(self))

    def images(self) -> list[Image | None]:
        """Return the RGB images, each decoded once; None where the row has none or it cannot be decoded."""
        loads = self._loaded()
        assert all(load.image or load.reason for load in loads), "a score that looks at images has 'pixels' in reads"
        return [load.image for load in loads]

    def reason(self, row: int) -> str | None:
        """Return why a row has no image (its status or decode error), or None; decodes at most this row, once."""
        if self._loads is not None or self._futures is not None:
            return self._loaded()[row].reason
        if row not in self._reasons:
            self._reasons[row] = load_image(self.bytes[row], self.statuses[row], Needs()).reason
        return self._reasons[row]

    def embeddings(self, encoder: Encoder) -> npt.NDArray[np.float32]:
        """Return float32 (N, dim), rounded through float16 as stored; NaN where there is no image.

        The rounding makes a score the same number whether its vectors come from the model or from disk.
        """
        if id(encoder) not in self._vectors:
            prepared = [_prepared(load, encoder) for load in self._loaded()]
            self._vectors[id(encoder)] = _scatter(prepared, encoder.images, encoder.dim)
        return self._vectors[id(encoder)]

    def text_embeddings(self, encoder: Encoder) -> npt.NDArray[np.float32]:
        """Return float32 (N, dim), rounded through float16; NaN where there is no caption."""
        if id(encoder) not in self._text_vectors:
            self._text_vectors[id(encoder)] = _scatter(self.captions, encoder.texts, encoder.dim)
        return self._text_vectors[id(encoder)]

    def provide_embeddings(self, encoder: Encoder, vectors: npt.NDArray[np.float32]) -> None:
        """Hand in stored vectors, float32 (N, dim), so that no image is decoded for this encoder."""
        assert vectors.shape == (len(self), encoder.dim), vectors.shape
        self._vectors[id(encoder)] = vectors

    def detections(self, detector: Detector) -> list[list[Detection] | None]:
        """Return what a detector finds in each image, the surest first; None where there is no image.

        Each image is looked at once, however many scores ask for detectors of the same identity.
        """
        key = fingerprint(dict(detector.identity))
        if key not in self._detections:
            present = [(row, image) for row, image in enumerate(self.images()) if image is not None]
            found: list[list[Detection] | None] = [None] * len(self)
            if present:
                detected = detector.detect([image for _, image in present])
                for (row, _), things in zip(present, detected, strict=True):
                    found[row] = things
            self._detections[key] = found
        return self._detections[key]

    def _loaded(self) -> list[LoadedImage]:
        if self._loads is None:
            if self._futures is None:
                everything = Needs(pixels=True)
                pairs = zip(self.bytes, self.statuses, strict=True)
                self._loads = [load_image(data, status, everything) for data, status in pairs]
            else:
                self._loads = [future.result() for future in self._futures]
        return self._loads


class _StoredColumns:
    """Columns of one shard, each read whole on first use and kept, since the next batch wants it too."""

    def __init__(self, place: Location) -> None:
        self._place = place
        self._read: dict[str, pa.ChunkedArray] = {}

    def values(self, name: str, start: int, count: int) -> list[Any]:
        if name not in self._read:
            with reading(self._place) as parquet:
                if name not in parquet.schema_arrow.names:
                    known = describe_unknown("column", name, parquet.schema_arrow.names)
                    raise DataError(f"{self._place}: {known}")
                self._read[name] = parquet.read(columns=[name])[name]
        values: list[Any] = self._read[name].slice(start, count).to_pylist()
        return values


@dataclass(frozen=True)
class MoreColumns:
    """The columns of a shard that are read on demand, from the row on at which a batch begins."""

    stored: _StoredColumns
    start: int

    def values(self, name: str, count: int) -> list[Any]:
        """Return ``count`` values of a column.

        Raises:
            DataError: If the shard has no such column.
        """
        return self.stored.values(name, self.start, count)


def load_image(data: bytes | None, status: str, needs: Needs) -> LoadedImage:
    """Decode one row and do the encoders' preprocessing; thread-safe. A failure is a reason, never an exception."""
    if status != "ok" or data is None:
        return LoadedImage(None, {}, status if status != "ok" else "no_image")
    try:
        image = images.decode(data)
    except DecodeError as error:
        return LoadedImage(None, {}, error.code)
    prepared = {id(encoder): encoder.prepare(image) for encoder in needs.encoders.values()}
    return LoadedImage(image if needs.pixels else None, prepared, None)


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
            ahead.append(_start(rows, needs, pool, MoreColumns(stored, start)))
            start += rows.num_rows
            if len(ahead) > 2:
                yield ahead.popleft()
        while ahead:
            yield ahead.popleft()


def _start(rows: pa.RecordBatch, needs: Needs, pool: ThreadPoolExecutor, more: MoreColumns) -> Batch:
    if not needs.pixels and not needs.encoders:
        return Batch(rows, more=more)
    pairs = zip(_image_bytes(rows), rows.column("status").to_pylist(), strict=True)
    return Batch(rows, [pool.submit(load_image, data, status, needs) for data, status in pairs], more)


def _image_bytes(rows: pa.RecordBatch) -> list[bytes | None]:
    # Not through StructArray.field, which gives b"" for a row that has no image at all.
    data: list[bytes | None] = pc.struct_field(rows.column("image"), "bytes").to_pylist()
    return data


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


def _prepared(load: LoadedImage, encoder: Encoder) -> npt.NDArray[Any] | None:
    if id(encoder) in load.prepared:
        return load.prepared[id(encoder)]
    assert load.image or load.reason, "a score that uses embeddings has 'embedding' in reads"
    return None if load.image is None else encoder.prepare(load.image)


def _scatter(inputs: Iterable[Any], encode: Any, dim: int) -> npt.NDArray[np.float32]:
    """Encode the inputs that are there in one call and put the vectors back in their rows, NaN elsewhere."""
    items = list(inputs)
    present = [row for row, item in enumerate(items) if item is not None]
    vectors = np.full((len(items), dim), np.nan, np.float32)
    if present:
        vectors[present] = encode([items[row] for row in present]).astype(np.float16)
    return vectors
