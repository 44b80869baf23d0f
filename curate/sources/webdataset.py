"""WebDataset tars, read in order: members with the same base name, one after the other, are one row."""

import json
import tarfile
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from diptych.curate.config import WebDataset
from diptych.curate.sources.column_types import column_of_json, with_carried
from diptych.curate.sources.columns import carried_names, clean_text, first_text
from diptych.curate.sources.contract import (
    BYTES,
    MAX_PICTURE_BYTES,
    NAME,
    PROBLEM,
    TABLE_BYTES,
    TABLE_ROWS,
    Part,
    Tables,
)
from diptych.curate.sources.files import READ_ERRORS, find_files, readable

PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ")  # how gzip, bzip2 and xz begin
TEXT_SUFFIXES = ("txt", "caption")
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
        """Take the settings."""
        self._settings = settings
        self._carried = carried_names(settings.columns, taken=("member",))

    def parts(self) -> Sequence[Part]:
        """Return a part for each tar."""
        files = find_files(self._settings.path, (".tar", ".tar.gz", ".tgz"))
        return [Part(file.name, (str(file),)) for file in files]

    def tables(self, files: Sequence[str], start: int = 0) -> Tables:
        """Yield pictures, captions and the named keys of the .json members."""
        block: list[Sample] = []
        size = 0
        with readable(files[0], "tar"):
            for sample in _samples(files[0], start, is_packed=not self.jumps(files[0])):
                size += _size(sample)
                if block and (len(block) == TABLE_ROWS or size > TABLE_BYTES):
                    table, block, size = self._rows(block, files[0]), [], _size(sample)
                    yield table
                block.append(sample)
            if block:
                yield self._rows(block, files[0])

    def jumps(self, file: str) -> bool:
        """Return whether it is a plain tar, in which members are passed over unread, and not a packed one."""
        with readable(file, "tar"), open(file, "rb") as handle:
            return not handle.read(max(map(len, PACKED))).startswith(PACKED)

    def _rows(self, samples: list[Sample], file: str) -> pa.Table:
        facts = [_parse(sample) for sample in samples]
        names = pa.array([clean_text(sample["name"]) for sample in samples], pa.string())
        columns = {
            "caption": pa.array([self._caption(*pair) for pair in zip(samples, facts, strict=True)], pa.string()),
            "url": pa.array([clean_text(fact.get("url")) for fact in facts], pa.string()),
            PROBLEM: pa.array([clean_text(sample.get("problem")) for sample in samples], pa.string()),
            BYTES: pa.array([sample.get("image") for sample in samples], pa.binary()),
            NAME: names,
            "member": names,
        }
        for final, name in self._carried.items():
            values = [fact.get(name) for fact in facts]
            columns[final] = column_of_json(values, name, self._settings.types, file)
        return with_carried(columns, self._carried, self._settings.types)

    def _caption(self, sample: Sample, fact: dict[str, Any]) -> str | None:
        if self._settings.caption_key is None:
            return None
        for suffix in TEXT_SUFFIXES:
            if suffix in sample:
                text: str = sample[suffix].decode("utf-8", "replace").strip()
                return text or None
        return first_text(fact.get(self._settings.caption_key))


def _samples(file: str, start: int, *, is_packed: bool) -> Iterator[Sample]:
    """Yield the rows of a tar from one on; one that ends in the middle gives its whole members, and the reason last."""
    current: Sample = {}
    row = -1
    try:
        # A plain tar is sought in, so that what nobody wants is not read; a packed one is a stream.
        with tarfile.open(file, "r|*" if is_packed else "r:") as tar:
            while (member := tar.next()) is not None:
                tar.members = []  # type: ignore[attr-defined]  # not declared; else it keeps every member it passed
                if not member.isfile():
                    continue
                base, suffix = _split(member.name)
                if base != current.get("name"):
                    if row >= start:
                        yield current
                    current, row = {"name": base}, row + 1
                if row >= start:
                    _add(current, suffix.lower(), member, tar)
    except READ_ERRORS as error:
        if not current:
            raise
        current["problem"] = f"bad_row: the tar ends here: {error}"
    if current and row >= start:
        yield current


def _add(sample: Sample, suffix: str, member: tarfile.TarInfo, tar: tarfile.TarFile) -> None:
    name = "image" if suffix in IMAGE_SUFFIXES else suffix
    if name in sample or name not in ("image", "json", *TEXT_SUFFIXES):
        return
    if member.size > MAX_PICTURE_BYTES:
        sample["problem"] = f"too_large: the member {member.name[-80:]} has {member.size} bytes"
        return
    handle = tar.extractfile(member)
    sample[name] = handle.read() if handle else b""


def _size(sample: Sample) -> int:
    return sum(len(value) for value in sample.values())


def _split(name: str) -> tuple[str, str]:
    """Return what is before and behind the first dot of the base name, as WebDataset splits it."""
    folder, slash, base = name.rpartition("/")
    stem, _, suffix = base.partition(".")
    return f"{folder}{slash}{stem}", suffix


def _parse(sample: Sample) -> dict[str, Any]:
    """Return what the .json member says; one that is nested too deeply is the problem of its row."""
    try:
        value = json.loads(sample["json"]) if sample.get("json") else {}
        json.dumps(value)  # as deep as it can be read it may not be written
    except ValueError:
        return {}
    except RecursionError:
        sample.setdefault("problem", "bad_row: the .json member is nested too deeply")
        return {}
    return value if isinstance(value, dict) else {}
