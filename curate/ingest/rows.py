"""What becomes of one row: its picture, looked at, or the reason why there is none; and rows as tables of a dataset."""

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from diptych.curate.download.spool import Body
from diptych.curate.sources.contract import HELPER_COLUMNS
from diptych.data import images
from diptych.data.schema import DATA_COLUMNS, data_schema, image_column
from diptych.errors import DecodeError

MAX_ERROR = 200


class IngestedRow(NamedTuple):
    """What became of one row of a source.

    Attributes:
        status: ``ok`` or why there is no picture.
        error: What happened where the status is not ``ok``; else what beside the picture could not be read.
        info: What the picture is, where it is one.
        sha256: Of the picture.
        body: The picture, where it was fetched.
    """

    status: str
    error: str | None = None
    info: images.ImageInfo | None = None
    sha256: str | None = None
    body: Body | None = None


def failed_row(problem: str) -> IngestedRow:
    """Return the row of a problem: its code, a colon and the detail."""
    code, _, detail = problem.partition(": ")
    return IngestedRow(code, detail[:MAX_ERROR] or None)


def looked_at(data: bytes, sha256: str, body: Body | None = None, *, max_pixels: int) -> IngestedRow:
    """Return the row of bytes that came: a picture of so many pixels at most, or why they are none."""
    try:
        return IngestedRow("ok", None, images.glance(data, max_pixels=max_pixels), sha256, body)
    except DecodeError as error:
        # The bytes are kept: a later diptych may read what this one cannot.
        return IngestedRow(error.code, error.detail[:MAX_ERROR] or None, None, sha256, body)


def noted_row(row: IngestedRow, note: str | None) -> IngestedRow:
    """Return the row with what beside its picture could not be read; a row without a picture says why, and no more."""
    return row if note is None or row.error else row._replace(error=note[:MAX_ERROR])


def pool_schema(table: pa.Schema) -> pa.Schema:
    """Return the schema of a pool whose source has tables of the given schema."""
    return data_schema([field for field in table if field.name not in (*DATA_COLUMNS, *HELPER_COLUMNS)])


def to_table(keys: Sequence[str], given: pa.Table, rows: Sequence[IngestedRow], pictures: pa.Array) -> pa.Table:
    """Return rows as a table of the pool.

    Args:
        keys: Of the rows.
        given: What the source says of them.
        rows: What became of them.
        pictures: Their bytes as they came, null where none did.
    """
    infos = [row.info for row in rows]
    schema = pool_schema(given.schema)
    formats = [info.format if info else None for info in infos]
    columns = {
        "key": keys,
        "image": image_column(pictures, keys, formats),
        "caption": given["caption"].combine_chunks(),
        "url": given["url"].combine_chunks(),
        "width": [info.width if info else None for info in infos],
        "height": [info.height if info else None for info in infos],
        "format": formats,
        "sha256": [row.sha256 for row in rows],
        "status": [row.status for row in rows],
        "error": [row.error for row in rows],
    }
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else given[field.name] for field in schema
    ]
    return pa.table(arrays, schema=schema)
