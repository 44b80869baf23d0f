"""The images of a report as one table of columns, whether they were curated, generated or are a reference.

A row of a report is a row of a dataset: it keeps its key, and its picture stays in its shard. Scores of one name but
different identity are different columns here. Where there are more images than a report shows, a sample is taken that
depends on nothing but the keys, with every group in it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from diptych.reports.links import MISSING
from diptych.reports.read.columns import row_columns
from diptych.storage.location import Location

Floats: TypeAlias = npt.NDArray[np.floating[Any]]

SINGLE = float(np.finfo(np.float32).max)
EMPTY = "empty"  # the word for a text without letters
TOLD_APART = re.compile(r" \([0-9a-f]{8}\)$")  # the identity behind the name of scores that share one


@dataclass(frozen=True)
class Meaning:
    """What a score column says: from the score's own documentation."""

    name: str
    description: str
    unit: str
    low: float | None
    high: float | None
    better_for_data: str | None
    better_for_models: str | None
    identity_id: str


@dataclass
class RowsPart:
    """The rows of one source: columns of equal length.

    Attributes:
        columns: Some of ``columns.row_columns``.
        further: What the data have beside them, by name.
        numbers: Score columns in the precision that they have, NaN where there is none.
        words: Score columns of words, None where there is none.
        meanings: Of the score columns, by name.
        reasons: By score: row -> why it has none.
        total: Rows that the source has in all.
        also: What another source knows of the same rows; only its scores count.
    """

    columns: dict[str, list[Any]]
    further: dict[str, list[Any]] = field(default_factory=dict)
    numbers: dict[str, Floats] = field(default_factory=dict)
    words: dict[str, list[str | None]] = field(default_factory=dict)
    meanings: dict[str, Meaning] = field(default_factory=dict)
    reasons: dict[str, dict[int, str]] = field(default_factory=dict)
    total: int = 0
    also: "RowsPart | None" = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.columns["key"])


@dataclass(frozen=True)
class ReportRows:
    """All images of a report.

    Attributes:
        columns: Each of ``columns.row_columns``, as long as there are rows.
        further: What some data have beside them, by name; the same.
        numbers: Score columns (N,), float32 or float64 as they are.
        words: Score columns of words.
        meanings: Of the score columns, by name.
        reasons: By score: row -> why it has none.
        folders: Dataset label -> its directory.
        total: Rows that the sources have in all.
        index: (dataset label, key) -> row.
    """

    columns: Mapping[str, list[Any]]
    further: Mapping[str, list[Any]]
    numbers: Mapping[str, Floats]
    words: Mapping[str, list[str | None]]
    meanings: Mapping[str, Meaning]
    reasons: Mapping[str, Mapping[int, str]]
    folders: Mapping[str, Location]
    total: int
    index: Mapping[tuple[str, str], int]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.columns["key"])

    @property
    def is_sample(self) -> bool:
        """Whether the sources have more rows."""
        return self.total > len(self)

    def numbers_named(self, name: str) -> list[str]:
        """Return the scores that a name of a config means: ``label.column``, or each label's where it names none."""
        full = {each: TOLD_APART.sub("", each) for each in self.numbers}
        exact = [each for each, plain in full.items() if plain == name]
        return exact or [each for each, plain in full.items() if plain.rpartition(".")[2] == name]

    def where(self, **wanted: Any) -> list[int]:
        """Return the rows whose columns (or score columns of words) have these values, compared as text."""
        lists = [self.columns.get(name) or self.words.get(name) or [] for name in wanted]
        values = [as_text(value) for value in wanted.values()]
        return [
            row
            for row, found in enumerate(zip(*lists, strict=True))
            if all(as_text(one) == value for one, value in zip(found, values, strict=True))
        ]


def group_word(value: Any) -> str:
    """Return a value of a group as tables write it: where there is none, by the word that filters have for it.

    >>> group_word(None), group_word(""), group_word("none"), group_word(5.0)
    ('none', 'empty', '"none"', '5')
    """
    if value is None:
        return str(MISSING)
    text = as_text(value) or EMPTY
    return f'"{text}"' if value in (MISSING, EMPTY) else text


def as_text(value: Any) -> str:
    """Return a value of a facet as filters, tables and the gallery write it.

    >>> as_text(5.0), as_text(7.5), as_text(True), as_text(None), as_text("a"), as_text(["a", "b"])
    ('5', '7.5', 'yes', '', 'a', 'a, b')
    """
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(as_text, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _all_digits(value) if isinstance(value, float) else str(value)


def _all_digits(value: float) -> str:
    """Return a number so that it can be read back: one of single precision by the digits that it has there.

    >>> _all_digits(float(np.float32(0.1))), _all_digits(0.1234567890123), _all_digits(12345678.0), _all_digits(1e300)
    ('0.1', '0.1234567890123', '12345678', '1e+300')
    """
    single = np.float32(value) if abs(value) < SINGLE else np.float32(0)
    shortest = single if float(single) == value else np.float64(value)
    is_plain = value == 0 or 1e-4 <= abs(value) < 1e16
    return (np.format_float_positional if is_plain else np.format_float_scientific)(shortest, trim="-")


def join(parts: Sequence[RowsPart], folders: Mapping[str, Location]) -> ReportRows:
    """Put the rows of several sources below one another; columns that one does not have are empty there."""
    parts = [_with_also(part) for part in _tell_apart(parts)]
    lengths = [len(part) for part in parts]
    columns = {
        name: [value for part in parts for value in part.columns.get(name) or [None] * len(part)]
        for name in row_columns()
    }
    more = _in_order(name for part in parts for name in part.further)
    further = {
        name: [value for part in parts for value in part.further.get(name) or [None] * len(part)] for name in more
    }
    names = _in_order(name for part in parts for name in part.numbers)
    numbers = {name: np.concatenate([_floats(part, name) for part in parts]) for name in names}
    labels = _in_order(name for part in parts for name in part.words)
    words = {name: [value for part in parts for value in part.words.get(name) or [None] * len(part)] for name in labels}
    meanings = {name: meaning for part in reversed(parts) for name, meaning in part.meanings.items()}
    reasons: dict[str, dict[int, str]] = {}
    start = 0
    for part, length in zip(parts, lengths, strict=True):
        for name, found in part.reasons.items():
            reasons.setdefault(name, {}).update({start + row: reason for row, reason in found.items()})
        start += length
    index = {pair: row for row, pair in enumerate(zip(columns["dataset"], columns["key"], strict=True))}
    return ReportRows(
        columns, further, numbers, words, meanings, reasons, folders, sum(part.total for part in parts), index
    )


def _tell_apart(parts: Sequence[RowsPart]) -> Sequence[RowsPart]:
    """Rename score columns of one name but different identity, in each part that has one."""
    identities: dict[str, list[str]] = {}
    sources = [*parts, *(part.also for part in parts if part.also is not None)]
    for part in sources:
        for name, meaning in part.meanings.items():
            if meaning.identity_id not in identities.setdefault(name, []):
                identities[name].append(meaning.identity_id)
    twice = {name for name, found in identities.items() if len(found) > 1}
    for part in sources:
        new = {name: f"{name} ({part.meanings[name].identity_id})" for name in twice if name in part.meanings}
        part.numbers = {new.get(name, name): values for name, values in part.numbers.items()}
        part.words = {new.get(name, name): values for name, values in part.words.items()}
        part.meanings = {new.get(name, name): meaning for name, meaning in part.meanings.items()}
        part.reasons = {new.get(name, name): found for name, found in part.reasons.items()}
    return parts


def _with_also(part: RowsPart) -> RowsPart:
    """Return a part with the scores that another source has of its rows; its own come first."""
    if part.also is not None:
        part.numbers = {**part.also.numbers, **part.numbers}
        part.words = {**part.also.words, **part.words}
        part.meanings = {**part.also.meanings, **part.meanings}
        part.reasons = {**part.also.reasons, **part.reasons}
    return part


def _floats(part: RowsPart, name: str) -> Floats:
    return part.numbers[name] if name in part.numbers else np.full(len(part), np.nan, np.float32)


def _in_order(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
