"""Records of a user's text: rows under a header, or a JSON object in each line. Knows no column by its name."""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

from diptych.errors import DataError

MAX_SHOWN = 80  # characters of a wrong line that a message repeats
ARRAY = re.compile(r"\s*\[\s*\{")  # how all objects in one array begin
COMMAS, TABS = ",", "\t"
DELIMITERS = (";", TABS, "|", COMMAS)  # that programs write between fields


def delimiter_problem(header: Sequence[str], delimiter: str) -> str:
    r"""Return what to do about a table whose columns are separated by something else; empty where they are not.

    Args:
        header: As it was read: one column, where nothing in it separates any.
        delimiter: By which it was read.

    >>> delimiter_problem(["url;caption"], ",")
    "its columns are separated by ';', not by ','; save it with commas as .csv, or with tabs as .tsv"
    >>> delimiter_problem(["url", "a;b"], ",")
    ''
    """
    (only,) = header if len(header) == 1 else [""]
    other = next((one for one in DELIMITERS if one != delimiter and one in only), None)
    if other is None:
        return ""
    said = f"its columns are separated by {other!r}, not by {delimiter!r}"
    return f"{said}; save it with commas as .csv, or with tabs as .tsv"


def no_text_problem(error: UnicodeDecodeError, lines_before: int = 0) -> str:
    r"""Return where a text has a byte that its encoding does not know, and what to do: Excel writes others.

    Args:
        error: What decoding it, or a part of it that begins with a line, has said.
        lines_before: In what comes before that part.

    >>> try: b"a cat\nschn\xf6".decode()
    ... except UnicodeDecodeError as error: print(no_text_problem(error))
    line 2 has a byte that is no UTF-8: 0xf6; save it as UTF-8 (in Excel: CSV UTF-8)
    """
    line = lines_before + error.object.count(b"\n", 0, error.start) + 1
    said = f"line {line} has a byte that is no {error.encoding.upper()}: 0x{error.object[error.start]:02x}"
    return f"{said}; save it as UTF-8 (in Excel: CSV UTF-8)"


class HeadedRows:
    """The rows of a table, each with the number of its last line; read as they are asked for.

    Fields are separated by tabs in a ``.tsv``, by commas elsewhere.
    """

    def __init__(self, text: str, file: PurePath) -> None:
        """Read the header.

        Args:
            text: Of the table.
            file: Whose it is, for messages and for what separates its fields.

        Raises:
            DataError: If a column stands there twice, or something else separates the columns.
        """
        delimiter = TABS if file.suffix.lower() == ".tsv" else COMMAS
        self._table = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        self._file = file
        with self._named():
            self.header = tuple(self._table.fieldnames or ())
        if problem := delimiter_problem(self.header, delimiter):
            raise DataError(f"{file}: {problem}")
        if twice := {name for name in self.header if name and self.header.count(name) > 1}:
            raise DataError(f"{file}:1: a column stands there twice ({', '.join(sorted(twice))}); rename one")

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield line and fields of each row.

        Raises:
            DataError: If one has not as many fields as the header, or its quotes are not closed.
        """
        with self._named():
            for row in self._table:
                line = self._table.line_num
                if None in row or None in row.values():
                    raise DataError(f"{self._file}:{line}: the row has not the {len(self.header)} fields of the header")
                yield line, row

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except csv.Error as error:
            raise DataError(f"{self._file}: after line {self._table.line_num}: {error}") from error


def json_lines(text: str, file: PurePath) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield number and object of each line that is not empty.

    Raises:
        DataError: If one is no JSON object, or all are in one array.
    """
    if ARRAY.match(text):
        raise DataError(f"{file}: one JSON array; JSON Lines has an object in each line, without brackets around all")
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, _object(line, f"{file}:{number}")


def whole_json(text: str) -> Any:
    r"""Return the value that a JSON text is.

    Raises:
        ValueError: If it is none, is nested too deeply, or has half of a character, which no file can hold.

    >>> whole_json('"\\ud83d"')
    Traceback (most recent call last):
    ValueError: \ud83d is half of a character; write the other half beside it, or none
    """
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = ascii(error.object[error.start])[1:-1]
        raise ValueError(f"{half} is half of a character; write the other half beside it, or none") from error
    except RecursionError as error:
        raise ValueError("not JSON: nested too deeply") from error
    return value


def json_value(text: str, where: PurePath | str) -> Any:
    """Return the value that a JSON text is.

    Args:
        text: Of a file, or of a part of it.
        where: It stands, for messages.

    Raises:
        DataError: See ``whole_json``.
    """
    try:
        return whole_json(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{where}: not JSON: {error}") from error
    except ValueError as error:
        raise DataError(f"{where}: {error}") from error


def _object(text: str, where: str) -> dict[str, Any]:
    value = json_value(text, where)
    if not isinstance(value, dict):
        raise DataError(f"{where}: must be a JSON object, got {text[:MAX_SHOWN]!r}")
    return value
