"""Output is not the work: a command goes on where it cannot be written, and says at the end what is not whole."""

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image

import diptych
from diptych.output import ForgivingStream

SRC = Path(diptych.__file__).resolve().parents[1]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for number in range(6):
        Image.effect_noise((64, 64), 40 + number).save(tmp_path / "in" / f"{number} \u2603.png")
    path = tmp_path / "c.yaml"
    source = {"kind": "folder", "path": "in", "captions": "file_name"}
    path.write_text(yaml.safe_dump({"job": "curate", "source": source, "scores": {"h": {"score": "hashes"}}}))
    return path


def run(config: Path, redirection: str, **environment: str) -> tuple[int, str]:
    """Return exit code and stderr of a whole curation in a shell, and look whether it is done."""
    command = f"{sys.executable} -m diptych curate run c.yaml --out out {redirection}"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=config.parent,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SRC), **environment},
        timeout=120,
    )
    assert (config.parent / "out/selected/dataset.json").exists() or list((config.parent / "out/selected").iterdir())
    return done.returncode, done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_a_full_disk_behind_stdout_is_said_at_the_end(config: Path) -> None:
    code, said = run(config, "> /dev/full")
    assert (code, said.splitlines()[-1]) == (
        1,
        "Error: stdout: No space left on device; what was written there is not whole",
    )
    code, said = run(config, "--json > /dev/full")
    problem = {"where": "stdout", "what": "No space left on device; what was written there is not whole"}
    assert (code, json.loads(said.splitlines()[-1])) == (1, {"error": "Output", "exit_code": 1, "problems": [problem]})


@pytest.mark.parametrize(
    "redirection", ["| head -c 1 > /dev/null", ">&-", "2>&-", ">&- 2>&- <&-", "--workers 2 >&- 2>&-", "2> /dev/full"]
)
def test_a_reader_that_leaves_and_streams_that_are_closed_stop_nothing(config: Path, redirection: str) -> None:
    code, said = run(config, redirection)
    assert code == 0
    assert "Traceback" not in said


def test_characters_that_a_terminal_cannot_show_stop_nothing(config: Path) -> None:
    code, said = run(config, "", LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (code, "Traceback" in said) == (0, False)


class Broken(io.StringIO):
    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def write(self, text: str) -> int:
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize(("number", "is_kept"), [(errno.EPIPE, False), (errno.ENOSPC, True)])
def test_only_what_was_lost_to_nobody_is_a_failure(number: int, is_kept: bool) -> None:
    stream = ForgivingStream(Broken(number))
    assert stream.write("text") == 4
    assert (stream.failure is not None) == is_kept


def test_a_thread_that_is_still_about_keeps_no_program_from_its_end() -> None:
    script = (
        "import sys, threading, time\n"
        "threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "sys.argv = ['diptych', '--version']\n"
        "from diptych.__main__ import run\n"
        "run()\n"
    )
    env, command = {**os.environ, "PYTHONPATH": str(SRC)}, [sys.executable, "-c", script]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.split()[0], done.stderr) == (0, "diptych", "")
