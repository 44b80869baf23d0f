"""The objects in some places of stores as a file system of fsspec, for DuckDB: it opens those and no others, by ranges.

Registered under a protocol of its own, it lets DuckDB look for no extension and fetch none.
"""

import datetime
from collections.abc import Sequence
from typing import IO, Any

from fsspec import AbstractFileSystem

from diptych.storage.for_duckdb import PROTOCOL
from diptych.storage.object_stores import StoreLocation

WRITTEN_ONCE = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)  # shards do not change, so that no date says anything


class StoreFiles(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """The objects in some places of stores, for reading."""

    protocol = PROTOCOL
    cachable = False

    def __init__(self, places: Sequence[StoreLocation]) -> None:
        """Open nothing yet."""
        super().__init__()
        self._places = tuple(places)

    def open(self, path: str, mode: str = "rb", **_: Any) -> IO[bytes]:
        """Open an object.

        Raises:
            PermissionError: If it lies in none of the places, or is to be written.
        """
        if mode != "rb":
            raise PermissionError(f"{path}: is not written here")
        return self._place(path).open()

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Return the size of a file."""
        return {"name": path, "size": self._place(path).known().size, "type": "file"}

    def glob(self, path: str, **_: Any) -> list[str]:
        """Return the path itself: every file is named."""
        return [path]

    def modified(self, path: str) -> datetime.datetime:
        """Return the same for each."""
        return WRITTEN_ONCE

    def _place(self, path: str) -> StoreLocation:
        scheme, _, key = path.removeprefix(f"{PROTOCOL}://").partition("/")
        place = StoreLocation(scheme, key)
        if ".." in key.split("/") or not any(above in self._places for above in place.above()):
            raise PermissionError(f"{place}: is not read here")
        return place
