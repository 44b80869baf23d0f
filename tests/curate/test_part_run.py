"""``--part I/N`` of a curation: several shells make one run, and the last command finishes it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from ingested import draw_folder, pool_files

from diptych.cli import main

SOURCE = str(Path(__file__).resolve().parents[2] / "src")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Twelve pictures in six shards, with a score."""
    draw_folder(tmp_path / "in", range(12))
    values = {
        "job": "curate",
        "source": {"kind": "folder", "path": str(tmp_path / "in")},
        "rows_per_shard": 2,
        "scores": {"words": {"score": "caption_stats"}},
    }
    (tmp_path / "curate.yaml").write_text(yaml.safe_dump(values))
    return tmp_path / "curate.yaml"


def diptych(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["--progress", "none", "curate", *map(str, arguments)])


def files_of(out: Path) -> dict[str, str]:
    """Return the files of a run without the locks, and without what says when it was made."""
    found = {name: digest for name, digest in pool_files(out).items() if "/.lock" not in f"/{name}"}
    assert not [name for name in found if "_finished" in name]
    return found


def test_parts_of_ingest_then_of_score_then_the_rest(config: Path, tmp_path: Path) -> None:
    one, parts = tmp_path / "one", tmp_path / "parts"
    assert diptych("run", config, "--out", one).exit_code == 0
    done = [diptych("run", config, "--out", parts, "--part", part) for part in ("1/2", "2/2")]
    assert [result.output for result in done] == [
        "ingest, part 1/2: made 3 of its 3 shards; 3 of all 6 are there\n",
        "ingest, part 2/2: made 3 of its 3 shards; all 6 are there: run the same without --part, which finishes it\n",
    ]
    assert diptych("ingest", config, "--out", parts).exit_code == 0
    scored = diptych("run", config, "--out", parts, "--part", "2/2", "--json")
    assert json.loads(scored.output) == {
        "step": "score",
        "part": "2/2",
        "made": 3,
        "own": 3,
        "finished": 3,
        "shards": 6,
    }
    assert diptych("score", config, "--out", parts, "--part", "1/2").output.startswith(
        "score, part 1/2: made 3 of its 3"
    )
    last = diptych("run", config, "--out", parts)
    assert last.exit_code == 0, last.output
    assert files_of(parts) == files_of(one)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--part", "0/4"), "--part: '0/4' is no part; give its number, from 1 on, and how many there are: 3/16"),
        (("--part", "half"), "--part: 'half' is no part"),
        (("--part", "1/2", "--extend"), "--extend does not go with --part: it is about all of the pool"),
        (("--part", "1/2", "--dry-run"), "--dry-run does not go with --part"),
    ],
)
def test_what_does_not_go_with_a_part_is_refused_in_one_line(
    config: Path, tmp_path: Path, given: tuple[str, ...], said: str
) -> None:
    result = diptych("run", config, "--out", tmp_path / "out", *given)
    assert (result.exit_code != 0, said in result.output) == (True, True), result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_four_processes_at_once_of_which_one_is_killed_give_the_bytes_of_one(config: Path, tmp_path: Path) -> None:
    draw_folder(tmp_path / "in", range(400))
    assert diptych("run", config, "--out", tmp_path / "one").exit_code == 0
    out = tmp_path / "four"

    def start(number: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", "diptych", "--progress", "none", "curate", "run", str(config)]
        given = ["--out", str(out), "--part", f"{number}/4"]
        return subprocess.Popen([*command, *given], env={**os.environ, "PYTHONPATH": SOURCE})

    processes = [start(number) for number in range(1, 5)]
    while len(list((out / "pool/data").glob("*.parquet"))) < 5:
        time.sleep(0.05)
    processes[2].send_signal(signal.SIGKILL)
    assert [process.wait(240) for process in processes] == [0, 0, -signal.SIGKILL, 0]
    assert start(3).wait(240) == 0
    assert diptych("run", config, "--out", out).exit_code == 0
    assert files_of(out) == files_of(tmp_path / "one")
