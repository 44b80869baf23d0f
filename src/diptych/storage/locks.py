"""One process at a time in a directory that is being written, and which commands have written there.

The lock file holds a line for each command that held it: what to run again where something is lost. Nothing reads it
but to show it to a person, so that a directory from elsewhere can make nobody run anything.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from diptych.addresses import Address
from diptych.command_line import given_command
from diptych.errors import ShardError
from diptych.storage.location import Location

LOCK = ".lock"
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
def only_one(address: Address) -> Iterator[None]:
    """Make sure that no other process on this machine writes in a directory; the lock ends with the process.

    Whoever writes into a dataset directory holds the lock of that directory, whatever else it locks.

    Raises:
        ShardError: If one does, or the directory cannot be made.
    """
    directory = Location.at(address)
    try:
        directory.path.mkdir(parents=True, exist_ok=True)
        file = (directory.path / LOCK).open("a")
    except OSError as error:
        raise ShardError(f"{directory}: cannot be written: {error.strerror}; {ELSEWHERE}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ShardError(f"{directory}: another diptych works there; wait for it, or stop it") from error
        _note_command(directory)
        yield


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


def _note_command(directory: Location) -> None:
    """Add a line for the command that is running, unless it is the latest already; a program has no command."""
    given = given_command()
    if given is None:
        return
    command = GivenCommand(*given, os.path.relpath(os.getcwd(), directory.path.absolute()))
    if commands_given(directory)[:1] != [command]:
        (directory / LOCK).append((json.dumps(command._asdict()) + "\n").encode())
