"""What DuckDB may read, and what it calls that: files of this machine by their paths, those of a store through here."""

import os
from collections.abc import Sequence
from typing import Any

from diptych.lookup import import_attribute
from diptych.storage.location import Location
from diptych.storage.object_stores import StoreLocation

PROTOCOL = "diptych-store"  # of the file system through which it reads objects of stores


def duckdb_name(file: Location) -> str:
    """Return what a file is called in SQL: its real path, or scheme and key under our own protocol."""
    if isinstance(file, StoreLocation):
        return f"{PROTOCOL}://{file.scheme}/{file.key}"
    return os.path.realpath(file)


def open_places(con: Any, places: Sequence[Location]) -> list[str]:
    """Let a connection reach the stores of some places; return the directories that it is to be allowed to read."""
    stores = [place for place in places if place.is_store]
    if stores:
        con.register_filesystem(import_attribute("diptych.storage.store_files:StoreFiles")(stores))
    return [f"{duckdb_name(place)}/" if place.is_store else duckdb_name(place) for place in places]
