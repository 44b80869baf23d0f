"""A run that is killed at any moment and started again ends with the same bytes as an undisturbed one."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

SHARDS = 16
BESIDE = {"timings.jsonl", ".lock"}  # wall-clock times and the commands that wrote there, beside the dataset


def start(config: Path, out: Path) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-P", "-m", "diptych", "--progress", "none"]
    source = str(Path(__file__).resolve().parents[2] / "src")
    environment = {**os.environ, "PYTHONPATH": source, "PYTHONWARNINGS": "default"}
    return subprocess.Popen(
        [*program, "generate", "run", str(config), "--out", str(out)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(config: Path, out: Path) -> None:
    process = start(config, out)
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors.decode()[-2000:]


def digests(out: Path) -> dict[str, str]:
    """Return the sha256 of every file of a run; nothing may be left over beside what an undisturbed run leaves."""
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name not in BESIDE
    }


def shards_in(out: Path) -> int:
    return len(list((out / "data").glob("*.parquet")))


def kill_at_random(config: Path, out: Path, generator: random.Random) -> bool:
    """Start a run, kill it at a random moment while it makes shards; return whether it was still going."""
    process = start(config, out)
    wanted = generator.randrange(SHARDS)
    while shards_in(out) < wanted and process.poll() is None:
        time.sleep(0.002)
    time.sleep(generator.uniform(0, 0.2))
    still_going = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return still_going


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(3, marks=pytest.mark.timeout(900)),
        pytest.param(10, marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
    ],
    ids=["3 kills", "10 kills"],
)
def test_killed_runs_end_with_the_bytes_of_an_undisturbed_one(
    kills: int, models: Callable[[str], str], tmp_path: Path
) -> None:
    config = {
        "job": "generate",
        "prompts": [{"kind": "demo", "per_category": 2}],
        "models": {name: {"path_or_id": models(name)} for name in ("sd", "sdxl")},
        "settings": [{"sampler": ["euler_a", "dpmpp_2m"], "steps": 3, "size": 64}],
        "samples": 2,
        "batch_size": 2,
        "rows_per_shard": 5,
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    finish(path, tmp_path / "undisturbed")
    expected = digests(tmp_path / "undisturbed")
    assert shards_in(tmp_path / "undisturbed") == SHARDS
    generator = random.Random(7)
    hit = 0
    out = tmp_path / "killed"
    for _ in range(kills):
        hit += kill_at_random(path, out, generator)
    finish(path, out)
    assert digests(out) == expected
    assert hit > kills // 2, "most kills must have hit a run that was still going"
