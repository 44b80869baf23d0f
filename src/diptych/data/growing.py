"""How a directory of shards comes to be: each shard written whole, then noted in the journal, last the manifest.

The one way, whoever grows a directory: the data of a dataset (``grow_data``, ``seal_data``) and every column set beside
it (``growing_sets``). A shard counts only with its line in the journal, or in the manifest. Whoever goes on first finds
out which of the noted shards still are what was written; those that are not, after a power loss or a flipped bit, are
made again, and only those. Decides nothing about what is in a shard, nor in which order shards are made.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from diptych.config.identity import fingerprint as fingerprint_of
from diptych.data.card import CARD, card
from diptych.data.claims import check_claim
from diptych.data.damage import ShardFile, content_problem, noted_problems
from diptych.data.dataset import Dataset, open_dataset
from diptych.data.manifests import DATASET, read_manifest, write_manifest
from diptych.data.noted import noted_journal, restore_journal, restore_manifest
from diptych.data.shards import ShardInfo, shard_number
from diptych.errors import ShardError
from diptych.parts import WHOLE_JOB, JobPart
from diptych.storage.location import Location

STAGED = ".next"  # of a file that is to take the place of a shard
ASIDE = ".aside"  # of a file that no reader is to take for a shard


class Growing:
    """Shards on their way into one directory, with their journal and, last, their manifest."""

    def __init__(
        self, directory: Location, manifest: Location, step: str, fingerprint: str, part: JobPart = WHOLE_JOB
    ) -> None:
        """Look at what is there; changes nothing.

        Args:
            directory: Where the shards lie.
            manifest: Where their manifest lies, once all are there.
            step: Who makes the shards.
            fingerprint: Of everything that decides their content.
            part: Of the shards that is made here, while others make theirs.
        """
        self.directory = directory
        self.part = part
        self.fingerprint = fingerprint
        self.step = step
        self._manifest = manifest
        self._journal = noted_journal(directory, manifest, step, is_shared=not part.is_whole)

    @property
    def entries(self) -> Mapping[str, ShardInfo]:
        """The finished shards by name."""
        return self._journal.entries

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the manifest of the finished directory says beside the shards, or said before it began to grow again."""
        return self._journal.facts or self._journal.former or {}

    @property
    def made_from(self) -> str | None:
        """The fingerprint of what the finished shards were made from; None where there are none.

        Also where all of them were lost: what is made again is made from the same.
        """
        return self._journal.fingerprint if self.entries or self._journal.former else None

    def begin(self, *, keep: bool = True, progress: str = "none") -> None:
        """Make ready for writing: leftovers go, and so do noted shards that are not what was written any more.

        Of a part, only its own shards are looked at, and nothing of others is touched.

        Args:
            keep: Whether the finished shards count; else all are made anew.
            progress: Display mode, see ``diptych.progress``.

        Raises:
            ShardError: If the disk refuses.
        """
        self.directory.make()
        if not self.part.is_whole:
            self._journal.join(self.step, self.fingerprint)
            self._journal.forget(self._damaged(progress))
            return
        self.directory.remove_temporary()
        self._finish_replacing()
        gone = self._damaged(progress) if keep else list(self.entries)
        self._manifest.remove()
        self._journal.begin(self.step, self.fingerprint)
        self._journal.forget(gone)

    def look_again(self) -> None:
        """Find out which shards are finished by now, also by others."""
        self._journal = noted_journal(self.directory, self._manifest, self.step, is_shared=not self.part.is_whole)

    def finished(self, name: str, *, source: str = "") -> ShardInfo | None:
        """Return the entry of a finished shard that was made from ``source``."""
        info = self.entries.get(name)
        return info if info is not None and info.source == source else None

    def commit(self, *infos: ShardInfo) -> None:
        """Note shards as finished, after they were written; from one process.

        Raises:
            ShardError: If the disk refuses.
        """
        self._journal.commit(*infos)

    def replace(self, info: ShardInfo) -> None:
        """Let the version of a finished shard that lies at its ``staged`` place be the shard; from one process.

        The journal says so first: killed between the two, ``begin`` moves the file. In a store it lies in its place
        already: killed before the journal says so, the shard is made again.

        Raises:
            ShardError: If the disk refuses; either version is whole then.
        """
        place = self.directory / info.name
        if place.is_store:
            self._journal.forget([info.name])
        self._journal.commit(info)
        if not place.is_store:
            staged(place).move_to(place)

    def drop(self, names: Iterable[str]) -> None:
        """Take shards out, and remove their files.

        Raises:
            ShardError: If the disk refuses.
        """
        gone = list(names)
        self._journal.forget(gone)
        for name in gone:
            (self.directory / name).remove()

    def seal(self, facts: Mapping[str, Any], names: Sequence[str]) -> None:
        """Write the manifest, which makes the directory a finished one. The journal stays, in the order of the shards.

        Args:
            facts: What the manifest says beside the shards.
            names: The shards that belong to it, in order; every other one is dropped.

        Raises:
            ShardError: If one is not finished; what is finished is kept.
        """
        missing = [name for name in names if name not in self.entries]
        if missing:
            raise ShardError(f"{self.directory / missing[0]}: is not finished; run again")
        self.drop(sorted(set(self.entries) - set(names)))
        # What was written and never noted would be read by those who take every file there.
        belong = set(names)
        for stray in self.directory.children("*.parquet"):
            if stray.name not in belong:
                stray.remove()
        self._journal.rewrite(self.entries.values(), facts)
        write_manifest(self._manifest, facts, [self.entries[name] for name in names])

    def _finish_replacing(self) -> None:
        """Move the next versions that were noted to their places, and remove those that were not."""
        for next_version in self.directory.children(f".*{STAGED}"):
            name = next_version.name.removeprefix(".").removesuffix(STAGED)
            info = self.entries.get(name)
            if info is None or content_problem(ShardFile(next_version, info)):
                next_version.remove()
            else:
                next_version.move_to(self.directory / name)

    def _damaged(self, progress: str) -> list[str]:
        """Return the names of the noted shards that are not what was written."""
        own = (info for name, info in self.entries.items() if self.part.takes(shard_number(name)))
        return list(noted_problems(self.directory, own, progress=progress))


def change_facts(directory: Location, manifest: Location, step: str, facts: Mapping[str, Any]) -> None:
    """Let the manifest of a finished directory say other facts; its shards stay as they are.

    Args:
        directory: Where the shards lie.
        manifest: Where the manifest lies.
        step: Who made it.
        facts: What it says from now on beside the shards.

    Raises:
        ShardError: If the manifest is damaged, or the disk refuses.
    """
    write_manifest(manifest, facts, list(read_manifest(manifest).shards))
    restore_journal(directory, manifest, step)


def staged(place: Location) -> Location:
    """Return where the next version of a shard is written: hidden from who reads there; in a store, its own place."""
    return place if place.is_store else place.parent / f".{place.name}{STAGED}"


def set_aside(place: Location) -> None:
    """Move a file of a directory of shards to where no reader of it looks, beside what was moved there before.

    Raises:
        ShardError: If the disk refuses.
    """
    if place.is_file():
        endings = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
        places = (place.parent / f".{place.name}{ASIDE}{ending}" for ending in endings)
        target = next(free for free in places if not free.exists())
        if not place.is_store:
            place.move_to(target)
            return
        target.write(place.read())
        place.remove()


def grow_data(location: Location, step: str, fingerprint: str, part: JobPart = WHOLE_JOB) -> Growing:
    """Return the data of a dataset directory as something that grows; changes nothing yet.

    Args:
        location: The dataset directory.
        step: Who makes it, e.g. ``ingest``.
        fingerprint: Of everything that decides its content.
        part: Of the shards that is made here.

    Raises:
        ShardError: If what lies there was made by another step, or by another program.
    """
    check_claim(location, step)
    return Growing(location / "data", location / DATASET, step, fingerprint, part)


def sealed_data(location: Location, fingerprint: str, *, progress: str = "none") -> Dataset | None:
    """Return the finished dataset at a location if it is whole and made from the same; None where something is to do.

    Looks at all but the pictures. What a run that was killed at its very end leaves beside it is removed. Of manifest
    and journal, one that is lost is written again from the other.

    Args:
        location: The dataset directory.
        fingerprint: Of everything that decides its content.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        OtherVersion: If it is of another version of the format.
    """
    restore_manifest(location / "data", location / DATASET)
    try:
        dataset = open_dataset(location)
    except ShardError:  # unfinished, or damaged: what is noted decides what is made again
        return None
    if dataset.manifest["made_by"]["fingerprint"] != fingerprint:
        return None
    if noted_problems(location / "data", dataset.shards, "columns", progress=progress):
        return None
    (location / "data").remove_temporary()
    restore_journal(location / "data", location / DATASET, dataset.manifest["made_by"]["step"])
    return dataset


def seal_data(growing: Growing, facts: Mapping[str, Any], names: Sequence[str]) -> Dataset:
    """Write the card and ``dataset.json``, which make a directory of finished shards a dataset, and open it.

    Args:
        growing: The data, of which every shard is finished.
        facts: ``kind`` (pairs, generated or images), ``name``, ``licence``, ``made_by`` beyond step and fingerprint.
        names: The shards, in order.

    Raises:
        ShardError: If one is not finished; what is finished is kept.
    """
    location = growing.directory.parent
    location.remove_temporary()
    shards = [growing.entries[name] for name in names if name in growing.entries]
    content = fingerprint_of([shard.sha256 for shard in shards])
    (location / CARD).write(card(facts, sum(shard.rows for shard in shards), content).encode())
    made_by = {"step": growing.step, "fingerprint": growing.fingerprint, **facts.get("made_by", {})}
    growing.seal({**facts, "made_by": made_by}, names)
    return open_dataset(location)
