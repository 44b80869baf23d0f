"""Data for the benchmarks: photograph-like pictures, drawn once and repeated."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from diptych.data.dataset import Dataset
from diptych.data.growing import grow_data, seal_data
from diptych.data.schema import data_schema
from diptych.data.shards import shard_name, write_shard
from diptych.storage.location import Location

SIDE = 256
DISTINCT = 64


def photograph(seed: int, side: int = SIDE) -> bytes:
    """Return a JPEG of about the weight of a photograph of its size: blobs and grain."""
    generator = np.random.default_rng(seed)
    coarse = Image.fromarray(generator.integers(0, 256, (9, 9, 3), np.uint8)).resize(
        (side, side), Image.Resampling.BICUBIC
    )
    grain = generator.normal(0, 12, (side, side, 3))
    pixels = np.clip(np.asarray(coarse, np.float64) + grain, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def draw_photographs(path: Path, rows: int, rows_per_shard: int = 2048, side: int = SIDE) -> Dataset:
    """Make a dataset directory of drawn photographs, so many pixels wide and high."""
    bodies = [photograph(seed, side) for seed in range(min(rows, DISTINCT))]
    growing = grow_data(Location.at(path), "bench", "0" * 64)
    growing.begin()
    schema = data_schema()
    for index, start in enumerate(range(0, rows, rows_per_shard)):
        numbers = range(start, min(start + rows_per_shard, rows))
        records = [_record(row, bodies[row % len(bodies)], side) for row in numbers]
        table = pa.Table.from_pylist(records, schema=schema)
        growing.commit(write_shard(table, growing.directory / shard_name(index)))
    return seal_data(growing, {"kind": "pairs", "name": "bench", "licence": ""}, list(growing.entries))


def _record(row: int, body: bytes, side: int) -> dict[str, object]:
    return {
        "key": f"{row:09d}",
        "image": {"bytes": body, "path": f"{row:09d}.jpeg"},
        "caption": f"a photograph of the thing number {row}, taken on a sunny day",
        "width": side,
        "height": side,
        "format": "jpeg",
        "sha256": hashlib.sha256(body).hexdigest(),
        "status": "ok",
    }
