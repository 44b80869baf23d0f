"""WebDataset tars, read in order: members with the same base name, one after the other, are one row."""

import json
import tarfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from diptych.curate.config import WebDataset
from diptych.curate.sources import find_files
from diptych.curate.sources.url_table import carried_name
from diptych.errors import DataError

BLOCK_ROWS = 256
TEXT_SUFFIXES = ("txt", "caption")
MAX_MEMBER_BYTES = 200 * 2**20
# Members of a row that are neither picture nor caption.
OTHER_SUFFIXES = ("json", "cls", "npy", "npz", "pt", "pth", "pickle", "pkl", "csv")

Sample = dict[str, Any]


class WebDatasetSource:
    """See ``WebDataset`` in the config."""

    def __init__(self, settings: WebDataset) -> None:
        """Find the tars; reads none yet."""
        self._settings = settings
        self._files = find_files(settings.path, (".tar", ".tar.gz", ".tgz"))

    def inputs(self) -> list[dict[str, Any]]:
        """Return name, size and time of change of each tar."""
        stats = [(path, path.stat()) for path in self._files]
        return [{"name": path.name, "bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns} for path, stat in stats]

    def count(self) -> int:
        """Return the number of rows."""
        return self._count

    @cached_property
    def _count(self) -> int:
        return sum(1 for file in self._files for _ in _samples(file, names_only=True))

    def bytes_on_disk(self) -> int | None:
        """Return the size of the tars."""
        return sum(path.stat().st_size for path in self._files)

    def tables(self) -> Iterator[pa.Table]:
        """Yield bytes, captions and the named keys of the .json members of all tars in order."""
        block: list[Sample] = []
        for file in self._files:
            for sample in _samples(file):
                block.append(sample)
                if len(block) == BLOCK_ROWS:
                    yield self._rows(block)
                    block = []
        if block:
            yield self._rows(block)

    def _rows(self, samples: list[Sample]) -> pa.Table:
        facts = [_parse(sample.get("json")) for sample in samples]
        urls = [fact.get("url") if isinstance(fact.get("url"), str) else None for fact in facts]
        columns = {
            "caption": pa.array([self._caption(*pair) for pair in zip(samples, facts, strict=True)], pa.string()),
            "url": pa.array(urls, pa.string()),
            "problem": pa.array([sample.get("problem") for sample in samples], pa.string()),
            "bytes": pa.array([sample.get("image") for sample in samples], pa.binary()),
            "member": pa.array([sample["name"] for sample in samples], pa.string()),
        }
        for name in self._settings.columns:
            values = [None if fact.get(name) is None else str(fact[name]) for fact in facts]
            columns[carried_name(name)] = pa.array(values, pa.string())
        return pa.table(columns)

    def _caption(self, sample: Sample, fact: dict[str, Any]) -> str | None:
        for suffix in TEXT_SUFFIXES:
            if suffix in sample:
                text: str = sample[suffix].decode("utf-8", "replace").strip()
                return text or None
        value = fact.get(self._settings.caption_key)
        return value if isinstance(value, str) else None


def _samples(file: Path, *, names_only: bool = False) -> Iterator[Sample]:
    """Yield the rows of a tar; one that ends in the middle gives its whole members, the last row with the problem."""
    current: Sample = {}
    try:
        with tarfile.open(file, "r|*") as tar:
            for member in tar:
                if not member.isfile():
                    continue
                base, _, suffix = _split(member.name)
                if current and base != current["name"]:
                    yield current
                    current = {}
                current["name"] = base
                _add(current, suffix.lower(), member, None if names_only else tar)
    except (tarfile.TarError, EOFError, OSError) as error:
        if not current:
            raise DataError(f"{file}: not a readable tar: {error}") from error
        current["problem"] = f"bad_row: the tar {file.name} ends here: {error}"
    if current:
        yield current


def _add(sample: Sample, suffix: str, member: tarfile.TarInfo, tar: tarfile.TarFile | None) -> None:
    if tar is None:
        return
    if member.size > MAX_MEMBER_BYTES:
        sample["problem"] = f"bad_row: the member {member.name[-80:]} has {member.size} bytes"
        return
    handle = tar.extractfile(member)
    data = handle.read() if handle else b""
    is_picture = suffix not in (*TEXT_SUFFIXES, *OTHER_SUFFIXES)
    sample["image" if is_picture else suffix] = data


def _split(name: str) -> tuple[str, str, str]:
    """Split at the first dot of the base name, as WebDataset does."""
    folder, slash, base = name.rpartition("/")
    stem, dot, suffix = base.partition(".")
    return f"{folder}{slash}{stem}", dot, suffix


def _parse(data: bytes | None) -> dict[str, Any]:
    try:
        value = json.loads(data) if data else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
