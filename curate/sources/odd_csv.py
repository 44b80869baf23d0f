"""A csv with a quote that is opened and not closed: which of its lines are rows nevertheless.

Such a quote takes the lines behind it into its field, up to the next quote, and that one opens a field anew. A field
may well have several lines; a quote is held to be unclosed where a line behind it reads as a row by itself: as many
fields as the header has, a URL where URLs stand. Such a line begins anew, whatever quotes stand in it.
"""

import csv
import io
from collections.abc import Iterator
from typing import IO, NamedTuple

import numpy as np

from diptych.curate.sources.columns import URL, clean_text

MAX_PROBLEM = 200
UNCLOSED = "a quote is opened and not closed"
TO_DO = "mend it, or say quote: false"
QUOTE_BLOCK_BYTES = 2**20
MARK = "\ufeff".encode().decode("latin-1")

# The fields of a row, or what is wrong with what might have been one.
OddRow = list[str] | str


class CsvShape(NamedTuple):
    """What a row of a csv looks like.

    Attributes:
        width: Fields of a row.
        url_at: The field with the URL.
        delimiter: Between two fields.
    """

    width: int
    url_at: int
    delimiter: str

    def fields(self, text: str) -> list[str] | None:
        """Return the fields of a text that is one row of csv, None of any other."""
        try:
            found = next(csv.reader([text], delimiter=self.delimiter), [])
        except csv.Error:  # also a field that is too long
            return None
        return found if len(found) == self.width else None

    def begins_row(self, line: str) -> bool:
        """Return whether a line behind an open quote is a row by itself, rather than more of the field.

        What closes the quote as csv has it, with nothing but a delimiter or the end of the line behind, is the field's.
        """
        fields = self.fields(line)
        if fields is None or not URL.match(fields[self.url_at]):
            return False
        return line.count('"') % 2 == 0 or not self.closes(line)

    def closes(self, line: str) -> bool:
        """Return whether a line closes, as csv has it, the quote that is open before it."""
        try:
            return len(list(csv.reader([f'"{line}', "\n"], delimiter=self.delimiter, strict=True))) > 1
        except csv.Error:
            return False

    def is_open(self, text: str) -> bool:
        """Return whether a quote is open behind a text, so that a line behind it would be in its field."""
        try:
            return len(list(csv.reader([text, "\n"], delimiter=self.delimiter))) == 1
        except csv.Error:
            return False


def odd_rows(handle: IO[bytes], shape: CsvShape, most_bytes: int) -> Iterator[OddRow]:
    r"""Yield the rows of a csv, and in their places what is wrong with what is none; bytes stand as Latin-1.

    Args:
        handle: Of the csv, whose lines may end in CR alone.
        shape: Of its rows.
        most_bytes: That a row may have.

    Raises:
        ValueError: If a row has more.

    >>> list(odd_rows(io.BytesIO(b'http://a,"open\nhttp://b,"quoted"\n'), CsvShape(2, 0, ","), 100))
    ['bad_row: a quote is opened and not closed: http://a,"open', ['http://b', 'quoted']]
    """
    pending, size = list[str](), 0
    with io.TextIOWrapper(handle, "latin-1", newline="") as lines:  # of which each character is one byte
        for number, read in enumerate(lines):
            line = read if number else read.removeprefix(MARK)
            if pending and shape.begins_row(line):
                yield _unclosed(pending[0])
                pending, size = [], 0
            if not pending and not line.strip("\r\n"):
                continue
            is_open = shape.is_open(f'"{line}' if pending else line)
            pending.append(line)
            size += len(line)
            if size > most_bytes:
                raise ValueError(too_long(most_bytes))
            if not is_open:
                yield _row("".join(pending), shape)
                pending, size = [], 0
    if pending:  # which has taken no row into its field
        yield _row("".join(pending).rstrip("\r\n"), shape)


def too_long(most_bytes: int) -> str:
    """Return what is said of a csv with a field of more bytes than are read at a time."""
    return f"a field has more than {most_bytes // 2**20} MiB; a quote may be opened and not closed: {TO_DO}"


def unparsed(text: str, found: int, wanted: int) -> str:
    """Return the problem of a text that has not the fields of the header."""
    return clean_text(f"bad_row: {f'{found} columns instead of {wanted}: {text}'[:MAX_PROBLEM]}") or ""


def has_open_quote(handle: IO[bytes], delimiter: str) -> bool:
    r"""Return whether a quote is opened and not closed, as far as the quotes themselves tell.

    Of quotes that are all closed the number is even, and behind each second one a field ends or a quote is escaped. Of
    two that are not, the second seems to close the first, and is followed by the text that it opens.

    >>> [has_open_quote(io.BytesIO(text), ",") for text in (b'1,"a\nb"\n', b'1,"a\n2,"b\n', b'1,"a\n')]
    [False, True, True]
    """
    ends = np.frombuffer(f'{delimiter}\r\n"'.encode(), np.uint8)
    count, is_closing = 0, False  # whether the last byte of the block before was a closing quote
    for block in iter(lambda: handle.read(QUOTE_BLOCK_BYTES), b""):
        data = np.frombuffer(block, np.uint8)
        if is_closing and data[0] not in ends:
            return True
        quotes = np.flatnonzero(data == ord('"'))
        closing = quotes[(count + 1) % 2 :: 2]
        behind = data[closing[closing + 1 < len(data)] + 1]
        if not np.isin(behind, ends).all():
            return True
        is_closing = bool(len(closing)) and bool(closing[-1] == len(data) - 1)
        count += len(quotes)
    return count % 2 == 1


def _row(text: str, shape: CsvShape) -> OddRow:
    try:
        fields = next(csv.reader([text], delimiter=shape.delimiter), [])
    except csv.Error as error:
        return f"bad_row: {error}"
    return fields if len(fields) == shape.width else unparsed(_decoded(text), len(fields), shape.width)


def _unclosed(line: str) -> str:
    return f"bad_row: {UNCLOSED}: {_decoded(line)}"[:MAX_PROBLEM]


def _decoded(text: str) -> str:
    """Return a text whose bytes stand as Latin-1, without the end of its line."""
    return text.rstrip("\r\n").encode("latin-1").decode("utf-8", "replace")
