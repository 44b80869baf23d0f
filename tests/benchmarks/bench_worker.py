"""What a worker of ingest costs before its first row, and what slow rows of a shard cost. Run by ``make bench``.

Start-up is beside that of a worker that downloads through img2dataset. Slow rows: one row of each shard drips, and a
worker that has several shards in hand is beside one that does shard after shard. Asserts counts, never a time.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmark_data import photograph
from fault_server import Fault, FaultServer, Route

from diptych.curate.config import CurateConfig
from diptych.curate.ingest.run import ingest
from diptych.curate.ingest.shards import IngestJob

OURS = "import diptych.curate.ingest.shards"
THEIRS = "import pyarrow.parquet, img2dataset.downloader, img2dataset.resizer"
PEAK = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
SHARDS, ROWS_PER_SHARD, THREADS = 8, 100, 16
DRIP_S = 0.05  # before each byte of the head of a slow row, about a hundred bytes


class Start(NamedTuple):
    """What it takes until a worker has imported what it needs: seconds of a processor, and memory in MiB."""

    seconds: float
    memory: float


def start(imports: str) -> Start:
    """Start a process and let it import."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", f"{imports}\n{PEAK}"], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Start(seconds, float(done.stdout.splitlines()[-1]))


def _median(starts: Sequence[Start]) -> Start:
    return Start(statistics.median(one.seconds for one in starts), statistics.median(one.memory for one in starts))


def compare_starts() -> None:
    """Print the start of a worker beside one that imports img2dataset; the first pair fills the cache of files."""
    pairs = [(start(OURS), start(THEIRS)) for _ in range(4)][1:]
    ours, theirs = (_median(side) for side in zip(*pairs, strict=True))
    print(
        f"start of a worker: {ours.seconds:.2f} s of a processor and {ours.memory:.0f} MiB; with img2dataset "
        f"{theirs.seconds:.2f} s and {theirs.memory:.0f} MiB ({theirs.seconds / ours.seconds:.1f} and "
        f"{theirs.memory / ours.memory:.1f} times as much; median of 3)"
    )


def seconds_of(table: Path, out: Path, at_once: int) -> float:
    """Return how long ingest takes with so many shards in hand."""
    config = CurateConfig.model_validate(
        {
            "job": "curate",
            "source": {"kind": "url_table", "path": table},
            "rows_per_shard": ROWS_PER_SHARD,
            "download": {"threads": THREADS, "allow_private_addresses": True, "retries": 0},
        }
    )
    with mock.patch.object(IngestJob, "at_once", at_once):
        began = time.perf_counter()
        dataset = ingest(config, out, progress="none").dataset
    assert dataset.rows == SHARDS * ROWS_PER_SHARD
    return time.perf_counter() - began


def compare_slow_rows() -> None:
    """Print how much longer shards take one after the other than several in hand, where each has a slow row."""
    bodies = [photograph(seed) for seed in range(20)]
    routes: dict[str, Route] = {}
    for row in range(SHARDS * ROWS_PER_SHARD):
        is_slow = row % ROWS_PER_SHARD == ROWS_PER_SHARD - 1
        body = bodies[row % len(bodies)]
        routes[f"/{row}.jpg"] = Fault(body=body, head_byte_s=DRIP_S) if is_slow else body
    with tempfile.TemporaryDirectory() as folder, FaultServer(routes) as server:
        table = Path(folder) / "table.parquet"
        urls = [server.url(path) for path in routes]
        pq.write_table(pa.table({"url": urls, "caption": ["a photograph"] * len(urls)}), table)
        seconds_of(table, Path(folder) / "warm", 1)
        alone = seconds_of(table, Path(folder) / "alone", 1)
        several = seconds_of(table, Path(folder) / "several", 4)
    print(
        f"one slow row in each of {SHARDS} shards of {ROWS_PER_SHARD}: {alone:.1f} s shard after shard, "
        f"{several:.1f} s with four in hand ({alone / several:.1f} times as long)"
    )


def main() -> None:
    """Measure both."""
    compare_starts()
    compare_slow_rows()


if __name__ == "__main__":
    main()
