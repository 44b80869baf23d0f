"""Tiny dataset directories row by row, with every way in which a row can be bad, for tests of what reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from drawn import picture
from sealed import seal_dataset

from diptych.data.dataset import Dataset
from diptych.data.schema import data_schema
from diptych.data.shards import shard_name, write_shard


@dataclass(frozen=True)
class Row:
    """One row: its bytes, its caption, and what ingest said of it."""

    data: bytes | None
    caption: str | None = "a picture of blobs"
    status: str = "ok"
    size: tuple[int, int] | None = (48, 32)


def good_rows(count: int) -> list[Row]:
    """Return rows of clearly different pictures, each with a caption of its own."""
    return [Row(picture(seed), f"blobs number {seed}") for seed in range(count)]


def mixed_rows() -> list[Row]:
    """Return ten rows: 0, 3, 5, 7 and 8 are sound, 6 lacks only its caption, 8 has an empty one, the others fail."""
    return [
        Row(picture(0), "the first"),
        Row(None, "not there", "not_found", None),
        Row(picture(2)[:200], "cut short"),
        Row(picture(3, kind="PNG"), "a drawing " * 60),
        Row(b"<html>", "no picture"),
        Row(picture(5), "the fifth"),
        Row(picture(6), None),
        Row(picture(7), "the seventh ü 汉"),
        Row(picture(8), ""),
        Row(None, None, "timeout", None),
    ]


def make_table(rows: Sequence[Row], first: int = 0) -> pa.Table:
    """Return rows in THE schema; keys count on from ``first``."""
    records = [
        {
            "key": f"{first + index:06d}",
            "image": None if row.data is None else {"bytes": row.data, "path": None},
            "caption": row.caption,
            "width": row.size[0] if row.size else None,
            "height": row.size[1] if row.size else None,
            "status": row.status,
        }
        for index, row in enumerate(rows)
    ]
    return pa.Table.from_pylist(records, schema=data_schema())


def make_dataset(path: Path, rows: Sequence[Row], *, rows_per_shard: int = 4) -> Dataset:
    """Write the rows as a dataset directory and open it."""
    infos = [
        write_shard(make_table(rows[start : start + rows_per_shard], start), path / "data" / shard_name(index))
        for index, start in enumerate(range(0, len(rows), rows_per_shard))
    ]
    return seal_dataset(path, infos, {"kind": "pairs", "name": "tiny", "licence": "", "made_by": {}})
