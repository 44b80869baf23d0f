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


def image_of(row: Words, place: FilePlace, what: str, *columns: tuple[str, ...]) -> dict[str, str]:
    """Return what of a record names its image.

    >>> from pathlib import Path
    >>> image_of({"file": "a.png", "answer": "yes"}, FilePlace(Path("a.csv"), 2), "an answer", ("answer",))
    {'file': 'a.png'}

    Args:
        row: The record.
        place: Where it stands.
        what: It is, with its article.
        columns: What it has beside, of each of these one or more.

    Raises:
        DataError: If nothing names an image, or one of the columns is lacking.
    """
    image = {name: row[name] for name in IMAGE if row.get(name)}
    if not set(IMAGE[:3]) & set(image) or not all(set(some) & set(row) for some in columns):
        *others, last = (" or ".join(some) for some in columns)
        beside = "".join(f"{some}, " for some in others)
        raise DataError(
            f"{place}: {what} has key, file or prompt_id (and model, setting, sample), {beside}and {last}; there are "
            f"{', '.join(row) or 'none'}"
        )
    return image


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
