"""A store of results that lies in an object store: fetched whole, used as a file of this machine, and uploaded whole.

DuckDB reads and writes files in place, which no object store can. So there is a copy for as long as the store is open.
Decides nothing about what is in it.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from diptych.command_line import shown_progress
from diptych.errors import StoreError, StoreInUse
from diptych.progress import track
from diptych.progress.wording import format_bytes
from diptych.storage.location import Location
from diptych.storage.object_stores import BLOCK_BYTES, StoreLocation
from diptych.storage.store_clients import KnownObject
from diptych.store.seal import break_seal, seal_of


class FetchedStore:
    """The copy of a store.

    Attributes:
        place: Where the store lies.
        path: The copy; nothing is there where there is no store yet.
    """

    def __init__(self, place: StoreLocation, *, read_only: bool) -> None:
        """Fetch it, with its seal.

        Raises:
            DataError: If it cannot be read.
            StoreError: If it is to be read, and not there.
        """
        self.place = place
        self._fetched = place.look()
        if read_only and self._fetched is None:
            raise StoreError(f"{place}: no such store; make it with: diptych evaluate run CONFIG")
        self._folder = tempfile.TemporaryDirectory(prefix="diptych-")
        self.path = Path(self._folder.name) / place.name
        self._sha256 = ""
        if self._fetched is not None:
            self._fetch(self._fetched)

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Remove the copy where it cannot be opened, and call the store by its address in what is said of it.

        Raises:
            StoreError: In the place of one that says where the copy lay.
        """
        try:
            yield
        except StoreError as error:
            self.drop()
            raise type(error)(str(error).replace(str(self.path), str(self.place))) from error
        except BaseException:
            self.drop()
            raise

    def publish(self) -> None:
        """Upload the copy and its seal, if it is another than was fetched.

        Raises:
            DataError: If the object store refuses; what was there before is there still.
            StoreInUse: If somebody else has written the store since it was fetched.
        """
        copy = Location.at(self.path)
        sha256 = copy.sha256()
        if sha256 == self._sha256:
            return
        if self.place.look() != self._fetched:
            raise StoreInUse(f"{self.place}: somebody else has written it meanwhile; run again")
        break_seal(self.place)  # killed from here on, it has none: whoever wrote it last was stopped
        with self.place.publishing() as target, self.path.open("rb") as source:
            while block := source.read(BLOCK_BYTES):
                target.write(block)
        seal_of(self.place).write(seal_of(copy).read())
        self._sha256, self._fetched = sha256, self.place.look()

    def drop(self) -> None:
        """Remove the copy."""
        self._folder.cleanup()

    def _fetch(self, known: KnownObject) -> None:
        title = f"fetch {self.place.name} ({format_bytes(known.size)})"
        with (
            track(title, known.size, mode=shown_progress(), unit="bytes") as tracker,
            self.place.open() as source,
            self.path.open("wb") as target,
        ):
            while block := source.read(BLOCK_BYTES):
                target.write(block)
                tracker.advance(len(block))
        seal = seal_of(self.place)
        if seal.is_file():
            seal_of(Location.at(self.path)).write(seal.read())
        self._sha256 = Location.at(self.path).sha256()
