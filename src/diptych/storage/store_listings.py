"""What a listing of a store says: of what lies directly in a place, or of all objects below.

What it tells of objects is kept, so that they need not be asked for one by one. Decides nothing about their names.
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from diptych.addresses import odd_part
from diptych.errors import DataError
from diptych.storage import store_memory
from diptych.storage.location import Location
from diptych.storage.store_clients import asking, connected, known_buckets, known_objects, of_entry

WITHOUT_BUCKETS = ("hf", "memory")  # the first part of an address is none that could be asked for


def list_entries(place: Location, scheme: str, key: str) -> list[Mapping[str, Any]]:
    """Return what lies directly in a place, as fsspec lists it; nothing where no key begins with that of the place.

    Raises:
        DataError: If there is no such bucket, a key is none that a path could say, or the store refuses.
    """
    found: list[Mapping[str, Any]] = []
    is_empty = False
    try:
        with asking(place, "listed"):
            found = connected(scheme).ls(key, detail=True)
        _check_names(place, scheme, key, (entry["name"] + "/" * (entry["type"] == "directory") for entry in found))
    except FileNotFoundError:
        is_empty = True
    own = store_memory.changed_below(scheme, key)  # behind the listing, as another thread may have written meanwhile
    if is_empty and not own:
        _check_bucket(place, scheme, key)
    entries = with_changes(found, key, own)
    objects = {entry["name"].strip("/"): of_entry(entry) for entry in entries if entry["type"] == "file"}
    # Of its own ones a listing may say what they were before.
    known_objects(scheme).update({name: known for name, known in objects.items() if name not in own})
    return entries


def list_below(place: Location, scheme: str, key: str) -> list[str]:
    """Return the keys of all objects below a place, behind its own key, sorted.

    A key that ends in a slash is none: some tools write an empty object so, which stands for a folder.

    Raises:
        DataError: If there is no such bucket, a key is none that a path could say, or the store refuses.
    """
    found: Mapping[str, Mapping[str, Any]] = {}
    with contextlib.suppress(FileNotFoundError), asking(place, "listed"):
        found = connected(scheme).find(key, detail=True)
    files = {name: entry for name, entry in found.items() if entry["type"] == "file" and not name.endswith("/")}
    _check_names(place, scheme, key, files)
    objects = {name.strip("/"): of_entry(entry) for name, entry in files.items()}
    if not objects:
        _check_bucket(place, scheme, key)
    known_objects(scheme).update(objects)
    return sorted(name[len(key) + 1 :] for name in objects if name.startswith(f"{key}/"))


def with_changes(
    found: Sequence[Mapping[str, Any]], place: str, changes: Mapping[str, int | None]
) -> list[Mapping[str, Any]]:
    """Return the entries of a listing with what it may not show yet, and without what it may still show.

    Args:
        found: As fsspec lists what lies directly in a place.
        place: Its key.
        changes: Sizes of objects below it by their keys; None of what was removed.
    """
    named = {entry["name"].strip("/"): entry for entry in found}
    named.pop(place, None)
    for key, size in changes.items():
        name, _, below = key[len(place) + 1 :].partition("/")
        child = f"{place}/{name}"
        if below and size is not None:
            named.setdefault(child, {"name": child, "size": 0, "type": "directory"})
        elif not below and size is None:
            named.pop(child, None)
        elif not below and (child not in named or named[child]["size"] != size):
            named[child] = {"name": child, "size": size, "type": "file"}
    return list(named.values())


def _check_names(place: Location, scheme: str, key: str, names: Iterable[str]) -> None:
    """Refuse keys that would be read as others; one slash at the end is that of a folder."""
    for name in names:
        below = name.removeprefix("/").removeprefix(key).removeprefix("/").removesuffix("/")
        part = odd_part(below) if below or name.endswith("//") else None
        if part is not None:
            raise DataError(f"{place}: the object {scheme}://{name} has {part} in its key; rename or remove it")


def _check_bucket(place: Location, scheme: str, key: str) -> None:
    bucket = key.partition("/")[0]
    if scheme in WITHOUT_BUCKETS or bucket in known_buckets(scheme):
        return
    with asking(place, "listed"):
        is_there = connected(scheme).isdir(bucket)
    if not is_there:
        said = "there is no such bucket, or these credentials do not show it"
        raise DataError(f"{scheme}://{bucket}: {said}; make it, or give another place")
    known_buckets(scheme).add(bucket)
