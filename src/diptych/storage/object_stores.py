"""An object store as a place, through fsspec: objects by their keys, read by ranges, written whole in one upload.

A name in it is a key behind the key of its place; there are no folders, only keys that begin alike. How a store is
reached (credentials, region, endpoint) is a matter of its library and of the environment. What it refuses is never
taken for what is missing: after its library has tried again as often as it does, an error ends the run.
"""

import contextlib
import errno
import functools
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any, cast

from diptych.addresses import STORES, Address, store_of
from diptych.errors import DataError, ShardError
from diptych.storage import store_memory
from diptych.storage.local_files import LocalLocation
from diptych.storage.location import Location, naming
from diptych.storage.ranged_file import TAIL_BYTES, RangedFile
from diptych.storage.store_clients import (
    KnownObject,
    asking,
    connected,
    info_of,
    known_objects,
    of_entry,
    read_range,
)
from diptych.storage.store_listings import list_below, list_entries

BLOCK_BYTES = 16 * 2**20
TAILS = 512  # ends of files that a process remembers: 32 MiB
WHOLE = {"s3": {"max_concurrency": 1}}  # with more, its library asks for the size first
MAGIC = re.compile(r"[*?[]")


@dataclass(frozen=True)
class StoreLocation(Location):
    """A place in an object store.

    Attributes:
        scheme: Of its address, a key of ``STORES``.
        key: Bucket and name, without slashes at its ends.
    """

    scheme: str
    key: str

    @classmethod
    def of(cls, address: Address) -> "StoreLocation":
        """Return the location of an address with the scheme of a store.

        Raises:
            MissingExtra: If what reaches it is not installed.
        """
        scheme = store_of(address)
        assert scheme is not None, f"{address}: no address of a store"
        connected(scheme)
        return cls(scheme, os.fspath(address).partition("://")[2].strip("/"))

    @property
    def is_store(self) -> bool:
        """True."""
        return True

    def __truediv__(self, name: str) -> "StoreLocation":
        """Return the place of a name inside this one."""
        return StoreLocation(self.scheme, f"{self.key}/{name}".strip("/"))

    def __str__(self) -> str:
        """Return the address."""
        return f"{self.scheme}://{self.key}"

    @property
    def name(self) -> str:
        """The last part of its key."""
        return self.key.rpartition("/")[2]

    @property
    def parent(self) -> "StoreLocation":
        """The place that its key is in; itself where that is a bucket."""
        return StoreLocation(self.scheme, self.key.rpartition("/")[0] or self.key)

    def above(self) -> Iterator[Location]:
        """Yield the places that its key is in, the nearest first, the bucket last."""
        place = self
        while place.parent != place:
            place = place.parent
            yield place

    def is_file(self) -> bool:
        """Return whether an object has this key."""
        return self.size() is not None

    def is_directory(self) -> bool:
        """Return whether keys begin with this one."""
        return bool(self._entries())

    def exists(self) -> bool:
        """Return whether an object has this key, or keys begin with it."""
        return self.is_file() or self.is_directory()

    def is_read_only(self) -> bool:
        """Return whether nothing is written in a store of this kind."""
        return STORES[self.scheme].is_read_only

    def size(self) -> int | None:
        """Return the bytes of the object; None where there is none."""
        known = store_memory.size(self.scheme, self.key)
        if known is not None:
            return known
        try:
            info = store_memory.answer("info", self.scheme, self.key, self._info)
            return int(info["size"]) if info["type"] == "file" else None
        except FileNotFoundError:
            return None

    def sizes(self) -> Mapping[str, int]:
        """Return the bytes of the objects directly in this place, by name, from one listing."""
        return {entry["name"].rpartition("/")[2]: entry["size"] for entry in self._entries() if entry["type"] == "file"}

    def stamp(self) -> tuple[int | str, ...]:
        """Return the size and what the store says of the version of the object."""
        return tuple(self.known())

    def sha256(self) -> str:
        """Return the sha256 (hex) of the object, which is read a block at a time."""
        digest = hashlib.sha256()
        with self.open() as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
        return digest.hexdigest()

    def open(self) -> IO[bytes]:
        """Open the object for reading by ranges; in S3 one that is replaced meanwhile is no longer read."""
        known = self.known()
        read = functools.partial(self._read_range, known)
        return cast(IO[bytes], RangedFile(known.size, read, functools.partial(_tail, self, known)))

    def read(self) -> bytes:
        """Return the whole object."""
        return store_memory.content(self.scheme, self.key, self._read)

    @contextlib.contextmanager
    def at_hand(self) -> Iterator[Location]:
        """Give a copy on this machine, which is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="diptych-") as folder:
            copy = Path(folder) / self.name
            with asking(self, "read"):
                self._fs.get_file(self.key, str(copy))
            yield LocalLocation(copy)

    def children(self, pattern: str = "*") -> list[Location]:
        """Return what lies directly in this place and matches, by name; hidden names where the pattern begins so."""
        names = sorted(entry["name"].rstrip("/").rpartition("/")[2] for entry in self._entries())
        shown = (name for name in names if pattern.startswith(".") or not name.startswith("."))
        return [self / name for name in shown if fnmatchcase(name, pattern)]

    @contextlib.contextmanager
    def publishing(self) -> Iterator[IO[bytes]]:
        """Give a file of this machine, to be written and read, that is uploaded once it is whole."""
        self._check_writable()
        with naming(self), tempfile.NamedTemporaryFile(prefix="diptych-") as file:
            yield file.file
            file.flush()
            with asking(self, "written"):
                self._fs.put_file(file.name, self.key)
                self._wrote(os.stat(file.name).st_size)

    def create(self, data: bytes) -> None:
        """Publish an object where there is none: of several that do so at once, one succeeds."""
        self._check_writable()
        try:
            with asking(self, "written"):
                self._fs.pipe_file(self.key, data, mode="create")
        except FileExistsError:
            self._wrote(len(data))
            raise
        except DataError as error:  # not every library tells this one from others
            known = self.look()
            if known is None:
                raise
            self._wrote(known.size)
            raise FileExistsError(str(self)) from error
        self._wrote(len(data))

    def append(self, data: bytes) -> None:
        """Refuse: a store adds nothing to an object."""
        raise NotImplementedError(f"{self}: nothing is added to an object of a store")

    def scratch(self) -> IO[bytes]:
        """Return a file without a name, among the temporary files of this machine."""
        return tempfile.TemporaryFile()

    def make(self) -> None:
        """Do nothing: a key needs no folder. A bucket is made by whoever owns it."""
        self._check_writable()

    def remove(self) -> None:
        """Remove the object, if there is one."""
        self._check_writable()
        with contextlib.suppress(FileNotFoundError), asking(self, "removed"):
            self._fs.rm_file(self.key)
        self._wrote(None)

    def remove_everything(self) -> None:
        """Remove every object whose key begins with this one."""
        self._check_writable()
        with contextlib.suppress(FileNotFoundError), asking(self, "removed"):
            own = store_memory.changed_below(self.scheme, self.key)
            names = sorted({*self._fs.find(self.key), *(key for key, size in own.items() if size is not None)})
            if names and not MAGIC.search("".join(names)):
                self._fs.rm(names)  # many objects by one request
            else:  # it would take a key for a pattern
                for name in names:
                    self._fs.rm_file(name)
        store_memory.removed_all(self.scheme, self.key)

    def remove_temporary(self) -> None:
        """Do nothing: what was not uploaded whole is not there."""

    def move_to(self, target: Location) -> None:
        """Refuse: a store moves nothing at once."""
        raise NotImplementedError(f"{self}: nothing is moved in a store")

    @property
    def _fs(self) -> Any:
        return connected(self.scheme)

    def _read(self) -> bytes:
        with asking(self, "read"):
            return cast(bytes, self._fs.cat_file(self.key, **WHOLE.get(self.scheme, {})))

    def _wrote(self, size: int | None) -> None:
        known_objects(self.scheme).pop(self.key, None)
        store_memory.wrote(self.scheme, self.key, size)

    def _info(self) -> Mapping[str, Any]:
        with asking(self, "looked at"):
            return info_of(self.scheme, self.key)

    def known(self) -> KnownObject:
        """Return what is known of the object; of a listed one without asking again.

        Raises:
            FileNotFoundError: If there is none.
        """
        found = known_objects(self.scheme).get(self.key)
        if found is None:
            info = self._info()
            if info["type"] != "file":
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self))
            found = of_entry(info)
            if store_memory.is_held():
                known_objects(self.scheme)[self.key] = found
        return found

    def look(self) -> KnownObject | None:
        """Ask what the object is now, and return it; None where there is none."""
        known = known_objects(self.scheme)
        known.pop(self.key, None)
        with contextlib.suppress(FileNotFoundError):
            info = self._info()
            if info["type"] == "file":
                known[self.key] = of_entry(info)
        return known.get(self.key)

    def listed(self) -> Mapping[str, bool]:
        """Return what lies directly here, and whether it is an object, from one listing."""
        return {entry["name"].rstrip("/").rpartition("/")[2]: entry["type"] == "file" for entry in self._entries()}

    def below(self) -> list[str]:
        """Return the keys of all objects below, behind the key of this place and sorted, from one listing."""
        return list_below(self, self.scheme, self.key)

    def _entries(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = store_memory.answer(
            "entries", self.scheme, self.key, lambda: list_entries(self, self.scheme, self.key)
        )
        return found

    def _read_range(self, known: KnownObject, start: int, stop: int) -> bytes:
        return read_range(self, self.scheme, self.key, (start, stop), known.stamp)

    def _check_writable(self) -> None:
        if self.is_read_only():
            raise ShardError(f"{self}: nothing is written in {self.scheme}://; give another place")


@functools.lru_cache(maxsize=TAILS)
def _tail(place: StoreLocation, known: KnownObject) -> bytes:
    """Return the end of an object, as it is at a stamp."""
    return place._read_range(known, max(0, known.size - TAIL_BYTES), known.size)
