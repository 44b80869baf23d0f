"""One process at a time in a directory that is being written."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from diptych.addresses import Address
from diptych.errors import ShardError
from diptych.storage.location import Location

LOCK = ".lock"


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
        raise ShardError(f"{directory}: cannot be written: {error.strerror}; give another place") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ShardError(f"{directory}: another diptych works there; wait for it, or stop it") from error
        yield
