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
from diptych.evaluate.imports.records import Words, image_of, number_of, records
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
    return FileContent(rated_rows(source, "rating", partial(on_scale, source.scale)), scale=source.scale)


def rated_rows(source: ImportSource, name: str, value_of: ReadValue) -> Iterator[EvidenceRecord]:
    """Yield what each row says; one that has no number is about nothing.

    Args:
        source: The file.
        name: Of the column of the numbers.
        value_of: From a row, the name of that column and the place to its number.

    Raises:
        DataError: If a row has another form.
    """
    for place, row in records(source):
        image = image_of(row, place, f"a {name}", (name,))
        if not row[name].strip():
            yield EvidenceRecord(place, image, None, misfit=f"no {name}")
            continue
        said = Rating(value_of(row, name, place), row.get("rater", ""), row.get("note", ""))
        yield EvidenceRecord(place, image, said)


def on_scale(scale: Scale, row: Words, name: str, place: FilePlace) -> float:
    """Return a number of a row.

    Raises:
        DataError: If it is none, or not on the scale.
    """
    value = number_of(row, name, place)
    if not scale[0] <= value <= scale[1]:
        raise DataError(f"{place}: {name}: {value:g} is not on the scale from {scale[0]:g} to {scale[1]:g}")
    return value


RATINGS_FILE = ImportFormat(RATINGS, ratings, takes_scale=True)
