"""Ctrl-C, once or several times, at any moment, with any number of workers: one line, 130, and a rerun that goes on."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from PIL import Image

LINE = "stopped; run the same command again to go on"
WAIT_S = 60


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ctrl_c")
    for number in range(300):
        path = folder / "in" / f"{number:03d}.png"
        path.parent.mkdir(exist_ok=True)
        Image.effect_noise((160, 160), 40 + number % 50).save(path)
    source = {"kind": "folder", "path": "in", "captions": "none"}
    config = {"job": "curate", "source": source, "rows_per_shard": 10, "scores": {"h": {"score": "hashes"}}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


def command(folder: Path, out: Path, workers: int) -> list[str]:
    config = str(folder / "config.yaml")
    run = ["curate", "run", config, "--out", str(out), "--workers", str(workers)]
    return [sys.executable, "-m", "diptych", "--progress", "none", *run]


def stopped(folder: Path, out: Path, workers: int, after: float, gaps: list[float]) -> tuple[int, list[str]]:
    """Return exit code and lines on stderr of a command whose processes are all sent Ctrl-C, as by a terminal."""
    process = subprocess.Popen(
        command(folder, out, workers),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    time.sleep(after)
    for gap in gaps:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        time.sleep(gap)
    try:
        _, said = process.communicate(timeout=WAIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, said.splitlines()


def is_ended(found: tuple[int, list[str]]) -> bool:
    """Return whether a command was stopped with one line, or was done before."""
    code, lines = found
    killed = (-signal.SIGINT, [])  # before Python listens and when it no longer does; a shell calls that 130, too
    return (code, lines) in ((130, [LINE]), (0, []), killed)


@pytest.mark.parametrize(("workers", "gaps"), [(1, [0.0]), (2, [0.0]), (2, [0.3, 0.3]), (2, [0.05, 0.05, 0.05])])
def test_ctrl_c_is_one_line_and_130_and_a_rerun_goes_on(
    pool: Path, tmp_path: Path, workers: int, gaps: list[float]
) -> None:
    found = stopped(pool, tmp_path / "out", workers, 2.5, gaps)
    assert is_ended(found), found
    done = subprocess.run(
        command(pool, tmp_path / "out", workers), cwd=pool, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_ctrl_c_at_ten_random_moments(pool: Path, tmp_path: Path, workers: int, times: int) -> None:
    chosen = random.Random(10 * workers + times)
    for _ in range(10):
        after, gap = chosen.uniform(0.4, 6.0), chosen.choice([0.02, 0.1, 0.5])
        found = stopped(pool, tmp_path / "out", workers, after, [gap] * times)
        assert is_ended(found), (after, gap, found)
    done = subprocess.run(
        command(pool, tmp_path / "out", workers), cwd=pool, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
