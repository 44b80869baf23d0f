"""What a source yields, read as ingest reads it."""

import csv
import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from diptych.curate.config import Folder
from diptych.curate.sources import open_source
from diptych.curate.sources.digests import identify_part
from diptych.curate.sources.index import PartIndex, index_part
from diptych.curate.sources.reading import RangeReader


def rows_of(settings: Any) -> list[dict[str, Any]]:
    """Return all rows of a source."""
    source = open_source(settings)
    tables = [table for part in source.parts() for table in source.tables(part.files)]
    return [row for table in tables for row in table.to_pylist()]


def range_of(settings: Any, start: int, stop: int) -> list[dict[str, Any]]:
    """Return some rows of the first part of a source, as a worker is told to read them."""
    source = open_source(settings)
    reader = RangeReader(source)
    rows = [row for table in reader.read(source.parts()[0].range(start, stop)) for row in table.to_pylist()]
    reader.close()
    return rows


def index_of(settings: Any) -> PartIndex:
    """Return what is known of the rows of the first part of a source."""
    source = open_source(settings)
    return index_part(source, identify_part(source.parts()[0]), settings.model_dump(mode="json", exclude={"path"}))


def pairs_of(settings: Any) -> list[tuple[str | None, str | None]]:
    """Return URL and caption of all rows."""
    return [(row["url"], row["caption"]) for row in rows_of(settings)]


def contents_of(settings: Any) -> list[dict[str, Any]]:
    """Return what identifies the parts of a source, but for what they are called."""
    contents = [identify_part(part).content for part in open_source(settings).parts()]
    return [{name: fact for name, fact in content.items() if name != "name"} for content in contents]


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    """Return rows as a csv with the columns of the first."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_parquet(rows: list[dict[str, Any]]) -> bytes:
    """Return rows as a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def make_tar(path: Path, members: Iterable[tuple[str, bytes]], mode: Literal["w", "w:gz"] = "w") -> None:
    """Write a tar."""
    with tarfile.open(path, mode) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files into a folder that need not be there."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def captions_of(folder: Path, **changes: Any) -> dict[str, str | None]:
    """Return the caption of each file of a folder."""
    return {row["file"]: row["caption"] for row in rows_of(Folder(kind="folder", path=folder, **changes))}


def pictures(names: Iterable[str]) -> dict[str, bytes]:
    """Return files of some names, each with its name as its content."""
    return {name: name.encode() for name in names}


def coco(names: dict[int, str], again: str = " again") -> bytes:
    """Return a file of COCO with two captions of each picture, the second of which ends as is said."""
    told = [
        {"id": 2 * number + second, "image_id": number, "caption": f" seen {number}{again * second} "}
        for second in (1, 0)
        for number in names
    ]
    images = [{"id": number, "file_name": name, "licence": 4} for number, name in names.items()]
    return json.dumps({"images": images, "annotations": told}).encode()
