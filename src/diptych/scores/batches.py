"""A batch of rows: each image is decoded, embedded and looked at once, however many scores ask."""

import itertools
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.data.images import Image
from diptych.data.pixel_limit import pixels_allowed
from diptych.device_batches import in_fitting_parts
from diptych.encoders import Encoder
from diptych.encoders.stored_vectors import as_stored
from diptych.errors import DataError
from diptych.judges.contract import Record
from diptych.judges.evidence import JUDGE_FAILED, Seen, as_read, evidence_table, seen_in
from diptych.lookup import describe_unknown
from diptych.scores.loading import LoadedImage, Needs, load_image
from diptych.scores.looks import Look

COLUMNS = ("key", "caption", "status", "width", "height")
NO_CAPTION = "no_caption"  # the reason of a row without one


class RestOfRows(Protocol):
    """What a batch does not hold of its rows, read on demand."""

    def values(self, name: str) -> list[Any]:
        """Return a column as Python values.

        Raises:
            DataError: If there is no such column.
        """
        ...

    def picture(self, row: int) -> bytes | None:
        """Return the bytes of the picture of one of the rows."""
        ...


class Batch:
    """Some rows in order, with lazily decoded images and memoised embeddings.

    Attributes:
        keys: Unique key of each row.
        captions: Text of each row, None where there is none.
        statuses: ``ok`` or the reason for which the row failed before.
    """

    def __init__(
        self,
        rows: pa.Table | pa.RecordBatch,
        loads: Sequence[Future[LoadedImage]] | None = None,
        rest: RestOfRows | None = None,
    ) -> None:
        """Wrap rows.

        Args:
            rows: The rows: THE columns of ``COLUMNS``, and ``image`` where somebody looks at pictures.
            loads: Their images, being decoded elsewhere; decoded on first use where None.
            rest: Gives what ``rows`` does not have; None if there is nothing else.
        """
        self.keys: list[str] = rows.column("key").to_pylist()
        self.captions: list[str | None] = rows.column("caption").to_pylist()
        self.statuses: list[str] = rows.column("status").to_pylist()
        self._limits = row_limits(rows)
        self._bytes = image_bytes(rows) if "image" in rows.schema.names else None
        self._columns = {name: rows.column(name) for name in rows.schema.names if name != "image"}
        self._rest = rest
        self._futures = loads
        self._loads: list[LoadedImage] | None = None
        self._reasons: dict[int, str | None] = {}
        self._vectors: dict[int, npt.NDArray[np.float32]] = {}
        self._text_vectors: dict[tuple[int, str | None], npt.NDArray[np.float32]] = {}
        self._evidence: dict[str, pa.Table] = {}
        self._seen: dict[str, list[list[Any] | None]] = {}

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
        if self._rest is None:
            raise DataError(describe_unknown("column", name, self._columns))
        return self._rest.values(name)

    @property
    def bytes(self) -> list[bytes | None]:
        """Image bytes as they came, None where the row has none."""
        assert self._bytes is not None, "a score that looks at bytes has 'bytes' in reads"
        return self._bytes

    def images(self) -> list[Image | None]:
        """Return the RGB images, each decoded once; None where the row has none or it cannot be decoded."""
        loads = self._loaded()
        assert all(load.image or load.reason for load in loads), "a score that looks at images has 'pixels' in reads"
        return [load.image for load in loads]

    def reason(self, row: int, looks: Sequence[Look[Any]] = ()) -> str | None:
        """Return why a row cannot be scored, or None; decodes at most this row, once.

        In this order: its status, why a judge that the score asks could not look, its decode error.

        Args:
            row: Its number.
            looks: What the score asks of judges.
        """
        if self.statuses[row] != "ok":
            return self.statuses[row]
        told = (self.evidence_table(look)["reason"][row].as_py() for look in looks)
        if (why := next(filter(None, told), None)) is not None:
            return str(why)
        if self._loads is not None or self._futures is not None:
            return self._loaded()[row].reason
        if looks:  # a judge looked, so that there is a picture, or none is needed
            return None
        if row not in self._reasons:
            data = self._bytes[row] if self._bytes is not None else None
            if self._bytes is None and self._rest is not None and self.statuses[row] == "ok":
                data = self._rest.picture(row)
            self._reasons[row] = load_image(data, self.statuses[row], Needs(), max_pixels=self._limits[row]).reason
        return self._reasons[row]

    def embeddings(self, encoder: Encoder) -> npt.NDArray[np.float32]:
        """Return float32 (N, dim), rounded as stored (see ``stored_vectors``); NaN where there is no image.

        The rounding makes a score the same number whether its vectors come from the model or from disk.
        """
        if id(encoder) not in self._vectors:
            prepared = [_prepared(load, encoder) for load in self._loaded()]
            self._vectors[id(encoder)] = _scatter(prepared, encoder.images, encoder)
        return self._vectors[id(encoder)]

    def texts(self, column: str | None) -> list[str | None]:
        """Return a column of texts; None is the captions."""
        return self.captions if column is None else self.column(column)

    def text_embeddings(self, encoder: Encoder, column: str | None = None) -> npt.NDArray[np.float32]:
        """Return float32 (N, dim), rounded as those of images; NaN where there is no caption or text in that column."""
        if (key := (id(encoder), column)) not in self._text_vectors:
            self._text_vectors[key] = _scatter(self.texts(column), encoder.texts, encoder)
        return self._text_vectors[key]

    def provide_embeddings(self, encoder: Encoder, vectors: npt.NDArray[np.float32]) -> None:
        """Hand in stored vectors, float32 (N, dim), so that no image is decoded for this encoder."""
        assert vectors.shape == (len(self), encoder.dim), vectors.shape
        self._vectors[id(encoder)] = vectors

    def evidence(self, look: Look[Record]) -> list[list[Record] | None]:
        """Return what a judge saw in each row, as rules read it; None where it could not look.

        Each image is looked at once, however many scores ask the same of the same judge.
        """
        if look.name not in self._seen:
            self._seen[look.name] = as_read(look.kind, seen_in(look.kind, self.evidence_table(look)))
        records: list[list[Record] | None] = self._seen[look.name]
        return records

    def evidence_table(self, look: Look[Any]) -> pa.Table:
        """Return what a judge saw in each row as it is stored."""
        if look.name not in self._evidence:
            self._evidence[look.name] = evidence_table(look.kind, self.keys, self._look(look))
        return self._evidence[look.name]

    def provide_evidence(self, look: Look[Any], stored: pa.Table) -> None:
        """Hand in stored evidence of these rows, so that no judge looks and no image is decoded for it."""
        assert stored.num_rows == len(self), stored.num_rows
        self._evidence[look.name] = stored

    def _look(self, look: Look[Record]) -> Seen[Record]:
        pictures = self.images() if look.encoder is None else self._vectors_of(look.encoder)
        asked = None if look.ask is None else look.ask.of(self)
        shown = [row for row, picture in enumerate(pictures) if picture is not None and (asked is None or asked[row])]
        records: list[list[Record] | None] = [None if picture is None else [] for picture in pictures]
        if shown:

            def look_at(rows: Sequence[int]) -> list[list[Record] | None]:
                questions = None if asked is None else [asked[row] for row in rows]
                return list(look.at([pictures[row] for row in rows], questions))

            seen = itertools.chain.from_iterable(in_fitting_parts(look_at, shown, look.judge))
            for row, some in zip(shown, seen, strict=True):
                records[row] = some
        failed = {row for row in shown if records[row] is None}
        reasons = [
            JUDGE_FAILED if row in failed else self.reason(row) if some is None else None
            for row, some in enumerate(records)
        ]
        return Seen(records, reasons)

    def _vectors_of(self, encoder: Encoder) -> list[npt.NDArray[np.float32] | None]:
        vectors = self.embeddings(encoder)
        return [None if np.isnan(vector).any() else vector for vector in vectors]

    def _loaded(self) -> list[LoadedImage]:
        if self._loads is None:
            if self._futures is None:
                assert self._bytes is not None, "a score that looks at images has 'pixels' in reads"
                everything = Needs(pixels=True)
                given = zip(self._bytes, self.statuses, self._limits, strict=True)
                self._loads = [load_image(data, status, everything, max_pixels=limit) for data, status, limit in given]
            else:
                self._loads = [future.result() for future in self._futures]
        return self._loads


def image_bytes(rows: pa.Table | pa.RecordBatch) -> list[bytes | None]:
    """Return the bytes of each row's image, None where it has none."""
    # Not through StructArray.field, which gives b"" for a row that has no image at all.
    data: list[bytes | None] = pc.struct_field(rows.column("image"), "bytes").to_pylist()
    return data


def without_caption(captions: Sequence[str | None]) -> npt.NDArray[np.object_]:
    """Return the reason ``no_caption`` of each row that has none, None of the others, objects (N,)."""
    return np.array([NO_CAPTION if caption is None else None for caption in captions], object)


def row_limits(rows: pa.Table | pa.RecordBatch) -> list[int]:
    """Return how many pixels the image of each row may have."""
    sides = (rows.column(name).to_pylist() for name in ("width", "height"))
    return [pixels_allowed(width, height) for width, height in zip(*sides, strict=True)]


def _prepared(load: LoadedImage, encoder: Encoder) -> npt.NDArray[Any] | None:
    if id(encoder) in load.prepared:
        return load.prepared[id(encoder)]
    assert load.image or load.reason, "a score that uses embeddings has 'embedding' in reads"
    return None if load.image is None else encoder.prepare(load.image)


def _scatter(inputs: Iterable[Any], encode: Any, encoder: Encoder) -> npt.NDArray[np.float32]:
    """Encode the inputs that are there in one call and put the vectors back in their rows, NaN elsewhere."""
    items = list(inputs)
    present = [row for row, item in enumerate(items) if item is not None]
    vectors = np.full((len(items), encoder.dim), np.nan, np.float32)
    if present:
        found = in_fitting_parts(encode, [items[row] for row in present], encoder)
        vectors[present] = as_stored(encoder, np.concatenate(found))
    return vectors
