"""An address of a user's as a path to read from, for code that reads files by their paths: of this machine, or a store.

A path in a store has the names of ``pathlib`` for what is read (``open``, ``iterdir``, ``is_file``, ...), and nothing
that writes. Decides nothing about what lies there.
"""

import hashlib
import io
import stat
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, cast

from diptych.addresses import STORES, Address, place_of, store_of
from diptych.storage.object_stores import StoreLocation

BUFFER_BYTES = 8 * 2**20  # that a stream asks a store for at once
VERSION_DIGITS = 15  # hex: a number that SQLite has


class StoreStat(NamedTuple):
    """What is known of an object, by the names that ``os.stat`` has for it; its version stands for the inode.

    What has no version has another time whenever it is looked at, so that nothing is remembered of it.
    """

    st_mode: int
    st_size: int
    st_ino: int
    st_mtime_ns: int = 0
    st_ctime_ns: int = 0


class StorePath(PurePosixPath):
    """A path in a store; its text is the address. What a listing has shown knows whether it is an object."""

    _was_listed_as: bool | None = None

    def __str__(self) -> str:
        """Return the address, whose second slash a path swallows."""
        text = super().__str__()
        scheme, _, key = text.partition(":/")
        return f"{scheme}://{key}" if scheme in STORES else text

    def __fspath__(self) -> str:
        """Return the address."""
        return str(self)

    @property
    def location(self) -> StoreLocation:
        """The place as what is above this room knows it.

        Raises:
            FileNotFoundError: If it is none of a store, as what a path beside it leads to.
        """
        if store_of(self) is None:
            raise FileNotFoundError(f"{self}: no place in a store")
        return StoreLocation.of(self)

    def is_file(self) -> bool:
        """Return whether an object lies here."""
        if self._was_listed_as is not None:
            return self._was_listed_as
        return store_of(self) is not None and self.location.look() is not None

    def is_dir(self) -> bool:
        """Return whether objects lie below."""
        return store_of(self) is not None and self._was_listed_as is not True and self.location.is_directory()

    def exists(self) -> bool:
        """Return whether anything lies here."""
        return self.is_file() or self.is_dir()

    def stat(self) -> StoreStat:
        """Return kind and size; of an object that was listed, or looked at, without asking again.

        Raises:
            FileNotFoundError: If there is no object.
        """
        known = self.location.known()
        version = int(hashlib.sha256(known.stamp.encode()).hexdigest()[:VERSION_DIGITS], 16)
        return StoreStat(stat.S_IFREG, known.size, version, st_ctime_ns=0 if known.stamp else time.time_ns())

    lstat = stat

    def absolute(self) -> "StorePath":
        """Return the path: every address is whole."""
        return self

    def resolve(self) -> "StorePath":
        """Return the path: a store has no links."""
        return self

    def iterdir(self) -> "Iterator[StorePath]":
        """Yield what lies directly here, by name, from one listing."""
        return (self._child(name, is_file) for name, is_file in sorted(self.location.listed().items()))

    def glob(self, pattern: str) -> "Iterator[StorePath]":
        """Yield what lies directly here and matches a pattern of names, by name, from one listing."""
        return (child for child in self.iterdir() if fnmatchcase(child.name, pattern))

    def everything_below(self) -> "Iterator[StorePath]":
        """Yield all objects below, from one listing."""
        return (self._child(name, is_file=True) for name in self.location.below())

    def open(self, mode: str = "rb", buffering: int = BUFFER_BYTES, **options: Any) -> Any:
        """Open the object for reading, as bytes or as text.

        Args:
            mode: As of ``open``.
            buffering: Bytes that the store is asked for at once; 0 asks for those alone that are read.
            options: Of ``io.TextIOWrapper``, for text.

        Raises:
            FileNotFoundError: If there is none.
        """
        if mode not in ("r", "rt", "rb"):
            raise io.UnsupportedOperation(f"{self}: is only read here")
        if not buffering:
            return self.location.open()
        whole = io.BufferedReader(cast(io.RawIOBase, self.location.open()), buffering)
        return whole if mode == "rb" else io.TextIOWrapper(whole, **options)

    def read_bytes(self) -> bytes:
        """Return the whole object.

        Raises:
            FileNotFoundError: If there is none.
        """
        return self.location.read()

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        """Return the whole object as text.

        Raises:
            FileNotFoundError: If there is none.
        """
        with self.open("r", encoding=encoding, errors=errors) as file:
            return cast(str, file.read())

    def _child(self, name: str, is_file: bool) -> "StorePath":
        child = self / name
        child._was_listed_as = is_file
        return child


ReadPath = Path | StorePath


def read_path(address: Address) -> ReadPath:
    """Return the path of what a user names to be read.

    Raises:
        DataError: As ``place_of``.
        MissingExtra: If what reaches that kind of store is not installed.
    """
    place = place_of(address)
    if store_of(place) is None:
        return Path(place)
    StoreLocation.of(place)
    return StorePath(place)


def listed_path(name: Address) -> ReadPath:
    """Return the path of what was listed, whose name is taken as it is.

    >>> listed_path("~a:b").name, str(listed_path("s3://bucket/a") / "b")
    ('~a:b', 's3://bucket/a/b')
    """
    return Path(name) if store_of(name) is None else StorePath(name)
