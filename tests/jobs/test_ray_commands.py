"""Whole commands on Ray that are killed or stopped, and a cluster of two nodes: minutes."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml
from drawn import draw_folder
from ingested import pool_files

import diptych

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs the extra ray"),
]
SHARDS = 400
ALONE = ["unshare", "-rn", "bash", "-c", 'ip link set lo up && exec "$@"', "bash"]
SOURCES = os.pathsep.join([str(Path(diptych.__file__).parents[1]), str(Path(__file__).parents[1])])
ENVIRONMENT = {**os.environ, "PYTHONPATH": SOURCES}


def start(config: Path, out: Path, *engine: str) -> subprocess.Popen[str]:
    """Start an ingest in a process group of its own, as a shell does."""
    command = [sys.executable, "-P", "-m", "diptych", "--progress", "none", "curate", "ingest", str(config)]
    return subprocess.Popen(
        [*command, "--out", str(out), "--workers", "2", *engine],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_shards(out: Path, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while len(list((out / "pool/data").glob("*.parquet"))) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def family_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def noted_shards(out: Path) -> dict[str, int]:
    """Return when each shard of the journal was written."""
    journal = (out / "pool/data/_shards.jsonl").read_text() if (out / "pool/data/_shards.jsonl").exists() else ""
    return {
        file.name: file.stat().st_mtime_ns for file in (out / "pool/data").glob("*.parquet") if file.name in journal
    }


@pytest.fixture
def config(tmp_path: Path) -> Path:
    draw_folder(tmp_path / "in", SHARDS)
    source = {"kind": "folder", "path": str(tmp_path / "in"), "captions": "none"}
    says = {"job": "curate", "source": source, "rows_per_shard": 1}
    (tmp_path / "curate.yaml").write_text(yaml.safe_dump(says))
    return tmp_path / "curate.yaml"


def test_a_killed_driver_leaves_nobody_and_a_rerun_does_what_is_missing(config: Path, tmp_path: Path) -> None:
    whole = start(config, tmp_path / "whole")
    assert whole.communicate(timeout=240)[1] == ""
    killed = start(config, tmp_path / "killed", "--engine", "ray")
    wait_for_shards(tmp_path / "killed", 40, killed)
    family = family_of(killed)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert psutil.wait_procs(family, timeout=120)[1] == [], "two of Ray's look for their head for a minute"
    noted = noted_shards(tmp_path / "killed")
    assert 30 < len(noted) < SHARDS
    again = start(config, tmp_path / "killed", "--engine", "ray")
    assert again.communicate(timeout=240)[1] == ""
    assert noted_shards(tmp_path / "killed").items() >= noted.items(), "no shard that was noted is made again"
    assert pool_files(tmp_path / "killed/pool") == pool_files(tmp_path / "whole/pool")


def test_ctrl_c_ends_it_in_one_line_and_leaves_nobody(config: Path, tmp_path: Path) -> None:
    process = start(config, tmp_path / "out", "--engine", "ray")
    wait_for_shards(tmp_path / "out", 5, process)
    family = family_of(process)
    assert len(family) > 4
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (130, "", "stopped; run the same command again to go on\n")
    assert psutil.wait_procs(family, timeout=30)[1] == []


@pytest.mark.skipif(subprocess.run([*ALONE, "true"], capture_output=True).returncode != 0, reason="needs unshare -n")
def test_two_nodes_of_which_one_is_killed_do_all_tasks(tmp_path: Path) -> None:
    script = Path(__file__).parents[1] / "ray_nodes.py"
    done = subprocess.run(
        [*ALONE, sys.executable, str(script), str(tmp_path / "opened")],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.stdout.splitlines()[-1:] == ["True 3"], done.stderr  # two workers, and one anew
