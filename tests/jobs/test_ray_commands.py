"""Whole commands on Ray that are killed or stopped, and a cluster of two nodes: minutes."""

import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
import tiny_pipelines
import yaml
from drawn import draw_folder
from generated_runs import shard_digests
from ingested import pool_files

import diptych

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs the extra ray"),
]
SHARDS = 400
ALONE = ["unshare", "-rn", "bash", "-c", 'ip link set lo up && exec "$@"', "bash"]
ENDING_ALL = ["unshare", "-rnpf", "--kill-child", "--mount-proc", *ALONE[2:]]  # what it started ends with it
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
    killed_files, whole_files = (pool_files(tmp_path / name / "pool") for name in ("killed", "whole"))
    locks = killed_files.pop(".lock"), whole_files.pop(".lock")  # say who wrote there
    assert killed_files == whole_files, locks


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
    assert done.stdout.splitlines()[-1:] == ["True 2"], done.stderr  # there is no room to begin a third time


@pytest.mark.skipif(
    subprocess.run([*ENDING_ALL, "true"], capture_output=True).returncode != 0, reason="needs unshare -p"
)
@pytest.mark.parametrize(
    ("ways", "told"),
    [
        pytest.param(
            ["first", "auto", "second", "own", "second"],
            [
                "first [0, 1] first",
                "auto [0, 1] first",
                "second [0, 1] second",
                "own [0, 1] own",
                "second --engine-options address: this process has started a Ray cluster of its own, whose token no "
                "other one takes; join 127.0.0.1:7002 in a process of its own, or first",
            ],
            id="joined here",
        ),
        pytest.param(
            ["+first", "first", "second"],
            [
                "first [0, 1] first",
                "second --engine-options address: this program has joined the Ray cluster at 127.0.0.1:7001 by itself, "
                "and a process has one at a time: give address=127.0.0.1:7001, or call ray.shutdown() before "
                "127.0.0.1:7002 is joined",
            ],
            id="joined by the program",
        ),
    ],
)
def test_a_job_is_done_on_the_cluster_that_it_was_sent_to_or_nowhere(ways: list[str], told: list[str]) -> None:
    script = Path(__file__).parents[1] / "ray_addresses.py"
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:  # short, for sockets
        done = subprocess.run(
            [*ENDING_ALL, sys.executable, str(script), folder, *ways],
            env={**ENVIRONMENT, "PYTHONPATH": os.pathsep.join([SOURCES, str(Path(__file__).parents[1])])},
            capture_output=True,
            text=True,
            timeout=280,
        )
    assert done.stdout.splitlines() == told, done.stderr


def test_images_are_the_same_byte_for_byte(tmp_path: Path) -> None:
    says = {
        "job": "generate",
        "prompts": [{"kind": "txt", "path": str(tmp_path / "prompts.txt")}],
        "models": {"sd": {"path_or_id": str(tiny_pipelines.save("sd", tmp_path))}},
        "settings": [{"steps": 2, "size": 64}],
        "samples": 4,
        "batch_size": 2,
        "rows_per_shard": 4,
    }
    (tmp_path / "prompts.txt").write_text("a red fish\na house\ntwo stars\n")
    (tmp_path / "generate.yaml").write_text(yaml.safe_dump(says))
    for name in ("local", "ray"):
        command = ["generate", "run", str(tmp_path / "generate.yaml"), "--out", str(tmp_path / name)]
        done = subprocess.run(
            [sys.executable, "-P", "-m", "diptych", "--progress", "none", *command, "--workers", "2", "--engine", name],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=280,
        )
        assert done.returncode == 0, done.stderr
    assert shard_digests(tmp_path / "local") == shard_digests(tmp_path / "ray") != {}
