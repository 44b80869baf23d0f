"""A run that is killed at any moment and started again ends with the same bytes as an undisturbed one."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from drawn import picture
from fault_server import FaultServer, Route

ROWS = 240


def start(config: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-P",
        "-m",
        "diptych",
        "--progress",
        "none",
        "curate",
        "run",
        str(config),
        "--out",
        str(out),
    ]
    source = str(Path(__file__).resolve().parents[2] / "src")
    environment = {**os.environ, "PYTHONPATH": source, "PYTHONWARNINGS": "default"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(config: Path, out: Path) -> None:
    process = start(config, out)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()[-2000:]


def digests(out: Path) -> dict[str, str]:
    """Return the sha256 of every file of a run; nothing may be left over beside what an undisturbed run leaves."""
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != ".lock"  # which notes the commands that wrote there
    }


def write_config(folder: Path, server: FaultServer) -> Path:
    urls = [server.url(f"/{row}.jpg") for row in range(ROWS)]
    captions = [f"picture {row}" for row in range(ROWS)]
    pq.write_table(pa.table({"url": urls, "caption": captions}), folder / "table.parquet")
    config = {
        "job": "curate",
        "source": {"kind": "url_table", "path": str(folder / "table.parquet")},
        "rows_per_shard": 20,
        "download": {"allow_private_addresses": True, "threads": 8, "retries": 0},
        "encoders": {"projection": {"kind": "projection"}},
        "scores": {
            "hashes": {"score": "hashes"},
            "similarity": {"score": "clip_similarity", "encoder": "projection"},
            "words": {"score": "caption_stats"},
        },
        "dedup": {"perceptual": "phash_imagehash"},
        "select": [{"name": "similar", "where": "clip_similarity > 0"}],
        "export": {"rows_per_shard": 16},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder / "config.yaml"


def kill_at_random(config: Path, out: Path, seconds: float, generator: random.Random) -> bool:
    """Start a run, kill it at a random moment after its first file; return whether it was still going."""
    process = start(config, out)
    while not out.exists() and process.poll() is None:
        time.sleep(0.002)
    time.sleep(generator.uniform(0, seconds))
    still_going = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return still_going


@pytest.mark.parametrize(
    "kills", [3, pytest.param(20, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])], ids=["3 kills", "20 kills"]
)
def test_killed_runs_end_with_the_bytes_of_an_undisturbed_one(kills: int, tmp_path: Path) -> None:
    routes: dict[str, Route] = {f"/{row}.jpg": picture(row % 200) for row in range(ROWS) if row % 9}
    generator = random.Random(7)
    with FaultServer(routes) as server:
        config = write_config(tmp_path, server)
        started = time.monotonic()
        finish(config, tmp_path / "undisturbed")
        seconds = time.monotonic() - started
        expected = digests(tmp_path / "undisturbed")
        hit = 0
        for number in range(kills):
            out = tmp_path / f"killed-{number}"
            hit += kill_at_random(config, out, seconds * 0.6, generator)
            finish(config, out)
            assert digests(out) == expected
    assert hit > kills // 2, "most kills must have hit a run that was still going"
