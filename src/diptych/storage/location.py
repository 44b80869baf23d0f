"""A place where bytes lie, and everything that is done to them there: read, publish whole, append, list, remove.

Today that is a directory tree of this machine. Nothing above this room opens a file of a dataset by itself, so that
another kind of place is one more class here. Decides nothing about what the bytes say.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO

from diptych.addresses import Address, local_path
from diptych.errors import ShardError

TEMPORARY = ".*.tmp"


@dataclass(frozen=True, order=True)
class Location:
    """A place by its address; ``location / name`` is one inside it.

    It is an ``os.PathLike``, since the libraries that read columns (pyarrow, DuckDB) open local files by themselves.
    """

    path: Path

    @classmethod
    def at(cls, address: Address) -> "Location":
        """Return the location of an address.

        Raises:
            DataError: If the address has a scheme, such as ``s3://bucket/name``.
        """
        return address if isinstance(address, Location) else cls(local_path(address))

    def __truediv__(self, name: str) -> "Location":
        """Return the place of a name inside this one."""
        return Location(self.path / name)

    def __str__(self) -> str:
        """Return the address, as messages show it."""
        return str(self.path)

    def __fspath__(self) -> str:
        """Return the path of the local file."""
        return str(self.path)

    @property
    def name(self) -> str:
        """Its last part."""
        return self.path.name

    @property
    def parent(self) -> "Location":
        """The place that it lies in."""
        return Location(self.path.parent)

    def is_file(self) -> bool:
        """Return whether an object lies here."""
        return self.path.is_file()

    def is_directory(self) -> bool:
        """Return whether this place can hold objects, and exists."""
        return self.path.is_dir()

    def exists(self) -> bool:
        """Return whether anything lies here."""
        return self.path.exists()

    def is_read_only(self) -> bool:
        """Return whether this place exists and nothing can be written in it."""
        return self.path.exists() and not os.access(self.path, os.W_OK)

    def size(self) -> int | None:
        """Return the bytes of the object here; None where there is none.

        Raises:
            PermissionError: If it may not be looked at.
        """
        try:
            return self.path.stat().st_size if self.path.is_file() else None
        except PermissionError:
            raise
        except OSError:
            return None

    def stamp(self) -> tuple[int, ...]:
        """Return what is different once the object here was written again, whatever date it was given then.

        Raises:
            OSError: If there is none.
        """
        stat = self.path.stat()
        return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns

    def sha256(self) -> str:
        """Return the sha256 (hex) of the object.

        Raises:
            OSError: If there is none, or it cannot be read.
        """
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def open(self) -> IO[bytes]:
        """Open the object for reading.

        Raises:
            OSError: If there is none, or it cannot be read.
        """
        return self.path.open("rb")

    def read(self) -> bytes:
        """Return the whole object.

        Raises:
            OSError: If there is none, or it cannot be read.
        """
        return self.path.read_bytes()

    def children(self, pattern: str = "*") -> "list[Location]":
        """Return what lies directly in this place and matches, by name; hidden names where the pattern begins so."""
        try:
            names = sorted(os.listdir(self.path))
        except (FileNotFoundError, NotADirectoryError):
            return []
        shown = (name for name in names if pattern.startswith(".") or not name.startswith("."))
        return [self / name for name in shown if fnmatchcase(name, pattern)]

    @contextlib.contextmanager
    def publishing(self) -> Iterator[IO[bytes]]:
        """Give a file, to be written and read, that takes this place once it is whole; else nothing changes.

        Raises:
            ShardError: If the disk refuses; what was there before is untouched.
        """
        temporary = self.path.with_name(f".{self.name}.{os.getpid()}.tmp")
        try:
            with naming(self):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with temporary.open("w+b") as file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, self.path)
                _sync_directory(self.path.parent)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        """Publish an object: whole, or not at all.

        Raises:
            ShardError: If the disk refuses; what was there before is untouched.
        """
        with self.publishing() as file:
            file.write(data)

    def append(self, data: bytes) -> None:
        """Add bytes at the end of the object, on the disk when this returns. One writer at a time.

        Raises:
            ShardError: If the disk refuses.
        """
        with naming(self), self.path.open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def scratch(self) -> IO[bytes]:
        """Return a file without a name on the disk of this place, for whoever writes here; closed, it is gone.

        Raises:
            OSError: If the disk refuses.
        """
        return tempfile.TemporaryFile(dir=self.path)

    def make(self) -> None:
        """Make this place, so that objects can lie in it.

        Raises:
            ShardError: If the disk refuses.
        """
        with naming(self):
            self.path.mkdir(parents=True, exist_ok=True)

    def remove(self) -> None:
        """Remove the object here, if there is one.

        Raises:
            ShardError: If the disk refuses.
        """
        with naming(self):
            self.path.unlink(missing_ok=True)

    def remove_everything(self) -> None:
        """Remove this place with all that lies in it, if it is there."""
        shutil.rmtree(self.path, ignore_errors=True)

    def remove_temporary(self) -> None:
        """Remove what killed writers left directly in this place."""
        for left in self.children(TEMPORARY):
            left.remove()

    def move_to(self, target: "Location") -> None:
        """Move this place to another address at once, so that a kill leaves no half of it under either name.

        Raises:
            ShardError: If the disk refuses.
        """
        with naming(target):
            self.path.rename(target.path)
            _sync_directory(target.path.parent)


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


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
