"""A folder or a file of this machine as a place. What is written takes its name only once it is whole, on the disk."""

import contextlib
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO

from diptych.addresses import Address, local_path
from diptych.errors import ShardError
from diptych.storage.location import Location, naming


@dataclass(frozen=True)
class LocalLocation(Location):
    """A place of this machine by its path. Libraries that read columns (pyarrow, DuckDB) open its files themselves."""

    path: Path

    @classmethod
    def of(cls, address: Address) -> "LocalLocation":
        """Return the location of a path.

        Raises:
            DataError: If the address has a scheme.
        """
        return cls(local_path(address))

    @property
    def is_store(self) -> bool:
        """False."""
        return False

    def __truediv__(self, name: str) -> "LocalLocation":
        """Return the place of a name inside this one."""
        return LocalLocation(self.path / name)

    def __str__(self) -> str:
        """Return the path."""
        return str(self.path)

    @property
    def name(self) -> str:
        """Its last part."""
        return self.path.name

    @property
    def parent(self) -> "LocalLocation":
        """The folder that it lies in."""
        return LocalLocation(self.path.parent)

    def above(self) -> Iterator[Location]:
        """Yield the folders that it lies in, links followed, the nearest first."""
        yield from map(LocalLocation, self.path.resolve().parents)

    def is_file(self) -> bool:
        """Return whether a file lies here."""
        return self.path.is_file()

    def is_directory(self) -> bool:
        """Return whether a folder lies here."""
        return self.path.is_dir()

    def exists(self) -> bool:
        """Return whether anything lies here."""
        return self.path.exists()

    def is_read_only(self) -> bool:
        """Return whether this place exists and nothing can be written in it."""
        return self.path.exists() and not os.access(self.path, os.W_OK)

    def size(self) -> int | None:
        """Return the bytes of the file here; None where there is none."""
        try:
            return self.path.stat().st_size if self.path.is_file() else None
        except PermissionError:
            raise
        except OSError:
            return None

    def sizes(self) -> Mapping[str, int]:
        """Return the bytes of the files in this folder, by name; without those that ``size`` alone can say more of."""
        found = {}
        with (
            contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError),
            os.scandir(self.path) as entries,
        ):
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.is_file():
                        found[entry.name] = entry.stat().st_size
        return found

    def stamp(self) -> tuple[int | str, ...]:
        """Return what is different once the file here was written again, whatever date it was given then."""
        stat = self.path.stat()
        return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns

    def sha256(self) -> str:
        """Return the sha256 (hex) of the file."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def open(self) -> IO[bytes]:
        """Open the file for reading."""
        return self.path.open("rb")

    def read(self) -> bytes:
        """Return the whole file."""
        return self.path.read_bytes()

    @contextlib.contextmanager
    def at_hand(self) -> Iterator[Location]:
        """Give this place itself."""
        yield self

    def children(self, pattern: str = "*") -> list[Location]:
        """Return what lies directly in this folder and matches, by name; hidden names where the pattern begins so."""
        try:
            names = sorted(os.listdir(self.path))
        except (FileNotFoundError, NotADirectoryError):
            return []
        shown = (name for name in names if pattern.startswith(".") or not name.startswith("."))
        return [self / name for name in shown if fnmatchcase(name, pattern)]

    @contextlib.contextmanager
    def publishing(self) -> Iterator[IO[bytes]]:
        """Give a file, to be written and read, that takes this place once it is whole; else nothing changes."""
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

    def create(self, data: bytes) -> None:
        """Publish a file where there is none: of several that do so at once, one succeeds."""
        temporary = self.parent / f".{self.name}.{os.getpid()}.{threading.get_ident()}.tmp"
        temporary.write(data)
        try:
            os.link(temporary, self.path)
            _sync_directory(self.path.parent)
        except FileExistsError:
            raise
        except OSError as error:
            said = f"{error.strerror}; a disk that knows hard links is needed where several write at once"
            raise ShardError(f"{self}: cannot be written: {said}") from error
        finally:
            temporary.remove()

    def append(self, data: bytes) -> None:
        """Add bytes at the end of the file, on the disk when this returns. One writer at a time."""
        with naming(self), self.path.open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def scratch(self) -> IO[bytes]:
        """Return a file without a name on the disk of this folder, for whoever writes here; closed, it is gone."""
        return tempfile.TemporaryFile(dir=self.path)

    def make(self) -> None:
        """Make this folder."""
        with naming(self):
            self.path.mkdir(parents=True, exist_ok=True)

    def remove(self) -> None:
        """Remove the file here, if there is one."""
        with naming(self):
            self.path.unlink(missing_ok=True)

    def remove_everything(self) -> None:
        """Remove this folder with all that lies in it, if it is there."""
        shutil.rmtree(self.path, ignore_errors=True)

    def move_to(self, target: Location) -> None:
        """Move this place to another path at once, so that a kill leaves no half of it under either name."""
        with naming(target):
            self.path.rename(target)
            _sync_directory(Path(target).parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
