"""Files of text as bytes and lines, packed or not; one that ends too early is read up to its last whole line.

Decides nothing about what is in the lines.
"""

import bz2
import codecs
import gzip
import io
import lzma
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import IO, Any

import pyarrow as pa

from diptych.curate.sources.bounded import in_tables
from diptych.curate.sources.files import READ_ERRORS, is_about_content
from diptych.curate.sources.marked_text import UTF8, encoding_of
from diptych.curate.sources.packings import known_packing
from diptych.data.text_records import no_text_problem
from diptych.errors import DataError, first_line
from diptych.storage.store_path import listed_path

LONGEST_MARK = len(codecs.BOM_UTF32_LE)
CHUNK_BYTES = 2**14  # unpacked at a time; of zstd as much may be lost before the place where it ends too early
BUFFER_BYTES = 2**18
SCANNED_BYTES = 2**20
MOST_WAITING = 64 * 2**20  # bytes without an end of line that are held back

OPENERS: dict[str, Callable[[IO[bytes]], Any]] = {
    "bzip2": bz2.BZ2File,
    "gzip": lambda handle: gzip.GzipFile(fileobj=handle),
    "xz": lzma.LZMAFile,
    "zstd": partial(pa.input_stream, compression="zstd"),
}


def _say_nothing(why: str) -> None:
    pass


@contextmanager
def opened_text(file: str, on_cut: Callable[[str], None] = _say_nothing) -> Iterator[IO[bytes]]:
    """Open a file of text, and unpack it as it is read.

    Args:
        file: Its path.
        on_cut: Is told why a packed one ends too early, when it is read up to there.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is packed in a way that is not read.
    """
    packed = known_packing(file, OPENERS)
    if not packed:
        with listed_path(file).open("rb") as handle:
            yield handle
        return
    with (
        listed_path(file).open("rb") as handle,
        OPENERS[packed](handle) as unpacked,
        io.BufferedReader(_WholeLines(unpacked, on_cut), BUFFER_BYTES) as whole,
    ):
        yield whole


class _WholeLines(io.RawIOBase):
    """What is unpacked, as far as it can be, without a line that is not whole because of that.

    Where not even the first line is whole, reading raises what the library does.
    """

    def __init__(self, unpacked: Any, on_cut: Callable[[str], None]) -> None:
        self._unpacked, self._on_cut = unpacked, on_cut
        self._ready, self._waiting = memoryview(b""), b""
        self._has_begun, self._is_at_end = False, False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]  # narrower than any buffer
        while not self._ready and not self._is_at_end:
            self._unpack()
        count = min(len(buffer), len(self._ready))
        buffer[:count], self._ready = self._ready[:count], self._ready[count:]
        return count

    def _unpack(self) -> None:
        try:
            read = self._unpacked.read1(CHUNK_BYTES)
        except READ_ERRORS as error:
            if not (is_about_content(error) and self._has_begun):
                raise
            self._is_at_end = True
            self._on_cut(first_line(error))
            return
        data, self._is_at_end = self._waiting + read, not read
        whole = len(data) if self._is_at_end or len(data) > MOST_WAITING else data.rfind(b"\n") + 1
        self._ready, self._waiting = memoryview(data)[:whole], data[whole:]
        self._has_begun = self._has_begun or whole > 0


def refuse_other_encodings(handle: IO[bytes], file: str) -> None:
    """Raise where the mark at the start of a file that was just opened is that of UTF-16 or UTF-32.

    Raises:
        DataError: If it is.
    """
    encoding = encoding_of(handle.peek(LONGEST_MARK)[:LONGEST_MARK])  # type: ignore[attr-defined]  # all of ours can
    if encoding != UTF8:
        raise DataError(f"{file}: cannot be read as text: it is {encoding.upper()}; save it as UTF-8")


def refuse_other_bytes(file: str) -> None:
    """Read a file of text to its end, and refuse one with bytes that are no UTF-8: all of it is in another encoding.

    Raises:
        DataError: If it has some; says in which line.
    """
    decoder, lines = codecs.getincrementaldecoder("utf-8")(), 0
    with opened_text(file) as handle:
        is_at_end = False
        while not is_at_end:
            block = handle.read(SCANNED_BYTES)
            is_at_end = not block
            try:
                decoder.decode(block, is_at_end)
            except UnicodeDecodeError as error:
                raise DataError(f"{file}: {no_text_problem(error, lines)}") from error
            lines += block.count(b"\n")


def line_blocks(handle: IO[bytes], file: str) -> Iterator[list[bytes]]:
    """Return the lines of UTF-8 that are not empty, as many at a time as a table may hold; they may end in CR alone.

    Raises:
        DataError: If the text is UTF-16 or UTF-32, or has bytes that are no UTF-8.
    """
    return in_tables(filter(bytes.strip, _lines(handle, file)), len, list)


def _lines(handle: IO[bytes], file: str) -> Iterator[bytes]:
    """Yield the lines, without the mark before the first one."""
    refuse_other_encodings(handle, file)
    with io.TextIOWrapper(handle, "latin-1") as lines:  # of which each character is one byte
        for number, line in enumerate(lines):
            data = line.encode("latin-1")
            try:
                data.decode()
            except UnicodeDecodeError as error:
                raise DataError(f"{file}: {no_text_problem(error, number)}") from error
            yield data if number else data.removeprefix(codecs.BOM_UTF8)
