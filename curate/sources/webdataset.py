"""WebDataset tars: members with the same base name are one row, see ``tar_layout``.

The headers of a tar are read first. In a plain tar the members are then sought wherever they stand; in a packed one,
which can only be read from its beginning, the members of a row have to follow each other.
"""

import json
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from diptych.curate.config import CAPTION_KEY, WebDataset
from diptych.curate.sources.bounded import in_tables
from diptych.curate.sources.column_types import column_of_json, with_carried
from diptych.curate.sources.columns import caption_text, carried_names, clean_text, first_text
from diptych.curate.sources.contract import BYTES, MAX_PICTURE_BYTES, NAME, PROBLEM, Part, Tables
from diptych.curate.sources.files import READ_ERRORS, find_files, is_about_content, readable
from diptych.curate.sources.marked_text import text_of
from diptych.curate.sources.tar_layout import MemberKeys, TarRow, rows_of_cut_tar, rows_of_members
from diptych.curate.sources.tars import BehindEnd, open_tar, packing
from diptych.data.schema import MEMBER

NO_NAME = ""  # of the row that says of a tar why it cannot be read (on), where no other row can
TORN = "bad_row: its members do not stand one after the other, as they must in a packed tar; unpack it"

Sample = dict[str, Any]


class _Listing(NamedTuple):
    """The rows of a tar and where its members lie.

    Attributes:
        rows: The rows.
        names: Of the members.
        places: Offset and size of the content of each member.
        sparse: What is needed to read members that are not stored as they are, by their numbers.
    """

    rows: list[TarRow]
    names: list[str]
    places: list[tuple[int, int]]
    sparse: dict[int, tarfile.TarInfo]


class WebDatasetSource:
    """See ``WebDataset`` in the config."""

    def __init__(self, settings: WebDataset) -> None:
        """Take the settings."""
        self._settings = settings
        self._carried = carried_names(settings.columns, taken=(MEMBER,))
        named = settings.caption_key if settings.caption_key != CAPTION_KEY else None  # what is found in any case
        image = settings.image_key.lower().lstrip(".") if settings.image_key else None
        self._listed = lru_cache(maxsize=1)(partial(_listed, keys=MemberKeys(image, named)))

    def parts(self) -> Sequence[Part]:
        """Return a part for each tar."""
        files = find_files(self._settings.path, (".tar", ".tar.gz", ".tgz"))
        return [Part(file.name, (str(file),)) for file in files]

    def tables(self, files: Sequence[str], start: int = 0) -> Tables:
        """Yield pictures, captions and the named keys of the .json members."""
        with readable(files[0], "tar"):
            samples = self._samples(files[0], start)
            yield from in_tables(samples, _size, lambda some: self._rows(some, files[0]))

    def jumps(self, file: str) -> bool:
        """Return whether it is a plain tar, in which members are passed over unread, and not a packed one."""
        with readable(file, "tar"):
            return not packing(file)

    def _rows(self, samples: list[Sample], file: str) -> pa.Table:
        facts = [_parse(sample) for sample in samples]
        names = pa.array([clean_text(sample["name"]) for sample in samples], pa.string())
        is_named = pc.not_equal(names, NO_NAME)
        columns = {
            "caption": pa.array([self._caption(*pair) for pair in zip(samples, facts, strict=True)], pa.string()),
            "url": pa.array([clean_text(fact.get("url")) for fact in facts], pa.string()),
            PROBLEM: pa.array([clean_text(sample.get("problem")) for sample in samples], pa.string()),
            BYTES: pa.array([sample.get("image") for sample in samples], pa.binary()),
            NAME: pc.if_else(is_named, names, None),
            MEMBER: pc.if_else(is_named, names, clean_text(Path(file).name)),
        }
        for final, name in self._carried.items():
            values = [fact.get(name) for fact in facts]
            columns[final] = column_of_json(values, name, self._settings.types, file)
        return with_carried(columns, self._carried, self._settings.types)

    def _caption(self, sample: Sample, fact: dict[str, Any]) -> str | None:
        if self._settings.caption_key is None:
            return None
        text = first_text(text_of(sample.get("caption", b""), "replace"))
        return text or caption_text(fact.get(self._settings.caption_key), self._settings.caption_list)

    def _samples(self, file: str, start: int) -> Iterator[Sample]:
        """Yield the rows of a tar from one on."""
        listing = self._listed(file)
        if not listing.names:
            yield from map(_begun, listing.rows[start:])
            return
        read = _sought if self.jumps(file) else _streamed
        yield from read(file, listing, start)


def _listed(file: str, *, keys: MemberKeys) -> _Listing:
    names, places, sparse, problem = list[str](), list[tuple[int, int]](), dict[int, tarfile.TarInfo](), None
    is_whole = False
    try:
        with open_tar(file) as tar:
            for member in tar.files():
                if member.issparse():
                    sparse[len(names)] = member
                names.append(member.name)
                places.append((member.offset_data, member.size))
    except READ_ERRORS as error:
        if not is_about_content(error):
            raise
        is_whole = isinstance(error, BehindEnd)
        problem = f"bad_row: {'the tar ends here' if names else 'cannot be read as tar'}: {error}"
    rows = rows_of_members(names, keys)
    if problem and (is_whole or not rows):
        rows = [*rows, TarRow(NO_NAME, len(names), None, None, None, problem)]
    elif problem:
        rows = rows_of_cut_tar(rows, problem)
    return _Listing(rows, names, places, sparse)


def _sought(file: str, listing: _Listing, start: int) -> Iterator[Sample]:
    """Yield the rows of a plain tar."""
    with open(file, "rb") as handle, tarfile.open(fileobj=handle, mode="r:") as tar:
        for row in listing.rows[start:]:
            sample = _begun(row)
            for number in row.members:
                offset, size = listing.places[number]
                if size > MAX_PICTURE_BYTES:
                    sample["problem"] = _too_large(number, listing)
                elif number in listing.sparse:
                    _put(sample, row, number, _content(tar, listing.sparse[number]))
                else:
                    handle.seek(offset)
                    data = handle.read(size)
                    _put(sample, row, number, data if len(data) == size else None)
            yield sample


def _streamed(file: str, listing: _Listing, start: int) -> Iterator[Sample]:
    """Yield the rows of a packed tar, in one pass over it."""
    rows = listing.rows[start:]
    is_torn = [row.last > following.first for row, following in pairwise(rows)] + [False]
    wanted = [() if torn else row.members for row, torn in zip(rows, is_torn, strict=True)]
    shared, kept = _behind(wanted), dict[int, bytes | None]()
    at, member = -1, tarfile.TarInfo()
    with open_tar(file) as tar:
        members = tar.files()
        for row, torn, numbers in zip(rows, is_torn, wanted, strict=True):
            sample = _begun(row)
            if torn:
                sample["problem"] = row.problem or TORN
            for number in numbers:
                while at < number:
                    at, member = at + 1, next(members)
                    if at in shared and listing.places[at][1] <= MAX_PICTURE_BYTES:
                        kept[at] = _content(tar, member)
                if number in shared:
                    _put(sample, row, number, kept.get(number))
                elif member.size > MAX_PICTURE_BYTES:
                    sample["problem"] = _too_large(number, listing)
                else:
                    _put(sample, row, number, _content(tar, member))
            yield sample


def _behind(wanted: Iterable[Sequence[int]]) -> set[int]:
    """Return the members that a row wants when they have been passed already: texts of several pictures.

    >>> _behind([(0, 1), (0, 2), (3,)])
    {0}
    """
    at, found = -1, set[int]()
    for number in chain.from_iterable(wanted):
        if number <= at:
            found.add(number)
        at = max(at, number)
    return found


def _begun(row: TarRow) -> Sample:
    return {"name": row.name} if row.problem is None else {"name": row.name, "problem": row.problem}


def _put(sample: Sample, row: TarRow, number: int, data: bytes | None) -> None:
    if data is not None:
        sample[{row.picture: "image", row.caption: "caption", row.facts: "json"}[number]] = data


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes | None:
    """Return the content of a member, None where the tar ends within it."""
    try:
        handle = tar.extractfile(member)
        return handle.read() if handle else None
    except READ_ERRORS as error:
        if not is_about_content(error):
            raise
        return None


def _too_large(number: int, listing: _Listing) -> str:
    return f"too_large: the member {listing.names[number][-80:]} has {listing.places[number][1]} bytes"


def _size(sample: Sample) -> int:
    return sum(len(value) for value in sample.values())


def _parse(sample: Sample) -> dict[str, Any]:
    """Return what the .json member says; one that is nested too deeply is the problem of its row."""
    try:
        value = json.loads(text_of(sample["json"])) if sample.get("json") else {}
        json.dumps(value)  # as deep as it can be read it may not be written
    except ValueError:
        return {}
    except RecursionError:
        sample.setdefault("problem", "bad_row: the .json member is nested too deeply")
        return {}
    return value if isinstance(value, dict) else {}
