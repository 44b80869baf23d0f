"""One process at a time in a directory that is being written, and which commands have written there.

The lock file holds a line for each command that held it and was not refused before it wrote anything: what to run again
where something is lost. Nothing reads it but to show it to a person, so that a directory from elsewhere can make nobody
run anything.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, NamedTuple

from diptych.addresses import Address
from diptych.command_line import given_command
from diptych.errors import DiptychError, ShardError
from diptych.parts import WHOLE_JOB, JobPart
from diptych.storage.location import Location
from diptych.storage.store_memory import remembering

LOCK = ".lock"
LEVELS = 2  # from a run to the data of its pool, or from a dataset to one of its scores
ELSEWHERE = "give another place, or for scores of what lies there: diptych --columns-dir DIR ..."


class GivenCommand(NamedTuple):
    """A command of diptych as somebody gave it.

    Attributes:
        name: Such as ``curate run``.
        arguments: Everything after ``diptych``, its name included.
        directory: Where it was given, as seen from the directory in which it wrote.
    """

    name: str
    arguments: tuple[str, ...]
    directory: str


@contextmanager
def only_one(address: Address, part: JobPart = WHOLE_JOB) -> Iterator[None]:
    """Make sure that no other process on this machine writes in a directory; the lock ends with the process.

    Whoever writes into a dataset directory holds the lock of that directory, whatever else it locks. Those who make
    parts of its shards hold it together, and each the lock of its part.

    Args:
        address: The directory.
        part: Of the shards that is made.

    Raises:
        ShardError: If one does, or the directory cannot be made.
    """
    directory = Location.at(address)
    if directory.is_store:  # which has no locks: one writer is assumed, or parts that each do their own
        with remembering() if part.is_whole else nullcontext():
            yield
    elif part.is_whole:
        with _held(directory, LOCK, fcntl.LOCK_EX, "works there"):
            for left in directory.children(f"{LOCK}-*"):
                left.remove()
            with _noted(directory):
                yield
    else:
        with (
            _held(directory, LOCK, fcntl.LOCK_SH, "works there"),
            _held(directory, f"{LOCK}-{part.number}-of-{part.of}", fcntl.LOCK_EX, f"makes part {part} there"),
        ):
            _note_command(directory)
            yield


@contextmanager
def in_turn(path: Path | str) -> Iterator[IO[str]]:
    """Wait until no other process or thread on this machine holds a file, and yield it, open to be read and written.

    Args:
        path: The file, which is made where it is not there, with its folder.

    Raises:
        ShardError: If it cannot be made or held.
    """
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a+")  # noqa: SIM115 -- it is closed below
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        raise ShardError(f"{path}: cannot be held: {error.strerror}; make its folder one to be written") from error
    with file:
        file.seek(0)
        yield file


@contextmanager
def _held(directory: Location, name: str, how: int, by_another: str) -> Iterator[None]:
    """Hold a lock file in a directory, which is made where it is not there."""
    try:
        Path(directory).mkdir(parents=True, exist_ok=True)
        file = open(directory / name, "a")  # noqa: SIM115 -- it is closed below
    except (FileExistsError, NotADirectoryError) as error:
        raise ShardError(f"{directory}: a file stands there or above it; give a folder, or one to be made") from error
    except OSError as error:
        raise ShardError(f"{directory}: cannot be written: {error.strerror}; {ELSEWHERE}") from error
    with file:
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ShardError(f"{directory}: another diptych {by_another}; wait for it, or stop it") from error
        yield


@contextmanager
def _noted(directory: Location) -> Iterator[None]:
    """Note the command that is running, and forget it where it is refused before it changed anything."""
    noted, before = _note_command(directory), _changes(directory)
    try:
        yield
    except DiptychError:
        if noted and _changes(directory) == before:  # refused: what it was asked for is not what lies there
            _forget_command(directory, noted)
        raise


def commands_given(address: Address) -> list[GivenCommand]:
    """Return the commands that wrote in a directory, the latest first, each once; without lines that a kill tore."""
    lock = Location.at(address) / LOCK
    found: dict[GivenCommand, None] = {}
    for line in reversed(lock.read().splitlines() if lock.is_file() else []):
        try:
            noted = json.loads(line)
            arguments = tuple(str(argument) for argument in noted["arguments"])
            found.setdefault(GivenCommand(str(noted["name"]), arguments, str(noted["directory"])))
        except (ValueError, LookupError, TypeError, RecursionError):
            continue
    return list(found)


def _note_command(directory: Location) -> bytes:
    """Add a line for the command that is running and return it; none for the latest again, or in a program."""
    given = given_command()
    if given is None:
        return b""
    command = GivenCommand(*given, os.path.relpath(os.getcwd(), Path(directory).absolute()))
    line = (json.dumps(command._asdict()) + "\n").encode()
    if commands_given(directory)[:1] == [command]:
        return b""
    (directory / LOCK).append(line)
    return line


def _forget_command(directory: Location, line: bytes) -> None:
    """Take the latest line off; in place, as the lock is on this very file."""
    lock = directory / LOCK
    data = lock.read()
    if data.endswith(line):
        os.truncate(lock, len(data) - len(line))


def _changes(directory: Location) -> dict[str, int]:
    """Return when something came or went in a directory and, two deep, in those in it: where shards are written."""
    found = {}
    for path, folders, _ in os.walk(directory):
        found[path] = os.stat(path).st_mtime_ns
        if len(Path(path).relative_to(directory).parts) == LEVELS:
            folders.clear()
    return found
