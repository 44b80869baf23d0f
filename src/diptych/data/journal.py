"""The journal of a growing directory: one line for each finished shard, whatever happens to the machine.

Each line carries a check of itself, so that a line which a power loss tore, zeroed or lost stands for nothing, and its
shard is made again. Each says what the directory is made from, so that no lost line lets it be taken for something
else. Sealed, the journal is rewritten in the order of the shards, with the facts of the manifest, and stays: from it a
lost manifest is compiled again. Where lines cannot be added, in a store, or not by one alone, each finished shard has a
marker of its own (``markers``) until then.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from diptych.data.markers import mark, read_markers, remove_markers, unmark
from diptych.data.schema import FORMAT_VERSION, check_version
from diptych.data.shards import ShardInfo
from diptych.errors import ShardError
from diptych.storage.location import Location

JOURNAL = "_shards.jsonl"  # names that begin with _ are passed over by those who read a directory of Parquet files
CHECK = "check"
CHECK_DIGITS = 16
MADE_BY = ("step", "fingerprint")  # what each line says: who makes the directory, from what


class Journal:
    """Which shards of a directory are finished, and what the directory is made from."""

    def __init__(self, directory: Location, *, is_shared: bool = False) -> None:
        """Read the journal of a directory, if there is one; whole lines count, others are left out.

        Args:
            directory: Where the shards lie.
            is_shared: Whether others write there at the same time.

        Raises:
            OtherVersion: If it is of another version of the format.
            ShardError: If it cannot be read.
        """
        self._place = directory / JOURNAL
        self._directory = directory
        self._is_shared = is_shared
        self.step: str | None = None
        self.fingerprint: str | None = None
        self.facts: Mapping[str, Any] | None = None  # of the manifest, once it was sealed
        self.former: Mapping[str, Any] | None = None  # of the manifest that it had before it began to grow again
        self._sealed_shards: int | None = None
        self.entries: dict[str, ShardInfo] = {}
        self.problems: list[str] = []
        for number, line in enumerate(_lines(self._place), start=1):
            self._take(line, f"{self._place}: line {number}")
        self._is_marked = False
        for place, line in read_markers(directory):
            self._is_marked = True
            self._take(line.removesuffix(b"\n"), f"{place}:")

    @property
    def is_whole(self) -> bool:
        """Whether it is that of a finished directory, and no line is lost: then it says what the manifest says."""
        return self.facts is not None and not self.problems and len(self.entries) == self._sealed_shards

    def begin(self, step: str, fingerprint: str) -> None:
        """Claim the directory for a step and what it works from, keeping the entries; bad lines are dropped.

        Raises:
            ShardError: If the disk refuses.
        """
        if (self.step, self.fingerprint, self.facts) != (step, fingerprint, None) or self.problems or self._is_marked:
            if (self.step, self.fingerprint) != (step, fingerprint):
                self.facts = self.former = None
            self.step, self.fingerprint, self.problems = step, fingerprint, []
            self.rewrite(self.entries.values())

    def join(self, step: str, fingerprint: str) -> None:
        """Claim the directory for a step together with others that do the same from the same.

        Raises:
            ShardError: If something else was begun there, or is finished there.
        """
        there = self
        if self.step is None:
            try:
                self._place.create(_line(self._head(step, fingerprint)))
                self.step, self.fingerprint = step, fingerprint
            except FileExistsError:  # somebody was first
                there = Journal(self._directory, is_shared=True)
        if (there.step, there.fingerprint, there.facts) != (step, fingerprint, None) or there.problems:
            said = "holds what was begun otherwise, or finished and is to grow; run it without --part first"
            raise ShardError(f"{self._directory}: {said}, or give another place")
        self.step, self.fingerprint = step, fingerprint

    def adopt(self, step: str, fingerprint: str, facts: Mapping[str, Any], infos: Iterable[ShardInfo]) -> None:
        """Take what a manifest says in the place of what the lines say; the file stays as it is."""
        self.step, self.fingerprint, self.facts = step, fingerprint, facts
        self.entries = {info.name: info for info in infos}

    def commit(self, *infos: ShardInfo) -> None:
        """Note shards as finished, all at once. Call it after ``write_shard``, from one process.

        Raises:
            ShardError: If the disk refuses.
        """
        if self._is_shared or self._directory.is_store:
            for info in infos:
                mark(self._directory, info.name, self._entry(info))
                self._is_marked = True
        else:
            self._place.append(b"".join(map(self._entry, infos)))
        self.entries |= {info.name: info for info in infos}

    def forget(self, names: Iterable[str]) -> None:
        """Take entries out, so that their shards are made again.

        Raises:
            ShardError: If the disk refuses.
        """
        gone = set(names) & set(self.entries)
        if self._is_shared:
            unmark(self._directory, sorted(gone))
            self.entries = {name: info for name, info in self.entries.items() if name not in gone}
        elif gone:
            self.rewrite([info for name, info in self.entries.items() if name not in gone])

    def rewrite(self, infos: Iterable[ShardInfo], facts: Mapping[str, Any] | None = None) -> None:
        """Write the journal anew with these entries, in the order of their numbers.

        Args:
            infos: The finished shards.
            facts: What the manifest says beside the shards, where the directory is sealed.

        Raises:
            ShardError: If the disk refuses; the old journal then stands.
        """
        self.entries = {info.name: info for info in sorted(infos, key=lambda info: (len(info.name), info.name))}
        self.former = (self.facts or self.former) if facts is None else None
        self.facts = facts
        self._sealed_shards = None if facts is None else len(self.entries)
        head = _line(self._head(self.step, self.fingerprint))
        data = b"".join([head, *map(self._entry, self.entries.values())])
        if not self._place.is_file() or self._place.read() != data:
            self._place.write(data)
        if self._is_marked:
            remove_markers(self._directory)
            self._is_marked = False

    def _head(self, step: str | None, fingerprint: str | None) -> dict[str, Any]:
        made_by = {"format_version": FORMAT_VERSION, "step": step, "fingerprint": fingerprint}
        return {**made_by, "facts": self.facts, "former": self.former, "shards": self._sealed_shards}

    def _take(self, line: bytes, where: str) -> None:
        """Take what a line says; what is wrong with it goes to the problems."""
        value = _parse(line)
        try:
            if value is None:
                raise ValueError("is not what was written")
            if "facts" in value:
                check_version(self._place, value)
                self.facts, self.former, self._sealed_shards = value["facts"], value["former"], value["shards"]
            else:
                info = ShardInfo(**{name: fact for name, fact in value.items() if name not in MADE_BY})
                self.entries[info.name] = info
            self.step, self.fingerprint = (value[name] for name in MADE_BY)
        except (ValueError, TypeError, LookupError) as error:
            self.problems.append(f"{where} {error}")

    def _entry(self, info: ShardInfo) -> bytes:
        return _line({**asdict(info), "step": self.step, "fingerprint": self.fingerprint})


def _line(value: Mapping[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False)
    return (json.dumps({**value, CHECK: _check(text)}, ensure_ascii=False) + "\n").encode()


def _check(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:CHECK_DIGITS]


def _lines(place: Location) -> list[bytes]:
    try:
        lines = place.read().split(b"\n")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ShardError(f"{place}: cannot be read: {error}") from error
    return lines if lines[-1:] != [b""] else lines[:-1]  # the last one has no end where it was torn


def _parse(line: bytes) -> dict[str, Any] | None:
    """Return the value of a line; None where it is not, byte for byte, a line that was written."""
    try:
        value = json.loads(line)
        check = value.pop(CHECK)
        is_whole = check == _check(json.dumps(value, ensure_ascii=False)) and _line(value) == line + b"\n"
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return None
    return value if is_whole else None
