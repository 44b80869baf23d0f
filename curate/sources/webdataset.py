"""WebDataset tars, read in order: members with the same base name, one after the other, are one row."""

import json
import tarfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from diptych.curate.config import WebDataset
from diptych.curate.sources import BYTES, PROBLEM, READ_ERRORS, find_files, readable
from diptych.curate.sources.columns import carried_names, clean_text

BLOCK_ROWS = 256
TEXT_SUFFIXES = ("txt", "caption")
MAX_MEMBER_BYTES = 200 * 2**20
# A picture is a member with one of these directly after the base name; 0.mask.png beside 0.jpg is none.
# fmt: off
IMAGE_SUFFIXES = (
    "jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic",
    "heif", "jp2", "j2k", "pbm", "pgm", "ppm", "pnm", "img", "image",
)
# fmt: on

Sample = dict[str, Any]


class WebDatasetSource:
    """See ``WebDataset`` in the config."""

    def __init__(self, settings: WebDataset) -> None:
        """Find the tars; reads none yet."""
        self._settings = settings
        self._carried = carried_names(settings.columns, taken=("member",))
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
        return sum(1 for file in self._files for _ in _guarded(file, names_only=True))

    def bytes_on_disk(self) -> int | None:
        """Return the size of the tars."""
        return sum(path.stat().st_size for path in self._files)

    def tables(self) -> Iterator[pa.Table]:
        """Yield bytes, captions and the named keys of the .json members of all tars in order."""
        block: list[Sample] = []
        for file in self._files:
            for sample in _guarded(file):
                block.append(sample)
                if len(block) == BLOCK_ROWS:
                    yield self._rows(block)
                    block = []
        if block:
            yield self._rows(block)

    def _rows(self, samples: list[Sample]) -> pa.Table:
        facts = [_parse(sample) for sample in samples]
        columns = {
            "caption": pa.array([self._caption(*pair) for pair in zip(samples, facts, strict=True)], pa.string()),
            "url": pa.array([clean_text(fact.get("url")) for fact in facts], pa.string()),
            PROBLEM: pa.array([clean_text(sample.get("problem")) for sample in samples], pa.string()),
            BYTES: pa.array([sample.get("image") for sample in samples], pa.binary()),
            "member": pa.array([clean_text(sample["name"]) for sample in samples], pa.string()),
        }
        for final, name in self._carried.items():
            values = [None if fact.get(name) is None else clean_text(str(fact[name])) for fact in facts]
            columns[final] = pa.array(values, pa.string())
        return pa.table(columns)

    def _caption(self, sample: Sample, fact: dict[str, Any]) -> str | None:
        for suffix in TEXT_SUFFIXES:
            if suffix in sample:
                text: str = sample[suffix].decode("utf-8", "replace").strip()
                return text or None
        return clean_text(fact.get(self._settings.caption_key))


def _guarded(file: Path, *, names_only: bool = False) -> Iterator[Sample]:
    with readable(file, "tar"):
        yield from _samples(file, names_only=names_only)


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
    except READ_ERRORS as error:
        if not current:
            raise
        current["problem"] = f"bad_row: the tar {file.name} ends here: {error}"
    if current:
        yield current


def _add(sample: Sample, suffix: str, member: tarfile.TarInfo, tar: tarfile.TarFile | None) -> None:
    name = "image" if suffix in IMAGE_SUFFIXES else suffix
    if tar is None or name in sample or name not in ("image", "json", *TEXT_SUFFIXES):
        return
    if member.size > MAX_MEMBER_BYTES:
        sample["problem"] = f"bad_row: the member {member.name[-80:]} has {member.size} bytes"
        return
    handle = tar.extractfile(member)
    data = handle.read() if handle else b""
    sample[name] = data


def _split(name: str) -> tuple[str, str, str]:
    """Split at the first dot of the base name, as WebDataset does."""
    folder, slash, base = name.rpartition("/")
    stem, dot, suffix = base.partition(".")
    return f"{folder}{slash}{stem}", dot, suffix


def _parse(sample: Sample) -> dict[str, Any]:
    """Return what the .json member says; one that is nested too deeply is the problem of its row."""
    try:
        value = json.loads(sample["json"]) if sample.get("json") else {}
        str(value)  # as deep as it can be read it may not be written
    except ValueError:
        return {}
    except RecursionError:
        sample.setdefault("problem", "bad_row: the .json member is nested too deeply")
        return {}
    return value if isinstance(value, dict) else {}
