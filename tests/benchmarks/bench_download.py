"""Download through diptych beside bare img2dataset, on the same loopback server. Run by ``make bench``.

Both keep the bytes as they came, with 64 threads in one process, write Parquet and hash each image; diptych also checks
that each body decodes. img2dataset's rate is that of its worker alone, as it reports it: its start and the seconds for
which it waits at its end would flatter us. Asserts that both got every row, never the time.
"""

import contextlib
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.update(NO_ALBUMENTATIONS_UPDATE="1", WANDB_MODE="disabled")

from benchmark_data import photograph
from fault_server import FaultServer

from diptych.curate.config import CurateConfig
from diptych.curate.ingest.run import ingest

ROWS = 3_000
DISTINCT = 50
THREADS = 64


def serve(rows: int, port: Any, stop: Any) -> None:
    """Serve drawn photographs until told to stop; in a process of its own, as a web server is."""
    bodies = [photograph(seed) for seed in range(DISTINCT)]
    with FaultServer({f"/{row}.jpg": bodies[row % DISTINCT] for row in range(rows)}) as server:
        port.value = server.port
        stop.wait()


def through_diptych(table: Path, out: Path) -> float:
    """Return rows per second."""
    config = CurateConfig.model_validate(
        {
            "job": "curate",
            "source": {"kind": "url_table", "path": table},
            "download": {"threads": THREADS, "allow_private_addresses": True, "retries": 0},
        }
    )
    started = time.perf_counter()
    dataset = ingest(config, out, progress="none").dataset
    seconds = time.perf_counter() - started
    statuses = pq.read_table(dataset.files[0], columns=["status"])["status"].to_pylist()
    assert statuses == ["ok"] * ROWS
    return ROWS / seconds


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Send stdout to nowhere, also that of the processes that img2dataset starts."""
    kept = os.dup(1)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)


def through_img2dataset(table: Path, out: Path) -> float:
    """Return rows per second."""
    from img2dataset import download

    with silenced():
        download(
            url_list=str(table),
            input_format="parquet",
            url_col="url",
            caption_col="caption",
            output_folder=str(out),
            output_format="parquet",
            processes_count=1,
            thread_count=THREADS,
            disable_all_reencoding=True,
            compute_hash="sha256",
        )
    stats = json.loads((out / "00000_stats.json").read_text())
    assert stats["successes"] == ROWS, stats
    return ROWS / (stats["end_time"] - stats["start_time"])


def main() -> None:
    """Alternate the two and print the median ratio."""
    context = multiprocessing.get_context("spawn")
    port, stop = context.Value("i", 0), context.Event()
    server = context.Process(target=serve, args=(ROWS, port, stop), daemon=True)
    server.start()
    while not port.value:
        time.sleep(0.05)
    rates = []
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.parquet"
        urls = [f"http://127.0.0.1:{port.value}/{row}.jpg" for row in range(ROWS)]
        pq.write_table(pa.table({"url": urls, "caption": [f"caption {row}" for row in range(ROWS)]}), table)
        for number in range(6):
            ours = through_diptych(table, Path(folder) / f"ours-{number}")
            theirs = through_img2dataset(table, Path(folder) / f"theirs-{number}")
            rates.append((ours / theirs, ours, theirs))
    stop.set()
    ratio, ours, theirs = sorted(rates[1:])[2]  # the first pair pays for the imports
    print(f"download: {ours:,.0f} rows/s, bare img2dataset {theirs:,.0f}, ratio {ratio:.2f} (median of 5)")


if __name__ == "__main__":
    main()
