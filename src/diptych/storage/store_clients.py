"""The clients of object stores: fsspec's file systems, what they have told of objects, and what they refuse."""

import contextlib
import functools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from diptych.addresses import STORES
from diptych.errors import DataError, DiptychError, MissingExtra, one_line
from diptych.storage.location import Location


class KnownObject(NamedTuple):
    """What a listing, or the store, says of an object."""

    size: int
    stamp: str


@contextlib.contextmanager
def asking(place: Location, done: str) -> Iterator[None]:
    """Tell a refusal of a store from what is not there.

    Args:
        place: What it is asked about.
        done: What is done there, for the message.

    Raises:
        DataError: For anything but a missing or an existing object.
    """
    try:
        yield
    except (DiptychError, FileNotFoundError, FileExistsError):
        raise
    except Exception as error:  # each library has errors of its own
        said = f"cannot be {done}: {one_line(error)}"
        raise DataError(f"{place}: {said}; what is finished is kept, run again to go on") from error


@functools.cache
def connected(scheme: str) -> Any:
    """Return fsspec's file system of a kind of store, once per process.

    Raises:
        MissingExtra: If what reaches it is not installed.
    """
    import fsspec

    try:
        return fsspec.filesystem(scheme, use_listings_cache=False)
    except ImportError as error:
        raise MissingExtra(STORES[scheme].extra, STORES[scheme].module) from error


@functools.cache
def known_objects(_scheme: str) -> dict[str, KnownObject]:
    """Return what listings have told of the objects of a kind of store, by key."""
    return {}


@functools.cache
def known_buckets(_scheme: str) -> set[str]:
    """Return the buckets of a kind of store that are known to be there."""
    return set()


def of_entry(entry: Mapping[str, Any]) -> KnownObject:
    """Return what an entry of a listing says of an object."""
    stamps = (entry.get(name) for name in ("ETag", "etag", "LastModified", "created", "blob_id"))
    return KnownObject(int(entry["size"]), str(next((stamp for stamp in stamps if stamp), "")))
