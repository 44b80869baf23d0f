"""A dataset directory as one object: its manifest, its shards, and the column sets beside them.

The layout is DATASET/dataset.json, data/, and beside them scores/<name>-<id>/, embeddings/<name>-<id>/,
evidence/<name>-<id>/ and decisions/<name>/. Column sets have the shards of the data, the same rows and the same order,
so that they are joined by position. Reads only; how a directory comes to be is in ``growing``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from diptych.addresses import Address, local_path
from diptych.config.identity import fingerprint
from diptych.data.columns_dir import columns_place
from diptych.data.damage import Extent, ShardFile, check_content, size_problems
from diptych.data.journal import Journal
from diptych.data.manifests import AGAIN, DATASET, MANIFEST_OF, read_manifest
from diptych.data.picture_files import is_image_name
from diptych.data.shards import ShardInfo
from diptych.errors import ShardError
from diptych.storage.location import Location


@dataclass(frozen=True)
class ColumnSet:
    """A finished directory of columns with the rows of ``data`` in the same order.

    Attributes:
        location: The directory.
        manifest: Its manifest without the shard table.
        shards: Its shards, in the order of the dataset's.
    """

    location: Location
    manifest: Mapping[str, Any]
    shards: tuple[ShardInfo, ...]

    @property
    def path(self) -> Path:
        """The directory as a path of this machine.

        Raises:
            DataError: If it lies in a store.
        """
        return local_path(self.location)

    @property
    def name(self) -> str:
        """The name of its directory, e.g. ``aesthetic-1a2b3c4d``."""
        return self.location.name

    @cached_property
    def files(self) -> tuple[Location, ...]:
        """Its shard files, in order."""
        return tuple(self.location / shard.name for shard in self.shards)

    def check(self, *, progress: str = "none") -> None:
        """Look at every byte, before something is computed from it; what did not change is not looked at twice.

        Raises:
            ShardError: If a file is not what was written; names it.
        """
        every = map(ShardFile, self.files, self.shards)
        check_content(every, what=f"check {self.name}", progress=progress)


@dataclass(frozen=True)
class Dataset:
    """A finished dataset directory.

    Attributes:
        location: The directory.
        manifest: ``dataset.json`` without the shard table.
        shards: The shards of ``data``.
        columns: Where its column sets are written, and looked for first; None where that is beside the data.
    """

    location: Location
    manifest: Mapping[str, Any]
    shards: tuple[ShardInfo, ...]
    columns: Location | None = None

    @property
    def path(self) -> Path:
        """The directory as a path of this machine.

        Raises:
            DataError: If it lies in a store.
        """
        return local_path(self.location)

    @property
    def address(self) -> str:
        """The address of the directory, wherever it is read: an absolute path, or that in a store."""
        return str(self.location) if self.location.is_store else str(self.path.absolute())

    @cached_property
    def rows(self) -> int:
        """Number of rows."""
        return sum(shard.rows for shard in self.shards)

    @cached_property
    def files(self) -> tuple[Location, ...]:
        """The shard files of ``data``, in order."""
        return tuple(self.location / "data" / shard.name for shard in self.shards)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (hex) over the sha256 of all shards: the identity of the content."""
        return fingerprint([shard.sha256 for shard in self.shards])

    @property
    def written(self) -> Location:
        """Where column sets are written: whoever does so holds its lock."""
        return self.columns or self.location

    @property
    def places(self) -> tuple[Location, ...]:
        """Where column sets lie; a set in an earlier place goes before one of that name, or that label, in a later."""
        return (self.columns, self.location) if self.columns else (self.location,)

    def check(self, extent: Extent = "whole", *, progress: str = "none") -> None:
        """Look at the content of ``data``, before something is computed from it.

        Args:
            extent: ``whole`` looks at every byte, ``columns`` at all but the pictures.
            progress: Display mode, see ``diptych.progress``.

        Raises:
            ShardError: If a file is not what was written; names it.
        """
        every = map(ShardFile, self.files, self.shards)
        check_content(every, extent, what=f"check {self.location.name}", progress=progress)

    def column_set(self, folder: str, name: str) -> ColumnSet | None:
        """Return a finished column set that lines up with the data, or None.

        Raises:
            ShardError: If its manifest or one of its shards is missing or damaged: nobody is to think that it was
                never computed.
        """
        found = (self._column_set(place / folder / name, MANIFEST_OF[folder]) for place in self.places)
        return next((column_set for column_set in found if column_set is not None), None)

    def _column_set(self, location: Location, manifest_name: str) -> ColumnSet | None:
        place = location / manifest_name
        if not place.is_file():
            if Journal(location).facts is not None:  # it was finished
                raise ShardError(f"{place}: is missing; {AGAIN}")
            return None
        manifest = read_manifest(place)
        found = ColumnSet(location, manifest.facts, manifest.shards)
        lines_up = [(shard.name, shard.keys, shard.source) for shard in found.shards] == [
            (shard.name, shard.keys, shard.sha256) for shard in self.shards
        ]
        if not lines_up:
            return None
        for shard, problem in size_problems(location, found.shards):
            raise ShardError(f"{shard.file}: {problem}; {AGAIN}")
        return found

    def column_sets(self, folder: str) -> list[ColumnSet]:
        """Return all finished column sets of a folder (``scores``, ``embeddings``, ``decisions``), by name.

        Raises:
            ShardError: If a manifest is damaged.
        """
        names = {found.name for place in self.places for found in (place / folder).children()}
        found = (self.column_set(folder, name) for name in sorted(names))
        return [column_set for column_set in found if column_set is not None]


def _how_to_make(location: Location) -> str:
    """Return why a place is no dataset directory, and which command makes one."""
    if location.is_file():
        return "it is a file"
    if not location.is_directory():
        return "there is no such folder; diptych generate run, generate import or curate run make one"
    has_pictures = any(is_image_name(place.name) for place in location.children())
    made = "; it holds pictures, of which diptych curate run makes one (begin with: diptych init folder)"
    return f"there is no {DATASET}{made if has_pictures else ''}"


def open_dataset(address: Address) -> Dataset:
    """Open a finished dataset directory.

    Raises:
        DataError: If the address has a scheme that is no store's, or the store refuses.
        ShardError: If there is none, it is unfinished, damaged, or of another version of the format.
    """
    location = Location.at(address)
    if not (location / DATASET).is_file():
        unfinished = (location / "data").is_directory()
        hint = "it is not finished; run what makes it again" if unfinished else _how_to_make(location)
        inside = [] if unfinished else [place for place in location.children() if (place / DATASET).is_file()]
        hint += f"; did you mean {' or '.join(map(str, inside))}?" if inside else ""
        raise ShardError(f"{location}: not a finished dataset directory: {hint}")
    manifest = read_manifest(location / DATASET)
    columns = columns_place(manifest.facts, manifest.shards)
    dataset = Dataset(location, manifest.facts, manifest.shards, columns)
    for shard, problem in size_problems(location / "data", dataset.shards):
        raise ShardError(f"{shard.file}: the shard {problem}; {AGAIN}")
    return dataset
