"""The clients of object stores: fsspec's file systems, what they have told of objects, and what they refuse."""

import contextlib
import errno
import functools
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from diptych.addresses import STORES
from diptych.errors import DataError, DiptychError, MissingExtra, one_line
from diptych.storage.location import Location

KEPT = "what is finished is kept, run again to go on"
WITHOUT_RIGHTS = re.compile(r"credentials|forbidden|access ?denied|unauthorized|anonymous|\b40[13]\b", re.IGNORECASE)


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
    except FileNotFoundError as error:  # whatever the library says of it
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(place)) from error
    except (DiptychError, FileExistsError):
        raise
    except Exception as error:  # each library has errors of its own
        raise DataError(f"{place}: cannot be {done}: {one_line(error)}; {_remedy(error)}") from error


def _remedy(error: Exception) -> str:
    """Return what to do about a refusal: about one for want of a right, nothing that trying again would mend."""
    if isinstance(error, PermissionError) or WITHOUT_RIGHTS.search(f"{type(error).__name__}: {error}"):
        return f"give credentials that may, as the tools of the store take them; {KEPT}"
    return KEPT


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


def info_of(scheme: str, key: str) -> Mapping[str, Any]:
    """Return what a store says of one object.

    Raises:
        FileNotFoundError: If there is none.
    """
    bucket, _, name = key.partition("/")
    if scheme == "s3" and name:  # by itself the library lists, too, where there is none
        said = connected(scheme).call_s3("head_object", Bucket=bucket, Key=name)
        return {"name": key, "size": said["ContentLength"], "type": "file", "ETag": said.get("ETag", "")}
    found: Mapping[str, Any] = connected(scheme).info(key)
    return found


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
