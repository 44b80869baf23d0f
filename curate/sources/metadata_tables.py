"""``metadata.jsonl``, ``.csv``, ``.tsv`` or ``.parquet`` of a folder: its rows, or why they speak of no picture.

Decides nothing about which picture a row means, and which of its facts is the caption.
"""

import csv
import io
import json
from collections.abc import Collection, Iterable, Sequence
from pathlib import PurePath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from diptych.curate.sources.column_types import column_of_text
from diptych.curate.sources.files import readable
from diptych.curate.sources.json_facts import Facts
from diptych.curate.sources.marked_text import text_of
from diptych.curate.sources.part_columns import name_there
from diptych.data.text_records import COMMAS, TABS, delimiter_problem
from diptych.errors import DataError

METADATA = ("metadata.jsonl", "metadata.csv", "metadata.tsv", "metadata.parquet")
FILE_NAME = "file_name"
ALSO_CALLED = ("file", "filename")  # where no row has FILE_NAME
NAMES = (FILE_NAME, *ALSO_CALLED)
DELIMITERS = {".csv": COMMAS, ".tsv": TABS}
WORDS = {COMMAS: "commas", TABS: "tabs"}
MAX_SHOWN, MAX_NAMES = 60, 12


def metadata_rows(file: PurePath, data: bytes, texts: Collection[str]) -> list[dict[str, Any]]:
    """Return the rows of a table, their values as what they are.

    Args:
        file: One of ``METADATA``.
        data: Its content.
        texts: Columns of csv that are text, whatever they hold.

    Raises:
        DataError: If it cannot be read, a row does not say its picture or has more fields than the header, or its
            columns are separated by something else than its name says.
    """
    with readable(file, "metadata"):
        if file.suffix == ".parquet":
            rows: list[dict[str, Any]] = pq.read_table(pa.BufferReader(data)).to_pylist()
        elif file.suffix in DELIMITERS:
            rows = _csv_rows(file, text_of(data), texts)
        else:
            rows = _jsonl_rows(file, text_of(data))
    rows = _naming_pictures(rows)
    check_named(rows, FILE_NAME, file)
    return rows


def _naming_pictures(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows with the pictures they are about under ``file_name``, whatever the table calls that."""
    rows = [_with_file_name(row) for row in rows]
    there = set[str]().union(*rows)
    called = next((found for name in ALSO_CALLED if (found := name_there(name, there))), None)
    return rows if FILE_NAME in there or called is None else [{FILE_NAME: row.get(called), **row} for row in rows]


def _with_file_name(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with the name of its picture under ``file_name``, whatever its case was."""
    called = name_there(FILE_NAME, row)
    return row if called in (None, FILE_NAME) else {FILE_NAME if key == called else key: row[key] for key in row}


def check_named(records: Sequence[Facts], key: str, file: PurePath) -> None:
    """Refuse records of which one does not say what picture it is about: it would be lost without a word.

    Those of which none has the key are about something else.

    Args:
        records: Of one file.
        key: Under which the picture is named.
        file: Where they stand.

    Raises:
        DataError: If there is one.
    """
    for number, record in enumerate(records if any(key in record for record in records) else (), 1):
        if not isinstance(record.get(key), str):
            shown = json.dumps(record, default=str)[:MAX_SHOWN]
            remedy = f"say its picture there, or take it out: {shown}"
            raise DataError(f"{file}: record {number} of {len(records)} has no text under {key!r}; {remedy}")


def is_about_all(file: PurePath, rows: Sequence[Facts]) -> bool:
    """Return whether it is one object about all pictures below, as GenEval writes it."""
    return file.suffix == ".jsonl" and len(rows) == 1 and FILE_NAME not in rows[0]


def why_without_pictures(file: PurePath, rows: Sequence[Facts]) -> str | None:
    """Return why no row is about a picture, its place first; None where one is, or there are no rows.

    >>> why_without_pictures(PurePath("metadata.csv"), [{"picture": "a.png", "text": "a cat"}])
    "metadata.csv names no picture: it has no 'file_name', but 'picture', 'text'"
    """
    if not rows or is_about_all(file, rows) or any(FILE_NAME in row for row in rows):
        return None
    return f"{file.name} names no picture: it has no {FILE_NAME!r}, but {_listed(_names(rows))}"


def why_without_captions(file: PurePath, rows: Sequence[Facts], texts: Collection[str]) -> str | None:
    """Return why no row has a caption; None where there is a column for it, or there are no rows.

    Args:
        file: Where they stand.
        rows: Of one table.
        texts: Where captions are looked for, beside ``file_name``.

    >>> why_without_captions(PurePath("metadata.csv"), [{"file_name": "a.png", "txt": "a cat"}], ["caption"])
    "metadata.csv has no caption: it has no 'caption', but 'txt'; caption_key says another name"
    """
    sought, there = [name for name in texts if name != FILE_NAME], _names(rows)
    if not rows or any(name_there(name, there) for name in sought):
        return None
    others = _listed([name for name in there if name != FILE_NAME]) or "nothing else"
    return (
        f"{file.name} has no caption: it has no {_listed(sought, ' or ')}, but {others}; caption_key says another name"
    )


def _names(rows: Iterable[Facts]) -> list[str]:
    return list(dict.fromkeys(str(name) for row in rows for name in row))


def _listed(names: Sequence[str], between: str = ", ") -> str:
    shown = between.join(map(repr, names[:MAX_NAMES]))
    return f"{shown} and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else shown


def _jsonl_rows(file: PurePath, text: str) -> list[dict[str, Any]]:
    rows = []
    # Lines end with \n alone: JSON may hold U+2028, U+0085 and what else str.splitlines takes for an end.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.strip())  # also of a form feed, which JSON does not know
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            shown = line.strip()[:MAX_SHOWN]
            raise DataError(f"{file}: line {number} is no JSON object: {shown!r}; mend it or take it out")
        rows.append(row)
    return rows


def _csv_rows(file: PurePath, text: str, texts: Collection[str]) -> list[dict[str, Any]]:
    handle = io.StringIO(text, newline="")
    # Of a quote that is never closed the library makes one field of all the lines behind it; strict, it refuses that.
    is_odd = text.count('"') % 2 == 1
    delimiter = DELIMITERS[file.suffix]
    reader = csv.DictReader(handle, restval="", strict=is_odd, delimiter=delimiter)
    header = list(reader.fieldnames or ())
    if (problem := delimiter_problem(header, delimiter)) and any(name in header[0].casefold() for name in NAMES):
        raise DataError(f"{file}: {problem}")
    rows = []
    for row in reader:
        if further := next(filter(str.strip, row.pop(None, ())), None):  # what has no name in the header
            said = f"line {reader.line_num} has more fields than the header: {further[:MAX_SHOWN]!r}"
            raise DataError(f"{file}: {said}; put a text with {WORDS[delimiter]} in quotes")
        rows.append(row)
    names = [name for name in (rows[0] if rows else {}) if name]
    columns, are_texts = {}, {one.casefold() for one in texts}
    for name in names:
        column = pa.chunked_array([pa.array([row[name] or None for row in rows], pa.string())])
        columns[name] = (
            column if name.casefold() in are_texts else column_of_text(column, name, {}, str(file))
        ).to_pylist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
