"""Pools that tests make: configs, inputs and what came of them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from drawn import picture

from diptych.curate.config import CurateConfig
from diptych.curate.ingest.run import NOTHING_FURTHER, IngestOptions, IngestRun, ingest
from diptych.data.dataset import Dataset
from diptych.data.shards import read_shard
from diptych.jobs.engine import Engine

EXTEND = IngestOptions(extend=True)


def make_config(source: dict[str, Any], **changes: Any) -> CurateConfig:
    """Return a config that may ask this machine."""
    download = {"allow_private_addresses": True, "threads": 4, "retries": 0}
    return CurateConfig.model_validate({"job": "curate", "source": source, "download": download, **changes})


def run(config: CurateConfig, pool: Path, options: IngestOptions = NOTHING_FURTHER, *, workers: int = 1) -> IngestRun:
    """Ingest without a word."""
    return ingest(config, pool, options, engine=Engine(workers), progress="none")


def pool_rows(dataset: Dataset) -> list[dict[str, Any]]:
    """Return all rows of a pool."""
    return [row for file in dataset.files for row in read_shard(file).to_pylist()]


def pool_files(pool: Path) -> dict[str, str]:
    """Return the sha256 of all files of a pool but the manifest, which says when and with what it was made."""
    files = (path for path in sorted(pool.rglob("*")) if path.is_file() and path.name != "dataset.json")
    return {path.relative_to(pool).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def draw_folder(folder: Path, numbers: Sequence[int]) -> None:
    """Draw a picture with a caption for each number."""
    folder.mkdir(exist_ok=True)
    for number in numbers:
        (folder / f"{number:02d}.jpg").write_bytes(picture(number))
        (folder / f"{number:02d}.txt").write_text(f"picture {number}")


def write_urls(path: Path, urls: Sequence[str | None], captions: Sequence[str | None] | None = None) -> None:
    """Write a table of URLs, captioned with their last parts where no captions are given."""
    if captions is None:
        captions = [f"caption of {(url or '').rpartition('/')[2]}" for url in urls]
    pq.write_table(pa.table({"url": urls, "caption": captions}), path)
