"""The records of a table: CSV with a header, or JSONL with an object in each line, as words by column."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from diptych.data.generated_columns import PROMPT_ID
from diptych.data.schema import FILE
from diptych.data.text_records import HeadedRows, json_lines
from diptych.errors import DataError
from diptych.evaluate.imports.contract import FilePlace, ImportSource

Words = Mapping[str, str]

IMAGE = ("key", FILE, PROMPT_ID, "model", "setting", "sample")  # what may name an image, the first three by themselves
JSON_LINES = (".jsonl", ".ndjson")


def records(source: ImportSource) -> Iterator[tuple[FilePlace, Words]]:
    """Yield place and values of each record; what in JSON is no text, number or truth is not there.

    Raises:
        DataError: If a record has another form.
    """
    is_json = source.file.suffix.lower() in JSON_LINES
    rows = json_lines(source.text, source.file) if is_json else HeadedRows(source.text, source.file)
    for line, given in rows:
        yield FilePlace(source.file, line), _words(given)


def image_of(row: Words) -> dict[str, str] | None:
    """Return what of a record names its image; None if nothing does.

    >>> image_of({"file": "a.png", "answer": "yes"}), image_of({"model": "sdxl"})
    ({'file': 'a.png'}, None)
    """
    image = {name: row[name] for name in IMAGE if row.get(name)}
    return image if set(IMAGE[:3]) & set(image) else None


def number_of(row: Words, name: str, place: FilePlace) -> float:
    """Return a number of a record.

    Raises:
        DataError: If it is none.
    """
    try:
        value = float(row[name])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{place}: {name}: {row[name]!r} is no number; write one")
    return value


def _words(given: Mapping[str, Any]) -> Words:
    return {name: word for name, value in given.items() if (word := _word(value)) is not None}


def _word(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else None
    return str(value) if isinstance(value, int | str) else None
