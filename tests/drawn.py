"""Small pictures and datasets drawn on the spot, for tests that need no real photograph."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image
from sealed import seal_dataset

from diptych.data.dataset import Dataset
from diptych.data.schema import data_schema
from diptych.data.shards import shard_name, write_shard


def picture(seed: int, size: tuple[int, int] = (48, 32), *, kind: str = "JPEG", quality: int = 90) -> bytes:
    """Return an encoded picture of smooth coloured blobs; another seed gives a clearly other picture."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (5, 6, 3), np.uint8)
    image = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, kind, **({"quality": quality} if kind == "JPEG" else {}))
    return buffer.getvalue()


def draw_folder(path: Path, rows: int, *, first: int = 0) -> Path:
    """Make a folder of drawn pictures."""
    path.mkdir(parents=True)
    for row in range(first, first + rows):
        (path / f"{row:03d}.jpg").write_bytes(picture(row))
    return path


def draw_dataset(path: Path, rows: int = 7, rows_per_shard: int = 3, *, failed: tuple[int, ...] = ()) -> Dataset:
    """Make a dataset directory of drawn pictures; rows in ``failed`` have the status ``not_found`` and no picture."""
    schema = data_schema()
    records = [_record(row, is_failed=row in failed) for row in range(rows)]
    infos = []
    for index, start in enumerate(range(0, rows, rows_per_shard)):
        table = pa.Table.from_pylist(records[start : start + rows_per_shard], schema=schema)
        infos.append(write_shard(table, path / "data" / shard_name(index)))
    return seal_dataset(path, infos, {"kind": "pairs", "name": "drawn", "licence": "", "made_by": {}})


def _record(row: int, *, is_failed: bool) -> dict[str, object]:
    data = picture(row)
    words = " ".join(["picture", "of", "blobs", "number", str(row)][row % 3 :])
    common = {"key": f"{row:09d}", "caption": words, "url": f"http://127.0.0.1/{row}.jpg"}
    if is_failed:
        return {**common, "status": "not_found", "error": "404"}
    image = {"bytes": data, "path": f"{row:09d}.jpeg"}
    facts = {"width": 48, "height": 32, "format": "jpeg", "sha256": hashlib.sha256(data).hexdigest()}
    return {**common, **facts, "image": image, "status": "ok"}
