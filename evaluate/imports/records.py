"""The records of a table: CSV with a header, or JSONL with an object in each line, as words by column."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from diptych.errors import DataError, one_line

Words = Mapping[str, str]


def records(text: str, file: Path) -> Iterator[tuple[int, Words]]:
    """Yield line and values of each record; what in JSON is no text, whole number or truth is not there.

    Raises:
        DataError: If a record has another form.
    """
    return _json_lines(text, file) if file.suffix.lower() in (".jsonl", ".ndjson") else _csv_rows(text, file)


def _csv_rows(text: str, file: Path) -> Iterator[tuple[int, Words]]:
    table = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        header = list(table.fieldnames or ())
        if len(set(header)) < len(header):
            raise DataError(f"{file}:1: a column stands there twice ({', '.join(header)}); rename one")
        for row in table:
            if None in row or None in row.values():
                raise DataError(f"{file}:{table.line_num}: the row has not the {len(header)} fields of the header")
            yield table.line_num, row
    except csv.Error as error:
        raise DataError(f"{file}: after line {table.line_num}: {error}") from error


def _json_lines(text: str, file: Path) -> Iterator[tuple[int, Words]]:
    for line, said in enumerate(text.split("\n"), start=1):
        if not said.strip():
            continue
        try:
            given = json.loads(said)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{file}:{line}: not JSON: {one_line(error)}") from error
        if not isinstance(given, dict):
            raise DataError(f"{file}:{line}: each line is an object, got {said.strip()[:40]}")
        yield line, {name: _word(value) for name, value in given.items() if isinstance(value, int | str)}


def _word(value: int | str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
