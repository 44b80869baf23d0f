"""Which files of a folder a table means by the paths that it wrote, here or on another machine.

A written folder is one folder here: that by whose path, the way to the source included, it ends furthest. So every
folder between the source and a file has to stand in the path that was written, and a lost image is not taken for that
of another run. What was copied is one tree: where ``/out/flux`` is ``flux``, ``/out/sd`` is ``sd`` or is not there.
"""

import posixpath
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import NamedTuple

from diptych.generate.imported.found_images import SourceFolder

Parts = tuple[str, ...]

HERE, ABOVE = ".", ".."  # what a written path begins from, beside "/" and a drive
DRIVE = re.compile(r"[A-Za-z]:(?=/)")


class _Written(NamedTuple):
    """A folder that was written: what its path begins from, and its parts."""

    start: str
    parts: Parts


class _Place(NamedTuple):
    """A folder of the source that a written one may be.

    Attributes:
        parts: Its path within the source.
        shared: Parts at the end that its whole path and the written one have in common.
        copied: How many parts of the written one are the source.
    """

    parts: Parts
    shared: int
    copied: int


def find_named(source: SourceFolder, written: Iterable[str]) -> dict[str, str]:
    """Return the name within a folder of each path that was written; the path itself where its file is not there.

    Signs may be composed in another way there than here, as a Mac composes those of names.
    """
    composed = {unicodedata.normalize("NFC", name): name for name in source.names}
    source = replace(source, names=tuple(composed))
    parted = {path: _parted(path) for path in written}
    files: dict[_Written, set[str]] = defaultdict(set)
    for folder, name in parted.values():
        files[folder].add(name)
    places = _own_places(_copied_trees(_places(source, files)))
    named = {path: _name(places[folder], name) for path, (folder, name) in parted.items() if folder in places}
    meant = {(named[path], parted[path]) for path in named}
    counts = Counter(name for name, _ in meant)
    sure = {path: name for path, name in named.items() if name in source.known and counts[name] == 1}
    return {path: composed[sure[path]] if path in sure else path.replace("\\", "/") for path in parted}


def _parted(path: str) -> tuple[_Written, str]:
    plain = posixpath.normpath(unicodedata.normalize("NFC", path).replace("\\", "/"))
    drive = DRIVE.match(plain)
    parts = [part for part in plain[drive.end() if drive else 0 :].split("/") if part]
    start = drive[0] if drive else "/" if plain.startswith("/") else ABOVE if parts[0] == ABOVE else HERE
    inner = [part for part in parts if part not in (HERE, ABOVE)]
    return _Written(start, tuple(inner[:-1])), inner[-1] if inner else ""


def _name(place: _Place, name: str) -> str:
    return "/".join((*place.parts, name))


def _places(source: SourceFolder, files: Mapping[_Written, set[str]]) -> dict[_Written, _Place]:
    """Return the folder that each written one is, where one is the likeliest and has files that are named in it."""
    folders = {PurePosixPath(folder).parts for folder in {posixpath.dirname(name) for name in source.names}}
    folders = {folder[:depth] for folder in folders for depth in range(len(folder) + 1)}
    above = source.root.resolve().parts
    found = {}
    for written, names in files.items():
        possible = list(_possible(written, folders, above))
        most = max(place.shared for place in possible)
        first = [place for place in possible if place.shared == most]
        holding = [place for place in first if any(_name(place, name) in source.known for name in names)]
        if len(holding) == 1:
            found[written] = holding[0]
    return found


def _possible(written: _Written, folders: set[Parts], above: Parts) -> Iterator[_Place]:
    for copied in range(len(written.parts) + 1):
        ending = written.parts[copied:]
        if ending in folders or not ending:
            is_as_written = written.start == HERE and copied == 0
            further = len(above) + 1 if is_as_written else _shared(written.parts[:copied], above)
            yield _Place(ending, len(ending) + further, copied)


def _shared(one: Parts, other: Parts) -> int:
    pairs = enumerate(zip(reversed(one), reversed(other), strict=False))
    return next((count for count, (mine, theirs) in pairs if mine != theirs), min(len(one), len(other)))


def _copied_trees(places: Mapping[_Written, _Place]) -> dict[_Written, _Place]:
    """Return the places without those of folders that lie in a tree of which another folder says where it is."""
    trees = {(written.start, written.parts[: place.copied]) for written, place in places.items()}
    return {
        written: place
        for written, place in places.items()
        if not any((written.start, written.parts[:depth]) in trees for depth in range(place.copied))
    }


def _own_places(places: Mapping[_Written, _Place]) -> dict[_Written, _Place]:
    """Return the places without those that another written folder is more surely."""
    most: dict[Parts, int] = defaultdict(int)
    for place in places.values():
        most[place.parts] = max(most[place.parts], place.shared)
    return {written: place for written, place in places.items() if place.shared == most[place.parts]}
