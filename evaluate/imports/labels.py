"""Plain labels: CSV or JSONL with yes or no in each row.

One row for each rater and image; a label of a question is among ``answers``.
"""

import re

from diptych.data.checks import YES
from diptych.errors import DataError
from diptych.evaluate.imports.contract import FileContent, FilePlace, ImportFormat, ImportSource
from diptych.evaluate.imports.ratings import rated
from diptych.evaluate.imports.records import Words
from diptych.judges.answers.choice_in_words import TRUTHS
from diptych.judges.evidence import RATINGS
from diptych.judges.imported import SCALE

AS_FRACTION = re.compile(r"(?<=^[01])\.0+$")  # how a table of numbers that lacks some writes 0 and 1


def labels(source: ImportSource) -> FileContent:
    """Return what each row says: ``label``, ``rater`` if there are several, ``note``, and what names the image."""
    return rated(source, "label", _truth, SCALE)


def _truth(row: Words, name: str, place: FilePlace) -> float:
    word = AS_FRACTION.sub("", row[name].strip().casefold())
    if word not in TRUTHS:
        raise DataError(f"{place}: {name}: {row[name]!r} is neither yes nor no ({', '.join(TRUTHS)})")
    return float(TRUTHS[word] == YES)


LABELS_FILE = ImportFormat(RATINGS, labels)
