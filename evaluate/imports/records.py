"""The records of a table: CSV with a header, or JSONL with an object in each line, as words by column."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from diptych.data.generated_columns import PROMPT_ID
from diptych.data.schema import FILE
from diptych.data.text_records import HeadedRows, json_lines
from diptych.data.told_columns import IMAGE_NAMES, ColumnNames, likely_keys, plain_name
from diptych.errors import DataError
from diptych.evaluate.imports.contract import FilePlace, ImportSource

Words = Mapping[str, str]

IMAGE = ("key", FILE, PROMPT_ID, "model", "setting", "sample")  # what may name an image, the first three by themselves
NAMING = frozenset({*IMAGE, "question", "question_id", "item_id", "t2i_model"})  # an image or a question
JSON_LINES = (".jsonl", ".ndjson")


class RecordTable:
    """The records of a file, read as they are asked for; what is read stands under its own name too.

    Attributes:
        file: Its place.
        columns: All that were seen so far.
    """

    def __init__(self, source: ImportSource, reads: Sequence[str]) -> None:
        """Name a file, and what is read of it beside what names images."""
        self.file, self.columns = source.file, dict[str, None]()
        self._text, self._reads = source.text, ("key", *reads)
        self._called = ColumnNames({**IMAGE_NAMES, **{name: (name,) for name in self._reads}})
        self._said = set(reads) - NAMING
        self._used = dict[str, str]()

    def __iter__(self) -> Iterator[tuple[FilePlace, Words]]:
        """Yield place and values of each record; what in JSON is no text, number or truth is not there.

        What is said of an image is empty where it is null or NaN, as in CSV; what names one or a question is not there.

        Raises:
            DataError: If a record has another form, or two columns are called alike.
        """
        is_json = self.file.suffix.lower() in JSON_LINES
        rows = json_lines(self._text, self.file) if is_json else HeadedRows(self._text, self.file)
        for line, given in rows:
            self.columns |= dict.fromkeys(given)
            place = FilePlace(self.file, line)
            words = {name: word for name, value in given.items() if (word := self._word(name, value)) is not None}
            called = self._called.found_in(words, place)
            self._used |= called
            yield place, _by_keys(words, called)

    def _word(self, name: str, value: Any) -> str | None:
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return "" if plain_name(name) in self._said else None
        return _word(value)

    def unused(self) -> dict[str, str]:
        """Return the columns that nothing reads, and for each the one whose name it nearly has; else empty."""
        plain = {name: plain_name(name) for name in self.columns}
        read = {*self._used.values(), *(name for name in plain if plain[name] in self._reads)}
        unread = [name for name in self.columns if name and name not in read]
        return likely_keys(unread, self._called.names, {*self._used, *plain.values()})


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


def unused_lines(unused: Mapping[str, str]) -> list[str]:
    """Return which columns nothing reads, and what may be meant by them, in words.

    >>> unused_lines({"modell": "model", "mood": ""})
    ["the column 'modell': if it is model, call it so", "the column 'mood'"]
    """
    return [f"the column {name!r}{f': if it is {key}, call it so' if key else ''}" for name, key in unused.items()]


def prompt_of(row: Words) -> str | None:
    """Return what a record says that its image was made from; None where it does not."""
    return row.get("prompt") or None


def _by_keys(words: Words, called: Mapping[str, str]) -> Words:
    """Return a record with what is read under its key; a column that differs from it in case has that name alone."""
    spelt = {name: key for key, name in called.items() if plain_name(name) == key}
    return {spelt.get(name, name): word for name, word in words.items()} | {
        key: words[name] for key, name in called.items()
    }


def _word(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return repr(value)
    return str(value) if isinstance(value, int | str) else None
