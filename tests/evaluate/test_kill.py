"""An evaluation that is killed at any moment and started again leaves the store of an undisturbed one."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from drawn import picture
from evaluate_configs import make_config, write_config
from tiny_dataset import Row, make_dataset
from tiny_generated import made_grid, make_generated

from diptych.store.store import Store


def start(config: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "diptych", "--progress", "none", "evaluate", "run", str(config)]
    source = str(Path(__file__).resolve().parents[2] / "src")
    environment = {**os.environ, "PYTHONPATH": source, "PYTHONWARNINGS": "default"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(config: Path) -> None:
    process = start(config)
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors.decode()[-2000:]


def digest(folder: Path) -> str:
    with Store.open(folder / "store.duckdb", read_only=True) as store:
        return store.digest()


def make_run(folder: Path) -> Path:
    make_generated(folder / "generated", made_grid(prompts=30, samples=2), rows_per_shard=10)
    make_dataset(folder / "real", [Row(picture(1000 + seed), f"real {seed}") for seed in range(60)], rows_per_shard=10)
    config = make_config(
        folder,
        encoders={"p": {"kind": "projection"}},
        scores={"similarity": {"score": "clip_similarity", "encoder": "p"}, "image": {"score": "image_stats"}},
        distances=[{"metric": "kernel_distance", "encoder": "p", "reference": "real"}],
        means=[{"score": "clip_similarity"}, {"score": "entropy"}],
        compare={},
    )
    config["datasets"]["real"] = {"path": str(folder / "real"), "role": "reference"}
    return write_config(folder, config)


def files_of(folder: Path) -> int:
    """Return how far a run is: finished files beside the datasets, and the store's log while a run is written."""
    finished = [path for place in ("generated", "real") for path in folder.glob(f"{place}/[es]*/*/*") if path.is_file()]
    return len(finished) + (folder / "store.duckdb.wal").exists()


def kill_at(config: Path, files: int, wait_s: float) -> bool:
    """Start a run and kill it a moment after so many files are there; return whether it was still going."""
    process = start(config)
    while files_of(config.parent) < files and process.poll() is None:
        time.sleep(0.002)
    time.sleep(wait_s)
    still_going = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return still_going


@pytest.mark.parametrize(
    "kills", [3, pytest.param(15, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])], ids=["3 kills", "15 kills"]
)
def test_killed_runs_end_with_the_store_of_an_undisturbed_one(kills: int, tmp_path: Path) -> None:
    generator = random.Random(5)
    finish(make_run(tmp_path / "undisturbed"))
    total = files_of(tmp_path / "undisturbed")
    config = make_run(tmp_path / "killed")  # killed again and again, each time further on
    moments = sorted(generator.randint(1, total) for _ in range(kills - 1))
    hits = [kill_at(config, files, generator.uniform(0, 0.05)) for files in [*moments, total]]
    assert sum(hits) > kills // 2, "most kills must have hit a run that was still going"
    finish(config)
    assert digest(tmp_path / "killed") == digest(tmp_path / "undisturbed")
    assert files_of(tmp_path / "killed") == total
