"""An import that is killed at any moment goes on to the same bytes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from drawn import picture
from made_elsewhere import imported

IMAGES = 240
SOURCE = str(Path(__file__).resolve().parents[3] / "src")


def files_of(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(path.iterdir()) if not file.name.startswith(".")}


def noted(journal: Path) -> int:
    """Return how many finished shards a journal has noted."""
    return journal.read_bytes().count(b'"name"') if journal.is_file() else 0


@pytest.mark.parametrize("shards", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_a_killed_import_goes_on_to_the_same_bytes(shards: int, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(IMAGES):
        (tmp_path / f"in/a photo {number // 2}_{number % 2}.png").write_bytes(picture(number, (256, 256), kind="PNG"))
    given = [str(tmp_path / "in"), "--layout", "names", "--set", "rows_per_shard=16", "--out"]
    command = [sys.executable, "-P", "-m", "diptych", "--progress", "none", "generate", "import", *given]
    killed = subprocess.Popen([*command, str(tmp_path / "cut")], env={**os.environ, "PYTHONPATH": SOURCE})
    deadline = time.monotonic() + 120
    while noted(tmp_path / "cut/data/_shards.jsonl") < shards and time.monotonic() < deadline:
        if killed.poll() is not None:
            break
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "cut/dataset.json").exists(), "it was killed before its end"
    made = imported(*given, tmp_path / "cut")["shards_made"]
    assert made < IMAGES // 16, "what was finished is kept"
    imported(*given, tmp_path / "whole")
    assert files_of(tmp_path / "cut/data") == files_of(tmp_path / "whole/data")
    assert files_of(tmp_path / "cut/data").keys() >= {"00000.parquet", "00014.parquet"}
