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
OF_RANGES = {"hf": {"cache_type": "none"}}  # by itself its library reads 5 MiB ahead of each range
REPLACED = ("412", "PreconditionFailed", "416", "InvalidRange")  # codes of S3: by another object, or a shorter one
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


def read_range(place: Location, scheme: str, key: str, stretch: tuple[int, int], stamp: str) -> bytes:
    """Return the bytes of an object from one place to another; of S3, only while it is the one that was looked at.

    Args:
        place: What messages name.
        scheme: The kind of store.
        key: Of the object.
        stretch: Its first byte, and the one behind its last.
        stamp: What ``KnownObject`` has of it.

    Raises:
        FileNotFoundError: If there is none.
        DataError: If it was replaced since, or the store refuses.
    """
    start, stop = stretch
    with asking(place, "read"):
        if scheme != "s3" or not stamp:
            found: bytes = connected(scheme).cat_file(key, start=start, end=stop, **OF_RANGES.get(scheme, {}))
            return found
        try:
            return _read_matching(key, start, stop, stamp)
        except OSError as error:
            said = getattr(error.__cause__, "response", {}).get("Error", {})
            if said.get("Code") not in REPLACED:
                raise
            known_objects(scheme).pop(key, None)
            raise DataError(f"{place}: was replaced while it was read; {KEPT}") from error


def _read_matching(key: str, start: int, stop: int, stamp: str) -> bytes:
    """Return a range of an object of S3 that still has an ETag; its library asks for ranges without one."""
    from fsspec.asyn import sync
    from s3fs.core import S3_RETRYABLE_ERRORS  # type: ignore[import-untyped]

    store = connected("s3")
    bucket, _, name = key.partition("/")
    for left in reversed(range(store.retries)):
        said = store.call_s3("get_object", Bucket=bucket, Key=name, Range=f"bytes={start}-{stop - 1}", IfMatch=stamp)
        try:
            found: bytes = sync(store.loop, said["Body"].read)
            return found
        except S3_RETRYABLE_ERRORS:  # cut while it was sent
            if not left:
                raise
        finally:
            said["Body"].close()
    raise AssertionError


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
