"""The content of the rows of a tar: sought wherever it stands in a plain one, in one pass over a packed one."""

import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise

from diptych.curate.sources.tar_layout import TarRow
from diptych.curate.sources.tar_listing import TarListing
from diptych.curate.sources.tars import member_content, open_tar
from diptych.data.picture_files import MAX_PICTURE_BYTES
from diptych.storage.store_path import listed_path

MAX_KEPT_BYTES = 64 * 2**20  # of members of a packed tar that later rows want again
TORN = "bad_row: its members do not stand one after the other, as they must in a packed tar; unpack it"


@dataclass
class TarSample:
    """A row and what was read of it.

    Attributes:
        row: The row.
        problem: Why it is unusable.
        contents: Of its members, by their numbers; one in which the tar ends is not there.
    """

    row: TarRow
    problem: str | None = None
    contents: dict[int, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How much it weighs."""
        return sum(map(len, self.contents.values()))

    def content(self, number: int | None) -> bytes | None:
        """Return the content of a member, None where there is none."""
        return None if number is None else self.contents.get(number)

    def put(self, number: int, data: bytes | None) -> None:
        """Take the content of a member."""
        if data is not None:
            self.contents[number] = data


def sought(file: str, listing: TarListing, start: int) -> Iterator[TarSample]:
    """Yield the rows of a plain tar from one on."""
    with listed_path(file).open("rb") as handle, tarfile.open(fileobj=handle, mode="r:") as tar:
        for row in listing.rows[start:]:
            sample = TarSample(row, row.problem)
            for number in row.members:
                offset, size = listing.places[number]
                if size > MAX_PICTURE_BYTES:
                    sample.problem = _too_large(number, listing)
                elif number in listing.sparse:
                    sample.put(number, member_content(tar, listing.sparse[number]))
                else:
                    handle.seek(offset)
                    data = handle.read(size)
                    sample.put(number, data if len(data) == size else None)
            yield sample


def streamed(file: str, listing: TarListing, start: int) -> Iterator[TarSample]:
    """Yield the rows of a packed tar from one on, in one pass over it."""
    rows = listing.rows[start:]
    is_torn = [row.last > following.first for row, following in pairwise(rows)] + [False]
    wanted = [() if torn else row.members for row, torn in zip(rows, is_torn, strict=True)]
    kept = _Kept(wanted, listing)
    at, member = -1, tarfile.TarInfo()
    with open_tar(file) as tar:
        members = tar.entries()
        for row, torn, numbers in zip(rows, is_torn, wanted, strict=True):
            sample = TarSample(row, row.problem or (TORN if torn else None))
            for number in numbers:
                while at < number:
                    at, member = at + 1, next(members)
                    if kept.wants(at):
                        kept.put(at, member_content(tar, member))
                if listing.places[number][1] > MAX_PICTURE_BYTES:
                    sample.problem = _too_large(number, listing)
                elif kept.holds(number):
                    sample.put(number, kept.take(number))
                elif number == at:
                    sample.put(number, member_content(tar, member))
                else:
                    sample.problem = sample.problem or TORN
            yield sample


class _Kept:
    """Members of a packed tar that rows want when they have been passed already, as texts of several pictures are."""

    def __init__(self, wanted: Sequence[Sequence[int]], listing: TarListing) -> None:
        self._uses = Counter(dict.fromkeys(passed_before(wanted), 0))
        self._uses.update(number for number in chain.from_iterable(wanted) if number in self._uses)
        self._places, self._data, self._bytes = listing.places, dict[int, bytes | None](), 0

    def wants(self, number: int) -> bool:
        """Return whether a member is wanted later, and not too much is kept already."""
        return number in self._uses and self._bytes + self._places[number][1] <= MAX_KEPT_BYTES

    def holds(self, number: int) -> bool:
        return number in self._data

    def put(self, number: int, data: bytes | None) -> None:
        self._data[number] = data
        self._bytes += len(data or b"")

    def take(self, number: int) -> bytes | None:
        """Return a member; what nobody wants again is let go."""
        self._uses[number] -= 1
        if self._uses[number]:
            return self._data[number]
        data = self._data.pop(number)
        self._bytes -= len(data or b"")
        return data


def passed_before(wanted: Iterable[Sequence[int]]) -> set[int]:
    """Return the members that a row wants when they have been passed already.

    >>> passed_before([(0, 1), (0, 2), (3,)])
    {0}
    """
    at, found = -1, set[int]()
    for number in chain.from_iterable(wanted):
        if number <= at:
            found.add(number)
        at = max(at, number)
    return found


def _too_large(number: int, listing: TarListing) -> str:
    return f"too_large: the member {listing.names[number][-80:]} has {listing.places[number][1]} bytes"
