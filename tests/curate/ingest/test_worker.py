"""What a worker of ingest imports, and that slow rows of one shard hold up no rows of the next."""

import os
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from drawn import picture
from fault_server import Fault, FaultServer, Route
from ingested import make_config, pool_files, pool_rows, run, write_urls

from diptych.curate.ingest.fetching import SHARDS_IN_HAND
from diptych.curate.ingest.inputs import look_at_input
from diptych.curate.ingest.plan import ShardLimits
from diptych.curate.ingest.shards import IngestJob
from diptych.data.dataset import open_dataset
from diptych.storage.location import Location

SOURCE = Path(__file__).resolve().parents[3] / "src"
HEAVY = ("albumentations", "cv2", "duckdb", "fsspec", "img2dataset", "open_clip", "rich", "scipy", "torch")
# Not pandas, which pyarrow imports where it is installed.
HEAVIER = ("torchvision", "transformers", "wandb", "webdataset")
WORK = """
import pickle, sys
job, task = pickle.load(sys.stdin.buffer)
job.open(print)(task)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
ROWS_PER_SHARD = 5


@pytest.mark.parametrize("kind", ["folder", "url_table"])
def test_a_worker_imports_nothing_heavy(kind: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    if kind == "folder":
        (tmp_path / "in" / "a.jpg").write_bytes(picture(1))
    else:
        write_urls(tmp_path / "in" / "t.parquet", ["http://127.0.0.1:9/a.jpg"])
    config = make_config({"kind": kind, "path": tmp_path / "in"})
    read = look_at_input(config).read()
    (tmp_path / "pool").mkdir()
    job = IngestJob(Location.at(tmp_path / "pool"), read.source, read.schema, config.download)
    (task,) = read.plan([]).shards(ShardLimits(10, 10**6), [])
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    given = pickle.dumps((job, task))
    done = subprocess.run([sys.executable, "-c", WORK], input=given, env=environment, capture_output=True, check=True)
    imported = set(done.stdout.decode().splitlines()[-1].split())
    assert "pyarrow" in imported
    assert imported.intersection(HEAVY + HEAVIER) == set()
    assert (tmp_path / "pool" / "00000.parquet").exists()


def test_rows_of_the_next_shards_are_asked_for_while_a_slow_row_holds_up_the_first(tmp_path: Path) -> None:
    rows = SHARDS_IN_HAND * ROWS_PER_SHARD
    routes: dict[str, Route] = {f"/{row}.jpg": picture(row) for row in range(rows)}
    routes["/0.jpg"] = Fault(how="silent")
    with FaultServer(routes) as server:
        write_urls(tmp_path / "t.parquet", [server.url(path) for path in routes])
        download = {"allow_private_addresses": True, "threads": 2, "retries": 0, "deadline_s": 60}
        source = {"kind": "url_table", "path": tmp_path / "t.parquet"}
        config = make_config(source, rows_per_shard=ROWS_PER_SHARD, download=download)
        ingest = threading.Thread(target=run, args=(config, tmp_path / "pool"))
        ingest.start()
        while len(server.requests) < rows:
            time.sleep(0.01)
        finished = SHARDS_IN_HAND - 1
        while len(list((tmp_path / "pool" / "data").glob("*.parquet"))) < finished:
            time.sleep(0.01)
        assert server.count("/0.jpg") == 1
        assert not (tmp_path / "pool" / "data" / "00000.parquet").exists(), "its first row is still awaited"
    ingest.join()
    statuses = [row["status"] for row in pool_rows(open_dataset(tmp_path / "pool"))]
    assert statuses == ["empty", *["ok"] * (rows - 1)]


def test_a_pool_shows_neither_which_rows_were_slow_nor_how_many_workers_made_it(tmp_path: Path) -> None:
    quick: dict[str, Route] = {f"/{row}.jpg": picture(row) for row in range(40)}
    with FaultServer(quick) as server:
        write_urls(tmp_path / "t.parquet", [server.url(path) for path in quick])
        config = make_config({"kind": "url_table", "path": tmp_path / "t.parquet"}, rows_per_shard=ROWS_PER_SHARD)
        run(config, tmp_path / "quick")
        for row in range(0, 40, 7):
            server.routes[f"/{row}.jpg"] = Fault(body=picture(row), head_byte_s=0.01)
        run(config, tmp_path / "slow", workers=2)
    assert pool_files(tmp_path / "quick") == pool_files(tmp_path / "slow")
