"""Images that were made before: which are where, and their pictures, from this run's directory or another's.

Reads only. What is damaged is passed over here and made again.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from diptych.data.damage import Extent, ShardFile, affordable, content_problem
from diptych.data.dataset import open_dataset
from diptych.data.shards import ShardInfo, read_groups, read_shard, reading, shard_number
from diptych.errors import DataError, ShardError
from diptych.generate.rows import OK, MadePicture
from diptych.progress import track
from diptych.storage.location import Location

PICTURE_FACTS = ("width", "height", "sha256", "status", "error")


class StoredPlace(NamedTuple):
    """Where the picture of an image lies: file and row."""

    file: Location
    row: int


@dataclass(frozen=True)
class StoredShard:
    """A finished shard of generated images.

    Attributes:
        file: Where it lies.
        info: Its entry.
        rows: Its columns without the pictures.
    """

    file: Location
    info: ShardInfo
    rows: pa.Table

    @property
    def keys(self) -> list[str]:
        """The keys of its rows."""
        return self.rows["key"].to_pylist()  # type: ignore[no-any-return]

    @property
    def statuses(self) -> list[str]:
        """How its rows fared."""
        return self.rows["status"].to_pylist()  # type: ignore[no-any-return]


class FoundShards(NamedTuple):
    """The noted shards of a directory: those that are as they were written, and the entries of those that are not."""

    sound: tuple[StoredShard, ...]
    lost: tuple[ShardInfo, ...]


def stored_shards(directory: Location, entries: Iterable[ShardInfo], *, extent: Extent, progress: str) -> FoundShards:
    """Return the noted shards of a directory in the order of their names.

    Args:
        directory: Where they lie.
        entries: What was noted of them.
        extent: How much of each is looked at.
        progress: Display mode, see ``diptych.progress``.
    """
    sound, lost = [], []
    infos = sorted(entries, key=lambda info: shard_number(info.name))
    with track("look at what is there", len(infos), mode=progress, unit="shards") as tracker:
        for info in infos:
            file = directory / info.name
            if content_problem(ShardFile(file, info), affordable(extent, file)):
                lost.append(info)
            else:
                sound.append(StoredShard(file, info, _without_pictures(file)))
            tracker.advance()
    return FoundShards(tuple(sound), tuple(lost))


@dataclass(frozen=True)
class OtherRun:
    """A finished dataset of which images may be taken.

    Attributes:
        place: Where it lies.
        environments: What its images were made on.
        shards: Its shards.
    """

    place: Location
    environments: tuple[Mapping[str, Any], ...]
    shards: tuple[StoredShard, ...]

    @property
    def files(self) -> set[Location]:
        """The files of its shards."""
        return {shard.file for shard in self.shards}


def other_run(location: Location, *, progress: str) -> OtherRun:
    """Return a finished dataset of generated images.

    Raises:
        DataError: If it is none, or a shard is damaged; names it.
    """
    dataset = open_dataset(location)
    if dataset.manifest.get("kind") != "generated":
        raise DataError(f"{location}: not a dataset that diptych generate made, so no image of it can be taken")
    found = stored_shards(location / "data", dataset.shards, extent="columns", progress=progress)
    if found.lost:
        raise ShardError(f"{location / 'data' / found.lost[0].name}: is damaged; see: diptych verify {location}")
    return OtherRun(location, tuple(dataset.manifest["made_by"].get("environments", ())), found.sound)


class StoredPictures:
    """The pictures of stored images, each looked at before it is taken. Holds one row group of each file."""

    def __init__(self) -> None:
        """Open nothing yet."""
        self._groups: dict[Location, Iterator[pa.Table]] = {}
        self._held: dict[Location, tuple[int, pa.Table]] = {}  # number of its first row, rows

    def picture(self, place: StoredPlace) -> MadePicture:
        """Return the picture of a row, or why it has none.

        Raises:
            ShardError: If it is not what was written; names file and row.
        """
        start, table = self._group(place)
        row = table.slice(place.row - start, 1).to_pylist()[0]
        data = row["image"]["bytes"] if row["image"] is not None else None
        if data is not None and hashlib.sha256(data).hexdigest() != row["sha256"]:
            raise ShardError(f"{place.file}: row {place.row}: the picture is damaged; see: diptych verify DATASET")
        return MadePicture(data, *(row[name] for name in PICTURE_FACTS))

    def _group(self, place: StoredPlace) -> tuple[int, pa.Table]:
        """Return the row group that a row lies in. Rows mostly come in order, so that a file is read once."""
        held = self._held.get(place.file)
        if held is None or place.row < held[0]:
            self._groups[place.file] = read_groups(place.file, ["image", *PICTURE_FACTS])
            held = (0, next(self._groups[place.file]))
        start, table = held
        while place.row >= start + table.num_rows:
            start, table = start + table.num_rows, next(self._groups[place.file])
        self._held[place.file] = (start, table)
        return start, table


def places_by_source(shards: Iterable[StoredShard]) -> dict[str, dict[str, StoredPlace]]:
    """Return where the images of shards lie that there is a picture of: how they were made -> key -> place."""
    found: dict[str, dict[str, StoredPlace]] = {}
    for shard in shards:
        places = found.setdefault(shard.info.source, {})
        for row, (key, status) in enumerate(zip(shard.keys, shard.statuses, strict=True)):
            if status == OK:
                places.setdefault(key, StoredPlace(shard.file, row))
    return found


def _without_pictures(file: Location) -> pa.Table:
    with reading(file) as parquet:
        names = [name for name in parquet.schema_arrow.names if name != "image"]
    return read_shard(file, names)
