"""The records of a table: CSV with a header, or JSONL with an object in each line, as words by column."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from diptych.data.text_records import HeadedRows, json_lines

Words = Mapping[str, str]


def records(text: str, file: Path) -> Iterator[tuple[int, Words]]:
    """Yield line and values of each record; what in JSON is no text, whole number or truth is not there.

    Raises:
        DataError: If a record has another form.
    """
    if file.suffix.lower() not in (".jsonl", ".ndjson"):
        return iter(HeadedRows(text, file))
    return ((line, _words(given)) for line, given in json_lines(text, file))


def _words(given: Mapping[str, Any]) -> Words:
    return {name: _word(value) for name, value in given.items() if isinstance(value, int | str)}


def _word(value: int | str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
