"""One process at a time in a directory that is being written."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from diptych.errors import ShardError


@contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Make sure that no other process on this machine works in a directory; the lock ends with the process.

    Raises:
        ShardError: If one does, or the directory cannot be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        file = (directory / ".lock").open("a")
    except OSError as error:
        raise ShardError(f"{directory}: cannot be written: {error.strerror}; give another place") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ShardError(f"{directory}: another diptych works there; wait for it, or stop it") from error
        yield
