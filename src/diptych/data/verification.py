"""Find every file of a dataset directory that is not what was written, and put back what the rest of it tells.

A manifest and a journal say the same of their shards, so that one of them is written again from the other. A damaged
shard is taken out: the command that made the directory then makes exactly that one again. Nothing is removed: what is
taken out, or was never written by diptych, is moved aside, where no reader of the directory looks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

from diptych.data.card import CARD
from diptych.data.columns_dir import written_place
from diptych.data.damage import ShardFile, content_problems
from diptych.data.growing import Growing, set_aside
from diptych.data.journal import JOURNAL, Journal
from diptych.data.manifests import DATASET, MANIFEST_OF, Manifest, manifest_problem
from diptych.data.noted import noted_journal, restore_journal, restore_manifest, whole_manifest
from diptych.data.shards import ShardInfo
from diptych.storage.location import Location

SHARDS = "*.parquet"


class Problem(NamedTuple):
    """A file that is not what was written, and what is wrong with it."""

    file: Location
    what: str


class ShardFolder(NamedTuple):
    """A directory of shards: that of the data, or a column set.

    Attributes:
        directory: Where the shards and the journal lie.
        manifest: Where the manifest lies.
        step: Who writes it, as its journal says where it has one; else the kind of column set.
    """

    directory: Location
    manifest: Location
    step: str


@dataclass
class Verification:
    """What was found.

    Attributes:
        files: How many files were looked at.
        bytes: How large they are together.
        problems: What is not as it was written.
        unfinished: Directories that were never finished, or wait to be made again.
    """

    files: int = 0
    bytes: int = 0
    problems: list[Problem] = field(default_factory=list)
    unfinished: list[Location] = field(default_factory=list)


def find_datasets(location: Location, *, depth: int = 2) -> list[Location]:
    """Return the dataset directory here, or those that lie in this place, by name.

    Args:
        location: A dataset directory, a run, or a directory of runs.
        depth: How many directories deep they may lie; a dataset holds no other.
    """
    has_shards = (location / CARD).is_file() and bool((location / "data").children(SHARDS))
    if has_shards or (location / DATASET).is_file() or (location / "data" / JOURNAL).is_file():
        return [location]
    if depth == 0:
        return []
    inside = (place for place in location.children() if place.is_directory())
    return [found for place in inside for found in find_datasets(place, depth=depth - 1)]


def verify_dataset(location: Location, *, progress: str = "none") -> Verification:
    """Look at every byte of the data and of every column set of a dataset directory.

    Args:
        location: The dataset directory.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        OtherVersion: If something there is of another version of the format.
    """
    found = Verification()
    shards: list[ShardFile] = []
    data = whole_manifest(location / DATASET)
    for folder in _folders(location):
        journal, manifest = Journal(folder.directory), whole_manifest(folder.manifest)
        found.problems += _problems(folder, journal, manifest)
        noted = manifest.shards if manifest else tuple(journal.entries.values())
        shards += [ShardFile(folder.directory / info.name, info) for info in noted]
        if manifest:
            found.problems += _strangers(folder.directory, noted)
        if (manifest is None and journal.facts is None) or not _lines_up(manifest, data):
            found.unfinished.append(folder.directory)
        metas = [folder.manifest, folder.directory / JOURNAL]
        found.files += sum(meta.is_file() for meta in metas)
        found.bytes += sum(meta.size() or 0 for meta in metas)
    found.files += len(shards)
    found.bytes += sum(shard.info.bytes for shard in shards)
    damaged = content_problems(shards, what=f"verify {location.name}", progress=progress)
    found.problems += [Problem(shard.file, problem) for shard, problem in damaged.items()]
    return found


def repair_dataset(location: Location, found: Verification) -> list[Location]:
    """Put back what can be; return the directories of which shards have to be made again.

    Args:
        location: The dataset directory.
        found: What ``verify_dataset`` found there.

    Raises:
        ShardError: If the disk refuses.
    """
    damaged = {str(problem.file) for problem in found.problems}
    waiting = []
    for folder in _folders(location):
        journal, manifest = Journal(folder.directory), whole_manifest(folder.manifest)
        if manifest is not None:
            if _problems(folder, journal, manifest):
                restore_journal(folder.directory, folder.manifest, folder.step)
        else:
            restore_manifest(folder.directory, folder.manifest)
        noted = noted_journal(folder.directory, folder.manifest, folder.step).entries
        names = [name for name in noted if str(folder.directory / name) in damaged]
        for place in folder.directory.children(SHARDS):
            if str(place) in damaged:
                set_aside(place)
        if names:
            _take_out(folder, names)
            waiting.append(folder.directory)
    return waiting


def _folders(location: Location) -> Iterator[ShardFolder]:
    """Yield the directories of shards of a dataset, the data first."""
    yield ShardFolder(location / "data", location / DATASET, "data")
    for (kind, name), home in product(MANIFEST_OF.items(), dict.fromkeys([location, written_place(location)])):
        for place in (home / kind).children():
            if (place / name).exists() or (place / JOURNAL).exists() or place.children(SHARDS):
                yield ShardFolder(place, place / name, kind)


def _problems(folder: ShardFolder, journal: Journal, manifest: Manifest | None) -> list[Problem]:
    """Return what is wrong with the manifest and the journal of a directory."""
    place = folder.directory / JOURNAL
    problems = [Problem(place, problem.partition(f"{place}: ")[2]) for problem in journal.problems]
    if manifest is None:
        is_gone = not folder.manifest.is_file()
        if not is_gone or journal.facts is not None:
            problems.append(Problem(folder.manifest, "is missing" if is_gone else manifest_problem(folder.manifest)))
        elif not place.is_file() and folder.directory.children(SHARDS):
            problems.append(
                Problem(folder.manifest, f"is missing, and {JOURNAL} too: nothing says what the shards hold")
            )
    elif not place.is_file():
        problems.append(Problem(place, "is missing"))
    elif not problems and tuple(journal.entries.values()) != manifest.shards:  # other facts: a change that was stopped
        problems.append(Problem(place, f"is damaged: it does not say what {folder.manifest.name} says"))
    return problems


def _strangers(directory: Location, noted: Sequence[ShardInfo]) -> list[Problem]:
    """Return Parquet files that are no shards, but that readers of the directory would read as such."""
    names = {info.name for info in noted}
    places = [place for place in directory.children(SHARDS) if place.name not in names]
    return [Problem(place, "is none of its shards, and readers of the directory take it for one") for place in places]


def _lines_up(manifest: Manifest | None, data: Manifest | None) -> bool:
    """Return whether a column set, or the data itself, has the rows of the data as they are now."""
    if manifest is None or data is None or manifest.facts == data.facts:
        return True
    rows = [(shard.name, shard.keys, shard.sha256) for shard in data.shards]
    return [(shard.name, shard.keys, shard.source) for shard in manifest.shards] == rows


def _take_out(folder: ShardFolder, names: Sequence[str]) -> None:
    """Take damaged shards out, so that the command that wrote them makes them again."""
    journal = noted_journal(folder.directory, folder.manifest, folder.step)
    growing = Growing(folder.directory, folder.manifest, journal.step or folder.step, journal.fingerprint or "")
    restore_journal(folder.directory, folder.manifest, folder.step)
    folder.manifest.remove()
    growing.drop(names)
