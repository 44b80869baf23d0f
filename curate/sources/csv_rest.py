"""What is left of a csv when the rows that can be parsed are read: those that cannot, and those that they swallowed.

A quote that is opened and not closed takes the lines behind it into its field. A field may well have several lines; it
has swallowed rows if one of them reads as a row by itself: as many fields as the header has, a URL where URLs stand.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from typing import IO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from diptych.curate.sources.columns import clean_text
from diptych.curate.sources.contract import TABLE_ROWS

URL = re.compile(r"\s*https?://", re.IGNORECASE)
MAX_PROBLEM = 200
UNCLOSED = "a quote is opened and not closed"
END = re.compile(r"\r\n|\r|\n")
QUOTE_BLOCK_BYTES = 2**20


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

    def row_in(self, line: str) -> list[str] | None:
        """Return the fields of a line that reads as a row by itself, None of any other."""
        if line.count('"') % 2:
            return None
        try:
            fields = next(csv.reader([line], delimiter=self.delimiter), [])
        except csv.Error:
            return None
        return fields if len(fields) == self.width and URL.match(fields[self.url_at]) else None


def swallowed_rows(fields: Sequence[str | None], shape: CsvShape) -> list[list[str]]:
    r"""Return the rows that the fields of a row, read as csv, have swallowed; none where it is a row as others are.

    >>> swallowed_rows(["http://a.example", "open\nhttp://b.example,b\nhttp://c.example,c"], CsvShape(2, 0, ","))
    [['http://b.example', 'b'], ['http://c.example', 'c']]
    """
    lines = (line for field in fields if field for line in END.split(field)[1:])
    return [row for line in lines if (row := shape.row_in(line)) is not None]


def has_open_quote(handle: IO[bytes], delimiter: str) -> bool:
    r"""Return whether a quote is opened and not closed, as far as the quotes themselves tell.

    Of quotes that are all closed the number is even, and behind each second one a field ends or a quote is escaped. Of
    two that are not, the second seems to close the first, and is followed by the text that it opens.

    >>> import io
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


class CsvRest:
    """Gathers what is left of one csv."""

    def __init__(self, shape: CsvShape) -> None:
        """Begin with nothing."""
        self._shape = shape
        self._swallowed: list[list[str]] = []
        self._problems: list[str] = []

    def add_unparsed(self, why: str, text: str) -> None:
        """Take the text of a row that has not the fields of the header."""
        swallowed = swallowed_rows([text], self._shape)
        self._swallowed += swallowed
        self._problems.append(_problem(f"{UNCLOSED}: {END.split(text)[0]}" if swallowed else f"{why}: {text}"))

    def sound(self, table: pa.Table) -> pa.Table:
        """Return the rows of a table (binary columns) that have swallowed none, and keep the others."""
        has_lines = [pc.or_(pc.match_substring(column, b"\n"), pc.match_substring(column, b"\r")) for column in table]
        suspects = [
            number for column in has_lines for number in pc.indices_nonzero(pc.fill_null(column, False)).to_pylist()
        ]
        taken = set[int]()
        for number in dict.fromkeys(suspects):
            fields = [_text(column[number].as_py()) for column in table]
            swallowed = swallowed_rows(fields, self._shape)
            if swallowed:
                taken.add(number)
                self._swallowed += swallowed
                self._problems.append(
                    _problem(f"{UNCLOSED}: {END.split(' '.join(field or '' for field in fields))[0]}")
                )
        return table.filter(pa.array([number not in taken for number in range(table.num_rows)])) if taken else table

    def tables(self, header: Sequence[str]) -> Iterator[tuple[pa.Table, list[str | None] | None]]:
        """Yield the rows that were swallowed, and then a row without values for each problem."""
        for start in range(0, len(self._swallowed), TABLE_ROWS):
            columns = zip(*self._swallowed[start : start + TABLE_ROWS], strict=True)
            arrays = [pa.array([field.encode() or None for field in column], pa.binary()) for column in columns]
            yield pa.table(arrays, names=list(header)), None
        for start in range(0, len(self._problems), TABLE_ROWS):
            problems: list[str | None] = [*self._problems[start : start + TABLE_ROWS]]
            yield pa.table({name: pa.nulls(len(problems), pa.binary()) for name in header}), problems


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")


def _problem(text: str) -> str:
    return clean_text(f"bad_row: {text[:MAX_PROBLEM]}") or ""
