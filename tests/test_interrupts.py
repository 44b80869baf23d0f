"""Ctrl-C, SIGTERM or a closed terminal, once or several times, at any moment, with any number of workers.

One line, the exit code of what came first, no process left behind, and a rerun that goes on.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from PIL import Image
from surroundings import left_of, listen

import diptych
from diptych import interrupts
from diptych.cli import main
from diptych.error_lines import error_line

LINE = "stopped; run the same command again to go on"
WAIT_S = 60
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(diptych.__file__).resolve().parents[1])}


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


def ignore_hangup() -> None:
    """As nohup does."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def begin(folder: Path, out: Path, workers: int, prepare: Callable[[], None] = listen) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command(folder, out, workers),
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=prepare,
    )


def check_rerun(folder: Path, out: Path) -> None:
    """Go on here, without the seconds in which a program and its workers begin."""
    with contextlib.chdir(folder):
        done = CliRunner().invoke(main, command(folder, out, workers=1)[3:])
    assert done.exit_code == 0, done.output


def wait_for_work(out: Path) -> None:
    """Wait until the first shard of a run is written, of the thirty that it makes."""
    end = time.monotonic() + WAIT_S
    while not any((out / "pool" / "data").glob("*.parquet")):
        assert time.monotonic() < end, "no shard is written"
        time.sleep(0.02)


def stopped(
    folder: Path,
    out: Path,
    workers: int,
    gaps: list[float],
    *,
    by: signal.Signals = signal.SIGINT,
    is_for_all: bool = True,
) -> tuple[int, list[str]]:
    """Return exit code and lines on stderr of a command that is sent a signal, or all its processes, as by a terminal.

    Nothing of it is left running. The signal comes when the command is at work.
    """
    process = begin(folder, out, workers)
    wait_for_work(out)
    for gap in gaps:
        if process.poll() is None:
            (os.killpg if is_for_all else os.kill)(process.pid, by)
        time.sleep(gap)
    try:
        _, said = process.communicate(timeout=WAIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    assert left_of(process.pid) == []
    return process.returncode, said.splitlines()


@pytest.mark.parametrize(("workers", "gaps"), [(1, [0.0]), (2, [0.0]), (2, [0.3, 0.3]), (2, [0.05, 0.05, 0.05])])
def test_ctrl_c_is_one_line_and_130_and_a_rerun_goes_on(
    pool: Path, tmp_path: Path, workers: int, gaps: list[float]
) -> None:
    assert stopped(pool, tmp_path / "out", workers, gaps) == (130, [LINE])
    check_rerun(pool, tmp_path / "out")


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
@pytest.mark.parametrize(("by", "is_for_all"), [(signal.SIGTERM, False), (signal.SIGTERM, True), (signal.SIGHUP, True)])
def test_a_command_that_is_told_to_end_leaves_no_process_and_goes_on(
    pool: Path, tmp_path: Path, by: signal.Signals, is_for_all: bool, workers: int
) -> None:
    found = stopped(pool, tmp_path / "out", workers, [0.0], by=by, is_for_all=is_for_all)
    assert found == (128 + by, [LINE])
    check_rerun(pool, tmp_path / "out")


STOPPED_WHERE_IT_STANDS = """
import os, signal, sys
from diptych import interrupts

class Lost:
    def __del__(self):
        signal.raise_signal({by})

def an_import():
    import torn

def a_finalizer():
    Lost()

def a_library_that_makes_an_error_of_it():
    try:
        signal.raise_signal({by})
    except KeyboardInterrupt:
        raise SystemError("the module was not made")

def the_end_of_another():
    interrupts.say_stopped([])
    signal.raise_signal({by})
    interrupts.leave_at_once()

interrupts.end_at_once_when_stopped()
try:
    with interrupts.ending_in_order_when_stopped():
        {where}()
        print("went on")
except Exception as error:
    if interrupts.is_interrupt(error):
        interrupts.say_stopped([])
        interrupts.leave_at_once()
"""
# As an extension in C++ that is interrupted while it is made.
TORN = """
import os, signal
try:
    signal.raise_signal({by})
except BaseException:
    os.abort()
"""


@pytest.mark.parametrize(
    "where", ["an_import", "a_finalizer", "a_library_that_makes_an_error_of_it", "the_end_of_another"]
)
def test_a_stop_is_one_line_and_its_code_wherever_python_stands(where: str, tmp_path: Path) -> None:
    (tmp_path / "torn.py").write_text(TORN.format(by=int(signal.SIGINT)))
    script = STOPPED_WHERE_IT_STANDS.format(by=int(signal.SIGINT), where=where)
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**ENVIRONMENT, "PYTHONPATH": f"{ENVIRONMENT['PYTHONPATH']}{os.pathsep}{tmp_path}"},
        capture_output=True,
        text=True,
        preexec_fn=listen,
        timeout=WAIT_S,
    )
    assert (done.returncode, done.stdout, done.stderr.splitlines()) == (130, "", [LINE])


IMPORTED_FIRST = """
import os, re, sys  # as Python itself and the script of an installed program do
before = {*sys.modules}
import diptych.__main__
print(*sorted({*sys.modules} - before))
"""


def test_little_is_imported_before_a_stop_is_heard() -> None:
    script = [sys.executable, "-S", "-c", IMPORTED_FIRST]
    found = subprocess.run(script, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout.split()
    ours = ["diptych", "diptych.__main__", "diptych.error_lines", "diptych.interrupts"]
    assert [name for name in found if name.startswith("diptych")] == ours
    assert {"json", "pathlib", "typing"}.isdisjoint(found), "each takes longer than all that is needed"


@pytest.mark.parametrize("arguments", [["doctor", "--json"], ["doctor"]])
def test_a_stop_is_told_as_every_end_is(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    interrupts.say_stopped(arguments)
    said = error_line("Interrupted", LINE, 130) if "--json" in arguments else LINE
    assert capsys.readouterr().err == f"{said}\n"


STOPPED_WITHIN_ONE_CALL = """
import ctypes
from diptych import interrupts

interrupts.end_at_once_when_stopped()
list(map(ctypes.PyDLL(None)["raise"], {order}))  # Python looks for signals when all of it is over
print("went on")
"""


@pytest.mark.parametrize("order", [(signal.SIGTERM, signal.SIGINT), (signal.SIGINT, signal.SIGTERM)])
def test_what_came_first_is_the_exit_code(order: tuple[signal.Signals, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STOPPED_WITHIN_ONE_CALL.format(order=[int(by) for by in order])],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        preexec_fn=listen,
        timeout=WAIT_S,
    )
    assert (done.returncode, done.stdout, done.stderr.splitlines()) == (128 + order[0], "", [LINE])


def test_a_command_that_is_to_outlive_its_terminal_does(pool: Path, tmp_path: Path) -> None:
    process = begin(pool, tmp_path / "out", 2, ignore_hangup)
    wait_for_work(tmp_path / "out")
    os.killpg(process.pid, signal.SIGHUP)
    _, said = process.communicate(timeout=WAIT_S)
    assert (process.returncode, said) == (0, "")


def test_what_would_outlive_the_program_is_ended_where_it_is_left_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    monkeypatch.setattr(interrupts, "_ends", [])
    monkeypatch.setattr(interrupts, "ignore_stops", lambda: None)
    monkeypatch.setattr(os, "_exit", lambda code: ended.append(str(code)))
    monkeypatch.delitem(sys.modules, "multiprocessing", raising=False)  # workers of this process stay
    interrupts.end_as_well(lambda: ended.append("a cluster"))
    interrupts.end_as_well(lambda: 1 / 0)
    interrupts.leave_at_once()
    assert ended == ["a cluster", str(interrupts.exit_code())]
