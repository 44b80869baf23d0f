"""Copies on this machine of what only a path will do for, such as weights: fetched from a store once for each version.

A copy is known by its address and by what the store says of the version of each object, so that another version is
fetched anew. Decides nothing about what is in it.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from diptych.addresses import Address
from diptych.command_line import shown_progress
from diptych.errors import DataError
from diptych.progress import track
from diptych.progress.wording import format_bytes
from diptych.storage.object_stores import BLOCK_BYTES
from diptych.storage.store_path import StorePath

DIGITS = 16  # hex, of the name of a copy


def kept_copy(address: Address, folder: Path, *, may_fetch: bool = True) -> Path | None:
    """Return the copy of an object, or of all objects below a place, in a folder; fetch it where it is not there yet.

    Args:
        address: In a store.
        folder: Of all copies; made where it is not there.
        may_fetch: Whether it may be fetched; else None is returned for what is not there.

    Raises:
        DataError: If nothing lies there, it cannot be read, or this machine has no room.
    """
    place = StorePath(address)
    objects = _objects(place)
    if not objects:
        raise DataError(f"{place}: nothing lies there; give a file, or a folder with files")
    versions = [[name, *found.location.known()] for name, found in objects.items()]
    digest = hashlib.sha256(repr([str(place), versions]).encode()).hexdigest()[:DIGITS]
    target = folder / digest / place.name
    if target.exists():
        return target
    if not may_fetch:
        return None
    try:
        target.parent.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=folder) as begun:
            copy = Path(begun) / "copy"
            _fetch(place, objects, copy / place.name)
            if not target.exists():  # another process may have been as quick
                _take_place(copy, target.parent)
    except OSError as error:
        raise DataError(f"{place}: cannot be copied to {folder}: {error.strerror or error}; make room there") from error
    return target


def _objects(place: StorePath) -> Mapping[str, StorePath]:
    """Return the objects of a place by their names in it; one alone has none."""
    below = {str(found.relative_to(place)): found for found in place.everything_below()}
    return below or ({"": place} if place.is_file() else {})


def _fetch(place: StorePath, objects: Mapping[str, StorePath], target: Path) -> None:
    size = sum(found.stat().st_size for found in objects.values())
    title = f"fetch {place.name} ({format_bytes(size)})"
    with track(title, size, mode=shown_progress(), unit="bytes") as tracker:
        for name, found in objects.items():
            file = target / name if name else target
            file.parent.mkdir(parents=True, exist_ok=True)
            with found.location.open() as source, file.open("wb") as copy:
                while block := source.read(BLOCK_BYTES):
                    copy.write(block)
                    tracker.advance(len(block))


def _take_place(copy: Path, target: Path) -> None:
    try:
        os.rename(copy, target)
    except OSError:
        if not target.exists():
            raise
        shutil.rmtree(copy)
