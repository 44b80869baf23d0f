"""A place where bytes lie, and everything that is done to them there: read, publish whole, create, list, remove.

Nothing above this room opens a file of a dataset by itself, so that a kind of place is one class: a folder of this
machine is ``local_files``, an object store ``object_stores``. Decides nothing about what the bytes say.
"""

import contextlib
import os
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import IO

from diptych.addresses import Address, place_of, store_of
from diptych.errors import ShardError
from diptych.lookup import import_attribute

TEMPORARY = ".*.tmp"

# The class of each kind of place. To add one: a module with a subclass of ``Location``, a line here, a test.
KINDS = {
    "folder": "diptych.storage.local_files:LocalLocation",
    "store": "diptych.storage.object_stores:StoreLocation",
}


class Location(os.PathLike[str]):
    """A place by its address; ``location / name`` is one inside it. Two are equal if their addresses are.

    It is an ``os.PathLike``, as every address is. An object store has no folders, no rename, nothing to add at the end
    of an object, and no locks: where that is needed, ``is_store`` is asked first.
    """

    @staticmethod
    def at(address: Address) -> "Location":
        """Return the location of an address.

        Raises:
            DataError: As ``place_of``.
            MissingExtra: If what reaches that kind of store is not installed.
        """
        if isinstance(address, Location):
            return address
        place = place_of(address)
        kind = "folder" if store_of(place) is None else "store"
        found: Location = import_attribute(KINDS[kind]).of(place)
        return found

    @property
    @abstractmethod
    def is_store(self) -> bool:
        """Whether it lies in an object store."""

    @abstractmethod
    def __truediv__(self, name: str) -> "Location":
        """Return the place of a name inside this one."""

    @abstractmethod
    def __str__(self) -> str:
        """Return the address, as messages show it."""

    def __fspath__(self) -> str:
        """Return the address."""
        return str(self)

    def __lt__(self, other: "Location") -> bool:
        """Return whether it stands before another, of whatever kind, where places are sorted."""
        return PurePath(self) < PurePath(other)

    @property
    @abstractmethod
    def name(self) -> str:
        """Its last part."""

    @property
    @abstractmethod
    def parent(self) -> "Location":
        """The place that it lies in; itself where that is all."""

    @abstractmethod
    def above(self) -> "Iterator[Location]":
        """Yield the places that it lies in, links followed, the nearest first."""

    @abstractmethod
    def is_file(self) -> bool:
        """Return whether an object lies here."""

    @abstractmethod
    def is_directory(self) -> bool:
        """Return whether this place can hold objects, and exists."""

    @abstractmethod
    def exists(self) -> bool:
        """Return whether anything lies here."""

    @abstractmethod
    def is_read_only(self) -> bool:
        """Return whether this place exists and nothing can be written in it."""

    @abstractmethod
    def size(self) -> int | None:
        """Return the bytes of the object here; None where there is none.

        Raises:
            PermissionError: If it may not be looked at.
        """

    @abstractmethod
    def sizes(self) -> Mapping[str, int]:
        """Return the bytes of the objects directly in this place, by name; all are asked for at once."""

    @abstractmethod
    def stamp(self) -> tuple[int | str, ...]:
        """Return what is different once the object here was written again, whatever date it was given then.

        Raises:
            OSError: If there is none.
        """

    @abstractmethod
    def sha256(self) -> str:
        """Return the sha256 (hex) of the object.

        Raises:
            OSError: If there is none, or it cannot be read.
        """

    @abstractmethod
    def open(self) -> IO[bytes]:
        """Open the object for reading, in whatever order: only what is asked for is read.

        Raises:
            OSError: If there is none, or it cannot be read.
        """

    @abstractmethod
    def read(self) -> bytes:
        """Return the whole object.

        Raises:
            OSError: If there is none, or it cannot be read.
        """

    @abstractmethod
    def at_hand(self) -> "contextlib.AbstractContextManager[Location]":
        """Give a place of this machine with the object, to be read more than once: itself, or a copy that then goes.

        Raises:
            OSError: If there is none, or it cannot be read.
        """

    @abstractmethod
    def children(self, pattern: str = "*") -> "list[Location]":
        """Return what lies directly in this place and matches, by name; hidden names where the pattern begins so."""

    @abstractmethod
    def publishing(self) -> contextlib.AbstractContextManager[IO[bytes]]:
        """Give a file, to be written and read, that takes this place once it is whole; else nothing changes.

        Raises:
            ShardError: If the disk or the store refuses; what was there before is untouched.
        """

    def write(self, data: bytes) -> None:
        """Publish an object: whole, or not at all.

        Raises:
            ShardError: If the disk or the store refuses; what was there before is untouched.
        """
        with self.publishing() as file:
            file.write(data)

    @abstractmethod
    def create(self, data: bytes) -> None:
        """Publish an object where there is none: of several that do so at once, one succeeds.

        Raises:
            FileExistsError: If there is one.
            ShardError: If the disk or the store refuses.
        """

    @abstractmethod
    def append(self, data: bytes) -> None:
        """Add bytes at the end of the object, on the disk when this returns. One writer at a time; not in a store.

        Raises:
            ShardError: If the disk refuses.
        """

    @abstractmethod
    def scratch(self) -> IO[bytes]:
        """Return a file without a name, on the disk of this place where it has one; closed, it is gone.

        Raises:
            OSError: If the disk refuses.
        """

    @abstractmethod
    def make(self) -> None:
        """Make this place, so that objects can lie in it.

        Raises:
            ShardError: If the disk refuses.
        """

    @abstractmethod
    def remove(self) -> None:
        """Remove the object here, if there is one.

        Raises:
            ShardError: If the disk or the store refuses.
        """

    @abstractmethod
    def remove_everything(self) -> None:
        """Remove this place with all that lies in it, if it is there."""

    def remove_temporary(self) -> None:
        """Remove what killed writers left directly in this place."""
        for left in self.children(TEMPORARY):
            left.remove()

    @abstractmethod
    def move_to(self, target: "Location") -> None:
        """Move this place to another address at once, so that a kill leaves no half of it. Not in a store.

        Raises:
            ShardError: If the disk refuses.
        """


@contextlib.contextmanager
def naming(location: Location) -> Iterator[None]:
    """Turn the refusal of a disk into an error that names the object.

    Raises:
        ShardError: Instead of any ``OSError``.
    """
    try:
        yield
    except IsADirectoryError as error:
        raise ShardError(
            f"{location}: cannot be written: a folder stands there; move it away, then run again to go on"
        ) from error
    except OSError as error:
        raise ShardError(
            f"{location}: cannot be written: {error}; finished shards are kept, run again to go on"
        ) from error
