"""Read an answer of HTTP/1 from its first byte: status, header fields, chunks and what comes behind them.

A parser that goes by the book stops at a line that is none, and what stands behind it, be it an owner's no or the
length of the body, is lost. This one takes each line for itself: one that cannot be read costs itself and no other.
Decides what was said, not what follows from it.
"""

import http.client
import io
import re
from typing import Any, NamedTuple

Fields = list[tuple[str, str]]  # name and value in the order sent, both without white space around them

MAX_LINE_BYTES = 65536
MAX_FIELD_LINES = 100

_STATUS_LINE = re.compile(r"HTTP/1\.\d+\s+([1-9]\d\d)(?:\s+(.*))?")
_CHUNK_SIZE = re.compile(rb"0*[0-9a-fA-F]{1,15}")  # more than any disk holds is no size
_MOST_DIGITS = 18  # of a length that is read; one of more says that it is too much, whatever follows them
_SWITCHED = 101  # of all that begin with 1 the only one behind which no answer of HTTP/1 follows (RFC 9110, 15.2)


class AnswerHead(NamedTuple):
    """What comes before a body.

    Attributes:
        status: 100 to 999.
        reason: The text behind it, may be empty.
        fields: The header.
        early: The fields of the interim answers before it, which hold for it where they say how it may be used.
    """

    status: int
    reason: str
    fields: Fields
    early: Fields

    def get(self, name: str) -> str | None:
        """Return the first value of a field, or None."""
        return next(iter(self._values(name)), None)

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks (RFC 9112, 6.1)."""
        return self.elements("transfer-encoding")[-1:] == ["chunked"]

    @property
    def length(self) -> int | None:
        """The bytes of the body; None where nothing says it.

        Raises:
            HTTPException: If it is said in several ways, or by what is no length (RFC 9112, 6.3).
        """
        if self.status == 204:
            return 0
        if self.is_chunked:
            return None
        said = self.elements("content-length")
        if wrong := next((one for one in said if not re.fullmatch("[0-9]+", one)), None):
            raise http.client.HTTPException(f"a Content-Length that is none: {wrong[:_MOST_DIGITS]!r}")
        lengths = {int(one.lstrip("0")[:_MOST_DIGITS] or "0") for one in said}
        if len(lengths) > 1:
            raise http.client.HTTPException(f"a Content-Length of {min(lengths)} and one of {max(lengths)}")
        return next(iter(lengths), None)

    def elements(self, name: str) -> list[str]:
        """Return the elements of a field that is a list, in lower case; empty ones are none (RFC 9110, 5.6.1.2)."""
        parts = [part.strip().lower() for value in self._values(name) for part in value.split(",")]
        return [part for part in parts if part]

    def _values(self, name: str) -> list[str]:
        wanted = name.lower()
        return [value for field, value in self.fields if field.lower() == wanted]


class ChunkReader(io.RawIOBase):
    """The bytes that the chunks of a body hold (RFC 9112, 7.1).

    Attributes:
        trailer: The fields behind the last chunk; empty until that was read.
    """

    def __init__(self, file: io.BufferedIOBase) -> None:
        """Read chunks from ``file``, which stays open."""
        self.trailer: Fields = []
        self._file = file
        self._left = 0
        self._is_over = False

    def readable(self) -> bool:
        """Say to whoever buffers it that there is something to read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` with what comes next of one chunk; 0 after the last.

        Raises:
            HTTPException: If it is no chunk, or the connection ends before the last one.
        """
        if not self._left and not self._is_over:
            self._left = _chunk_size(self._file)
            if not self._left:
                self._is_over = True
                self.trailer = _read_fields(self._file)
        if self._is_over:
            return 0
        size = self._file.readinto1(memoryview(buffer)[: self._left])
        if not size:
            raise http.client.IncompleteRead(b"", self._left)
        self._left -= size
        if not self._left:
            self._file.readline(MAX_LINE_BYTES)  # the end of the line, which belongs to no chunk
        return size


def read_head(file: io.BufferedIOBase) -> AnswerHead:
    """Return the head of an answer, interim answers before it included; ``file`` then stands at the body.

    Raises:
        HTTPException: If it is no answer of HTTP/1, or a line or their number passes all bounds.
        RemoteDisconnected: If nothing comes.
    """
    early: Fields = []
    while True:
        line = _read_line(file)
        if not line:
            raise http.client.RemoteDisconnected("Remote end closed connection without response")
        match = _STATUS_LINE.fullmatch(line.strip())
        if match is None:
            raise http.client.BadStatusLine(line)
        head = AnswerHead(int(match[1]), match[2] or "", _read_fields(file), early)
        if head.status >= 200 or head.status == _SWITCHED:
            return head
        early = early + head.fields
        if len(early) > MAX_FIELD_LINES:
            raise http.client.HTTPException(f"got more than {MAX_FIELD_LINES} headers")


def _read_fields(file: io.BufferedIOBase) -> Fields:
    """Return the fields up to the empty line.

    White space before a colon is none of the name's. A line that begins with white space goes on with the field before
    it (RFC 9112, 5.2); where there is none, it is one itself.
    """
    fields: Fields = []
    goes_on = False
    for _ in range(MAX_FIELD_LINES + 1):
        line = _read_line(file).rstrip("\r\n")
        if not line:
            return fields
        for part in line.split("\r"):  # some take a bare one for the end of a line, and what follows may be a no
            name, colon, value = part.partition(":")
            if goes_on and part[:1] in {" ", "\t"}:
                fields[-1] = (fields[-1][0], f"{fields[-1][1]} {part.strip()}".strip())
                continue
            goes_on = bool(colon)
            if colon:
                fields.append((name.strip(), value.strip()))
    raise http.client.HTTPException(f"got more than {MAX_FIELD_LINES} headers")


def _read_line(file: io.BufferedIOBase) -> str:
    """Return the next line with its end, as Latin-1; empty at the end of the connection."""
    line = file.readline(MAX_LINE_BYTES + 1)
    if len(line) > MAX_LINE_BYTES:
        raise http.client.LineTooLong("header line")
    return line.decode("latin-1")


def _chunk_size(file: io.BufferedIOBase) -> int:
    line = file.readline(MAX_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise http.client.IncompleteRead(line)
    size = line.partition(b";")[0].strip()
    if _CHUNK_SIZE.fullmatch(size) is None:
        raise http.client.HTTPException(f"a chunk that is none: its size is {size[:20]!r}")
    return int(size, 16)
