"""Every command in every odd place: the documented exit code, at most a line, no hang, and a rerun that goes on."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from another_user import as_another_user, folder_of_another_user
from every_command import WORKERS
from own_mounts import can_mount
from surroundings import (
    BARE,
    CALLS,
    HIDING,
    PLAIN,
    READ_PROC,
    SURROUNDINGS,
    Surroundings,
    furnish,
    left_of,
    listen,
    start,
    wait_until_it_hears,
)

WAIT_S = 200
STOPPED = (130, ["stopped; run the same command again to go on"])
DONE: tuple[int, list[str]] = (0, [])
MOMENTS = 10
COMMANDS = [words for words in CALLS if words not in PLAIN]


def has_workers(words: tuple[str, ...]) -> bool:
    return any(option.name == "workers" for option in WORKERS[words].params)


# Each command, with one worker and with two where it has any.
STOPPED_ONES = [
    pytest.param(words, more, id=" ".join((*words, more)).strip())
    for words in COMMANDS
    for more in (["--workers 1", "--workers 2"] if has_workers(words) else [""])
]
SOME = [("curate", "select")]  # the others are slow
OTHERS = [("doctor",)]  # it looks into HOME; the others are slow
HOME = pytest.mark.parametrize("home", ["none", "closed"])
PLACE = pytest.mark.parametrize("place", SURROUNDINGS)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnish(tmp_path_factory.mktemp("world"))


@pytest.fixture
def theirs(world: Path) -> Iterator[Path]:
    if os.geteuid() != 0 or not (shutil.which("setpriv") and shutil.which("unshare")):
        pytest.skip("only root, with setpriv and unshare, can run a program as somebody else")
    with folder_of_another_user(world) as folder:
        yield folder


@pytest.fixture
def here(world: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(world, tmp_path / "here"))


def end_of(process: "subprocess.Popen[str]") -> tuple[int, list[str]]:
    """Return the exit code of a command and its lines on stderr; one that hangs is ended."""
    try:
        _, said = process.communicate(timeout=WAIT_S)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, said.splitlines()


def check(words: tuple[str, ...], here: Path, where: Surroundings, more: str = "") -> None:
    code, lines = end_of(start(words, f"{CALLS[words]} {more}", here, where))
    assert code == 0, "\n".join(lines)
    assert [line for line in lines if not line.startswith("Warning: ")] == []


def skip_what_cannot_be(words: tuple[str, ...], where: Surroundings) -> None:
    if where.before == BARE and not shutil.which(BARE[0]):
        pytest.skip("there is no setpriv")
    if where.before == HIDING and not can_mount():
        pytest.skip("nothing can be mounted here")
    if where.before == HIDING and words in READ_PROC:
        pytest.skip("torch reads /proc")


def test_every_command_has_a_call() -> None:
    assert sorted(CALLS) == sorted(WORKERS)


@pytest.mark.parametrize(("module", "code"), [("diptych", 1), ("diptych.data.images", 1), ("diptychon", 0)])
def test_the_place_where_warnings_are_errors_hears_every_module(module: str, code: int) -> None:
    warn = "import warnings; warnings.warn('odd')"
    command = [sys.executable, "-c", f"exec({warn!r}, {{'__name__': {module!r}}})"]
    environment = {**os.environ, **SURROUNDINGS["warnings are errors"].environment}
    assert subprocess.run(command, env=environment, capture_output=True).returncode == code


@pytest.mark.parametrize("words", SOME, ids=" ".join)
@PLACE
def test_some_commands_work_in_any_surroundings(words: tuple[str, ...], place: str, here: Path) -> None:
    skip_what_cannot_be(words, SURROUNDINGS[place])
    check(words, here, SURROUNDINGS[place])


@pytest.mark.parametrize("words", [("doctor",), ("validate",)], ids=" ".join)
def test_a_working_directory_that_is_gone_is_one_line(words: tuple[str, ...], here: Path) -> None:
    (here / "gone").mkdir()
    leave = Surroundings(shell="", before=("/bin/bash", "-c", 'cd gone && rmdir ../gone && exec "$@"', "bash"))
    code, lines = end_of(start(words, CALLS[words], here, leave))
    assert (code, lines) == (
        1,
        ["Error: the folder that this runs in is gone or cannot be read; change to another: cd ~"],
    )


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("words", [words for words in COMMANDS if words not in SOME], ids=" ".join)
@PLACE
def test_every_command_works_in_any_surroundings(words: tuple[str, ...], place: str, here: Path) -> None:
    skip_what_cannot_be(words, SURROUNDINGS[place])
    check(words, here, SURROUNDINGS[place])


@HOME
@pytest.mark.parametrize("words", OTHERS, ids=" ".join)
def test_some_commands_work_for_another_user(words: tuple[str, ...], home: str, theirs: Path) -> None:
    check(words, theirs, as_another_user(theirs, home))


@pytest.mark.slow
@pytest.mark.timeout(1200)
@HOME
@pytest.mark.parametrize("words", [words for words in COMMANDS if words not in OTHERS], ids=" ".join)
def test_every_command_works_for_another_user(words: tuple[str, ...], home: str, theirs: Path) -> None:
    check(words, theirs, as_another_user(theirs, home))


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("words", sorted(PLAIN), ids=" ".join)
def test_every_other_command_works_in_plain_surroundings(words: tuple[str, ...], here: Path) -> None:
    check(words, here, Surroundings())


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize(("words", "more"), STOPPED_ONES)
def test_every_command_can_be_stopped_at_any_moment_and_goes_on(
    words: tuple[str, ...], more: str, times: int, world: Path, tmp_path: Path
) -> None:
    began = time.monotonic()
    check(words, Path(shutil.copytree(world, tmp_path / "undisturbed")), Surroundings(), more)
    took_s = time.monotonic() - began
    chosen = random.Random(f"{words}{more}{times}")
    here = shutil.copytree(world, tmp_path / "0")
    for moment in range(1, MOMENTS + 1):
        part, gap_s = chosen.random(), chosen.choice([0.02, 0.1, 0.5])
        ended = stopped(words, here, more, part * took_s, [gap_s] * times)
        assert ended in (STOPPED, DONE), f"after {part:.4f} of {took_s:.2f} s, every {gap_s} s"
        if ended == DONE:
            here = shutil.copytree(world, tmp_path / str(moment))
    check(words, here, Surroundings(), more)


def stopped(
    words: tuple[str, ...], here: Path, more: str, after_s: float, gaps_s: list[float]
) -> tuple[int, list[str]]:
    """Return exit code and lines on stderr of a command that Ctrl-C is pressed on; nothing of it is left running."""
    process = start(words, f"{CALLS[words]} {more}", here, Surroundings(prepare=listen))
    wait_until_it_hears(process)
    time.sleep(after_s)
    for gap_s in gaps_s:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        time.sleep(gap_s)
    code, lines = end_of(process)
    assert left_of(process.pid) == []
    return code, lines
