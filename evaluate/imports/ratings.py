"""Plain ratings: CSV or JSONL with a number in each row.

One row for each rater and image, on a scale that has to be told.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

from diptych.errors import ConfigError, DataError
from diptych.evaluate.imports.contract import (
    EvidenceRecord,
    FileContent,
    FilePlace,
    ImportFormat,
    ImportSource,
    Scale,
)
from diptych.evaluate.imports.records import RecordTable, Words, image_of, number_of, prompt_of
from diptych.judges.contract import Rating
from diptych.judges.evidence import RATINGS

ReadValue: TypeAlias = Callable[[Words, str, FilePlace], float]


def ratings(source: ImportSource) -> FileContent:
    """Return what each row says: ``rating``, ``rater`` if there are several, ``note``, and what names the image.

    Raises:
        ConfigError: If the scale was not told.
    """
    if source.scale is None:
        raise ConfigError("--scale: say the least and the most that a rating can be, such as 1-5")
    return rated(source, "rating", partial(on_scale, source.scale), source.scale)


def rated(source: ImportSource, name: str, value_of: ReadValue, scale: Scale) -> FileContent:
    """Return what each row says; one that has no number is about nothing.

    Args:
        source: The file, of which a row that is read raises DataError if it has another form.
        name: Of the column of the numbers.
        value_of: From a row, the name of that column and the place to its number.
        scale: Of the numbers.
    """
    table = RecordTable(source, (name, "rater", "note"))
    return FileContent(_rated_rows(table, name, value_of), scale=scale, unused=table.unused)


def _rated_rows(table: RecordTable, name: str, value_of: ReadValue) -> Iterator[EvidenceRecord]:
    for place, row in table:
        image = image_of(row, place, f"a {name}", (name,))
        if not row[name].strip():
            yield EvidenceRecord(place, image, None, misfit=f"no {name}")
            continue
        said = Rating(value_of(row, name, place), row.get("rater", ""), row.get("note", ""))
        yield EvidenceRecord(place, image, said, prompt_of(row))


def on_scale(scale: Scale, row: Words, name: str, place: FilePlace) -> float:
    """Return a number of a row.

    Raises:
        DataError: If it is none, or not on the scale.
    """
    value = number_of(row, name, place)
    if not scale[0] <= value <= scale[1]:
        raise DataError(f"{place}: {name}: {row[name]} is not on the scale from {scale[0]:g} to {scale[1]:g}")
    return value


RATINGS_FILE = ImportFormat(RATINGS, ratings, takes_scale=True)
