"""Ingest, score and export of 300 pictures of 30 to 50 MB: seconds and peak memory of each, one process a step.

Run by ``make bench``, or with another number of pictures:

    python tests/benchmarks/bench_large_pictures.py [PICTURES]

The commands are those of the command line. Asserts the memory, never the time. Needs disk for three times the pictures:
36 GB for 300. A second part exports a pool whose one shard has more than 2 GiB.
"""

import io
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import yaml
from PIL import Image

from diptych.curate.config import Export
from diptych.curate.delivery.parquet import Selection, export
from diptych.data.dataset import Dataset, open_dataset
from diptych.data.growing import grow_data, seal_data
from diptych.data.schema import data_schema
from diptych.data.shards import shard_name, write_shard
from diptych.data.table import DatasetTable
from diptych.storage.location import Location

PICTURES = 300
SIDES = (3200, 3500, 3800, 4050)  # of pictures of 31 to 49 MB: noise does not shrink
MAX_MEMORY_MIB = 1536
STEPS = ("ingest", "score", "dedup", "select", "export")
SHARD_ROWS, ROW_BYTES = 2_900, 800_000  # 2.2 GiB


def draw(folder: Path, count: int) -> int:
    """Write pictures that differ in their last bytes; return how many bytes they have together."""
    bodies = []
    for side in SIDES:
        pixels = np.random.default_rng(side).integers(0, 256, (side, side, 3), np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG", compress_level=0)
        bodies.append(buffer.getvalue())
    folder.mkdir()
    for number in range(count):
        with (folder / f"{number:04d}.png").open("wb") as file:
            file.write(bodies[number % len(bodies)])
            file.write(number.to_bytes(8, "little"))  # beyond the end of the picture, where nobody looks
    return sum(path.stat().st_size for path in folder.iterdir())


def write_config(folder: Path) -> Path:
    """Write the config of the run."""
    config = {
        "job": "curate",
        "source": {"kind": "folder", "path": str(folder / "in"), "captions": "file_name"},
        "scores": {"stats": {"score": "image_stats"}, "hashes": {"score": "hashes"}},
        "dedup": {"exact": True},
        "select": [{"name": "large", "where": "short_side > 100"}],
    }
    (folder / "curate.yaml").write_text(yaml.safe_dump(config))
    return folder / "curate.yaml"


def measure(command: list[str]) -> None:
    """Run a command and print its seconds and its peak memory; fail where it is above the bound."""
    script = (
        "import resource, subprocess, sys, time; begun = time.monotonic(); subprocess.run(sys.argv[1:], check=True, "
        "stdout=subprocess.DEVNULL); print(time.monotonic() - begun, "
        "resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    )
    done = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True, check=True)
    seconds, peak = map(float, done.stdout.split())
    print(f"  {command[5]:8}{seconds:8.1f} s  peak {peak:6.0f} MiB", flush=True)
    assert peak <= MAX_MEMORY_MIB, f"{command[5]}: {peak:.0f} MiB; at most {MAX_MEMORY_MIB}"


def large_shard(folder: Path) -> Dataset:
    """Write a pool of one shard of 2.2 GiB."""
    growing = grow_data(Location.at(folder), "bench", "0" * 64)
    growing.begin()
    growing.commit(write_shard(_large_tables(), growing.directory / shard_name(0)))
    return seal_data(growing, {"kind": "pairs", "name": "large", "licence": ""}, [shard_name(0)])


def _large_tables() -> Iterator[pa.Table]:
    schema, generator = data_schema(), np.random.default_rng(0)
    for start in range(0, SHARD_ROWS, 50):
        keys = [f"{row:09d}" for row in range(start, start + 50)]
        columns = {field.name: pa.nulls(50, field.type) for field in schema} | {
            "key": pa.array(keys),
            "image": pa.array([{"bytes": generator.bytes(ROW_BYTES), "path": key} for key in keys], schema[1].type),
            "status": pa.array(["ok"] * 50),
        }
        yield pa.table([columns[field.name] for field in schema], schema=schema)


def export_large(folder: Path) -> None:
    """Export a pool of one shard of 2.2 GiB, in this process."""
    pool = open_dataset(folder / "pool")
    begun = time.monotonic()
    everything = Selection(DatasetTable(pool), np.ones(pool.rows, bool), {}, {})
    made = export(everything, folder / "out", Export(), progress="none").dataset
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = pool.shards[0].bytes / 2**30
    print(
        f"  export of a shard of {size:.2f} GiB: {time.monotonic() - begun:.1f} s, peak {peak:.0f} MiB, "
        f"{len(made.shards)} shards"
    )
    assert (made.rows, size > 2) == (SHARD_ROWS, True)
    assert peak <= MAX_MEMORY_MIB


def main() -> None:
    """Measure every step in a process of its own."""
    if sys.argv[1:2] == ["--export-large"]:
        export_large(Path(sys.argv[2]))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else PICTURES
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = draw(folder / "in", count)
        print(f"{count} pictures, {size / 1e9:.1f} GB")
        config = write_config(folder)
        for step in STEPS:
            command = [sys.executable, "-m", "diptych", "--progress", "none"]
            measure([*command[:3], "--progress=none", "curate", step, str(config), "--out", str(folder / "run")])
    with tempfile.TemporaryDirectory() as name:
        large_shard(Path(name) / "pool")
        subprocess.run([sys.executable, __file__, "--export-large", name], check=True)


if __name__ == "__main__":
    main()
