"""Download through diptych beside bare img2dataset, on the same loopback server. Run by ``make bench``.

Both keep the bytes as they came, with 64 threads, write Parquet and hash each image; diptych also finds its rows, looks
at what came and writes a pool that a loss of power cannot tear. img2dataset is its worker alone: neither the import of
what it brings, nor the seconds for which it waits at its end. Each has a process of its own, as it has with its users:
in a common one Python's collector of garbage would go through what img2dataset imports, torch among it, in the time of
diptych. They take turns, either first. Rates are of seconds of the processor, since threads wait for each other where a
machine does other work. Asserts that both got every row, never the time.
"""

import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

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
TURNS = 9


def serve(rows: int, port: Any, stop: Any) -> None:
    """Serve drawn photographs until told to stop; in a process of its own, as a web server is."""
    bodies = [photograph(seed) for seed in range(DISTINCT)]
    with FaultServer({f"/{row}.jpg": bodies[row % DISTINCT] for row in range(rows)}) as server:
        port.value = server.port
        stop.wait()


class Rates(NamedTuple):
    """Rows per second, of the processor and as they went by."""

    processor: float
    elapsed: float


def through_diptych(table: Path, out: Path) -> Rates:
    """Return rows per second, of the processor and as they went by."""
    config = CurateConfig.model_validate(
        {
            "job": "curate",
            "source": {"kind": "url_table", "path": table},
            "download": {"threads": THREADS, "allow_private_addresses": True, "retries": 0},
        }
    )
    rates = timed(lambda: ingest(config, out, progress="none"))
    statuses = pq.read_table(out / "data", columns=["status"])["status"].to_pylist()
    assert statuses == ["ok"] * ROWS
    return rates


def through_img2dataset(table: Path, out: Path) -> Rates:
    """Return rows per second, of the processor and as they went by."""
    from img2dataset.downloader import Downloader
    from img2dataset.resizer import Resizer
    from img2dataset.writer import ParquetSampleWriter

    out.mkdir()
    rows, shard = pq.read_table(table), out / "rows.arrow"
    with pa.OSFile(str(shard), "wb") as file, pa.ipc.new_file(file, rows.schema) as writer:
        writer.write_table(rows)
    downloader = Downloader(
        sample_writer_class=ParquetSampleWriter,
        resizer=Resizer(256, "no", resize_only_if_bigger=False, disable_all_reencoding=True),
        thread_count=THREADS,
        save_caption=True,
        extract_exif=False,
        output_folder=str(out),
        column_list=["url", "caption"],
        timeout=10,
        number_sample_per_shard=ROWS,
        oom_shard_count=5,
        compute_hash="sha256",
        verify_hash_type=None,
        encode_format="jpg",
        retries=0,
        user_agent_token=None,
        disallowed_header_directives=["noai", "noimageai", "noindex", "noimageindex"],
    )
    rates = timed(lambda: downloader.download_shard((0, str(shard))))
    stats = json.loads((out / "00000_stats.json").read_text())
    assert stats["successes"] == ROWS, stats
    return rates


def timed(work: Callable[[], object]) -> Rates:
    """Return the rates of something that downloads all rows."""
    began, processor = time.perf_counter(), time.process_time()
    work()
    return Rates(ROWS / (time.process_time() - processor), ROWS / (time.perf_counter() - began))


WAYS = {"ours": through_diptych, "theirs": through_img2dataset}


def take_turns(way: str, table: Path, folder: Path, turns: Any) -> None:
    """Download into a new place whenever told to, and tell the rates."""
    for number in iter(turns.recv, None):
        os.sync()  # else what the one left to be written is written in the time of the other, who waits for the disk
        turns.send(WAYS[way](table, folder / f"{way}-{number}"))


def main() -> None:
    """Alternate the two and print the median ratio."""
    context = multiprocessing.get_context("spawn")
    port, stop = context.Value("i", 0), context.Event()
    server = context.Process(target=serve, args=(ROWS, port, stop), daemon=True)
    server.start()
    while not port.value:
        time.sleep(0.05)
    rates: dict[str, list[Rates]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.parquet"
        urls = [f"http://127.0.0.1:{port.value}/{row}.jpg" for row in range(ROWS)]
        pq.write_table(pa.table({"url": urls, "caption": [f"caption {row}" for row in range(ROWS)]}), table)
        pipes = {}
        for way in WAYS:
            pipes[way], end = context.Pipe()
            context.Process(target=take_turns, args=(way, table, Path(folder), end), daemon=True).start()
            end.close()
        for number in range(TURNS + 1):
            for way in list(WAYS)[:: -1 if number % 2 else 1]:
                pipes[way].send(number)
                rates[way].append(pipes[way].recv())
        for pipe in pipes.values():
            pipe.send(None)
    stop.set()
    for number, what in enumerate(("of a processor", "as they went by")):
        mine, bare = ([turn[number] for turn in rates[way][1:]] for way in WAYS)  # the first ones pay for the imports
        ratio = statistics.median(one / other for one, other in zip(mine, bare, strict=True))
        medians = f"{statistics.median(mine):,.0f}, bare img2dataset {statistics.median(bare):,.0f}"
        print(f"rows per second {what}: {medians}, ratio {ratio:.2f} (medians of {TURNS} turns)")


if __name__ == "__main__":
    main()
