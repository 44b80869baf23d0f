"""Every command in every odd place: the documented exit code, at most a line, no hang, and a rerun that goes on."""

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from every_command import WORKERS
from surroundings import BARE, CALLS, SLOW, SURROUNDINGS, Surroundings, furnish, start

WAIT_S = 200
STOPPED = "stopped; run the same command again to go on"
COMMANDS = [words for words in CALLS if words not in SLOW]
SOME = [("curate", "select"), ("validate",)]  # one that works, one that only reads; the others are slow
PLACE = pytest.mark.parametrize("place", SURROUNDINGS)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnish(tmp_path_factory.mktemp("world"))


@pytest.fixture
def here(world: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(world, tmp_path / "here"))


def call(words: tuple[str, ...], here: Path, where: Surroundings) -> tuple[int, list[str]]:
    """Return the exit code of a command and its lines on stderr."""
    process = start(words, CALLS[words], here, where)
    try:
        _, said = process.communicate(timeout=WAIT_S)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, said.splitlines()


def check(words: tuple[str, ...], here: Path, where: Surroundings) -> None:
    code, lines = call(words, here, where)
    assert code == 0, lines
    assert [line for line in lines if not line.startswith("Warning: ")] == []


def test_every_command_has_a_call() -> None:
    assert sorted(CALLS) == sorted(WORKERS)


@pytest.mark.parametrize("words", SOME, ids=" ".join)
@PLACE
def test_some_commands_work_in_any_surroundings(words: tuple[str, ...], place: str, here: Path) -> None:
    if SURROUNDINGS[place].before == BARE and not shutil.which(BARE[0]):
        pytest.skip("there is no setpriv")
    check(words, here, SURROUNDINGS[place])


@pytest.mark.parametrize("words", [("doctor",), ("validate",)], ids=" ".join)
def test_a_working_directory_that_is_gone_is_one_line(words: tuple[str, ...], here: Path) -> None:
    (here / "gone").mkdir()
    leave = Surroundings(shell="", before=("/bin/bash", "-c", 'cd gone && rmdir ../gone && exec "$@"', "bash"))
    code, lines = call(words, here, leave)
    assert (code, lines) == (
        1,
        ["Error: the folder that this runs in is gone or cannot be read; change to another: cd ~"],
    )


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("words", [words for words in COMMANDS if words not in SOME], ids=" ".join)
@PLACE
def test_every_command_works_in_any_surroundings(words: tuple[str, ...], place: str, here: Path) -> None:
    if SURROUNDINGS[place].before == BARE and not shutil.which(BARE[0]):
        pytest.skip("there is no setpriv")
    check(words, here, SURROUNDINGS[place])


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("words", sorted(SLOW), ids=" ".join)
def test_the_demo_works_in_plain_surroundings(words: tuple[str, ...], here: Path) -> None:
    check(words, here, Surroundings())


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_can_be_stopped_at_any_moment_and_goes_on(words: tuple[str, ...], times: int, here: Path) -> None:
    chosen = random.Random(f"{words}{times}")
    for _ in range(3):
        process = start(words, CALLS[words], here, Surroundings(prepare=listen))
        time.sleep(chosen.uniform(0.3, 4.0))
        for _ in range(times):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            time.sleep(chosen.choice([0.02, 0.1, 0.5]))
        _, said = process.communicate(timeout=WAIT_S)
        killed = (-signal.SIGINT, [])  # before Python listens and when it no longer does
        assert (process.returncode, said.splitlines()) in ((130, [STOPPED]), (0, []), killed)
    check(words, here, Surroundings())


def listen() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
