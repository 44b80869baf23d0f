"""Rows of imported images: their keys, their columns, and the pictures as they lie in their files."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from diptych.data.generated_columns import generated_schema
from diptych.data.images import ImageInfo, decode, glance
from diptych.data.row_states import ONE_COLOURED
from diptych.data.schema import DATA_COLUMNS, FILE, image_column
from diptych.errors import DecodeError
from diptych.generate.carried_columns import CellType
from diptych.generate.imported.asked_images import said_of_nobody
from diptych.generate.imported.placing import PlacedImage
from diptych.generate.rows import OK, carried_fields

MAX_ERROR = 200
TILE, GRID = "tile", "grid_sha256"  # of an image that was cut out of a file of several
# What the file itself says: which program made it, from which text, and why what it says cannot be read.
TOOL, TOOL_PROMPT, TOOL_PROBLEM = "tool", "tool_prompt", "tool_problem"
PLACE = ("benchmark", "prompt_id", "model", "setting", "sample", "caption")  # by which a row is known beside its bytes


class ImportedRow(NamedTuple):
    """A row and its key."""

    key: str
    placed: PlacedImage

    @property
    def file(self) -> str | None:
        """The path of its file within the source."""
        return self.placed.image.found.file if self.placed.image is not None else None

    @property
    def sha256(self) -> str:
        """Of its file; empty where there is none."""
        return self.placed.image.sha256 if self.placed.image is not None else ""

    @property
    def tile(self) -> int | None:
        """Which part of its file it is."""
        return self.placed.image.found.tile if self.placed.image is not None else None

    @property
    def said(self) -> dict[str, Any]:
        """What it says, by columns."""
        facts = {**said_of_nobody(), **self.placed.said, FILE: self.file}
        return facts if self.tile is None else {**facts, TILE: self.tile, GRID: self.sha256}


class RowPicture(NamedTuple):
    """What became of a row: its file with what it is, or why there is none; a blank one says so in ``error``."""

    data: bytes | None
    info: ImageInfo | None
    sha256: str | None
    status: str
    error: str | None


def keyed(rows: Iterable[PlacedImage]) -> list[ImportedRow]:
    """Return rows with their keys: a hash of the bytes and of the place, and of how many equal ones come before."""
    counts: Counter[str] = Counter()
    found = []
    for row in rows:
        image = row.image
        bytes_of = [image.sha256, image.found.tile] if image is not None else ["", None]
        said = [row.said.get(name) for name in PLACE]
        text = json.dumps([*bytes_of, row.status == OK, *said], ensure_ascii=False)
        counts[text] += 1
        digest = hashlib.blake2b(f"{text}{counts[text]}".encode("utf-8", "surrogatepass"), digest_size=16)
        found.append(ImportedRow(digest.hexdigest(), row))
    return found


def rows_digest(rows: Iterable[ImportedRow]) -> str:
    """Return the hash of all that rows say and of the bytes of their pictures: what a shard is made from."""
    digest = hashlib.sha256()
    for row in rows:
        facts = [row.key, row.sha256, row.tile, row.placed.status, row.placed.error, sorted(row.said.items())]
        digest.update(json.dumps(facts, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def import_schema(columns: Mapping[str, CellType], carry: Sequence[str], *, tiles: bool) -> pa.Schema:
    """Return the schema of imported images: that of generated ones, with the columns of prompts, file and table."""
    further = carried_fields(columns)
    further += [pa.field(name, pa.string()) for name in (FILE, TOOL, TOOL_PROMPT, TOOL_PROBLEM)]
    further += [pa.field(TILE, pa.int32()), pa.field(GRID, pa.string())] if tiles else []
    return generated_schema([*further, *(pa.field(name, pa.string()) for name in carry)])


def picture_of(data: bytes) -> RowPicture:
    """Return what a file is; bytes that are no picture are kept with the reason."""
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        info, pixels = glance(data), decode(data)
    except DecodeError as error:
        return RowPicture(data, None, sha256, error.code, error.detail[:MAX_ERROR] or None)
    ranges = pixels.getextrema()
    colour = tuple(low for low, high in ranges if low == high)  # type: ignore[misc]  # RGB: a pair for each channel
    blank = f"{ONE_COLOURED}: each pixel is {colour}" if len(colour) == len(ranges) else None
    return RowPicture(data, info, sha256, OK, blank)


def to_table(schema: pa.Schema, rows: Sequence[ImportedRow], pictures: Sequence[RowPicture]) -> pa.Table:
    """Return rows and what became of them as a table. What is wrong with a place goes before what a picture is."""
    infos = [picture.info for picture in pictures]
    data = pa.array([picture.data for picture in pictures], pa.binary())
    keys, formats = [row.key for row in rows], [info.format if info else None for info in infos]
    image = image_column(data, keys, formats)
    ends = [_ending(row, picture) for row, picture in zip(rows, pictures, strict=True)]
    said = [row.said for row in rows]
    columns: dict[str, list[Any]] = {
        "key": keys,
        "caption": [one.get("caption") for one in said],
        "width": [info.width if info else None for info in infos],
        "height": [info.height if info else None for info in infos],
        "format": formats,
        "sha256": [picture.sha256 for picture in pictures],
        "status": [status for status, _ in ends],
        "error": [error for _, error in ends],
    }
    for field in schema:
        if field.name not in DATA_COLUMNS:
            columns[field.name] = [_cell(one.get(field.name), field.type) for one in said]
    nothing = [None] * len(rows)
    arrays = [
        image if field.name == "image" else pa.array(columns.get(field.name, nothing), field.type) for field in schema
    ]
    return pa.table(arrays, schema=schema)


def _ending(row: ImportedRow, picture: RowPicture) -> tuple[str, str | None]:
    """Return status and error of a row: a broken picture is one wherever it lies, and a stray one is stray."""
    if picture.status != OK:
        return picture.status, picture.error
    if row.placed.status == OK:
        return OK, picture.error or row.placed.error
    return row.placed.status, row.placed.error


def _cell(value: Any, kind: pa.DataType) -> Any:
    return float(value) if pa.types.is_floating(kind) and value is not None else value
