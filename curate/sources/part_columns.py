"""Which of the columns that are wanted a file has: by their names, or by names that differ in case alone, as in SQL.

Of the files of one input each column is in one at least, and null in the rows of those that lack it. Decides nothing
about what is in a column.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from diptych.curate.sources.columns import check_columns
from diptych.curate.sources.contract import TABLE_ROWS


class FoundColumns(NamedTuple):
    """Columns of a file.

    Attributes:
        called: Of those that it has: the name that is wanted -> the name there.
        lacking: The names of those that it lacks.
    """

    called: Mapping[str, str]
    lacking: Sequence[str]

    def note(self, file: str) -> str | None:
        """Return what is said beside each row of a file that lacks columns; None of one that lacks none.

        >>> FoundColumns({}, ["caption", "tags"]).note("b.csv")
        "b.csv has no columns 'caption', 'tags'"
        """
        if not self.lacking:
            return None
        return f"{file} has no column{'s' * (len(self.lacking) > 1)} {', '.join(map(repr, self.lacking))}"


def name_there(name: str, there: Iterable[str]) -> str | None:
    """Return what a column is called in a file: by its name, or by the only one that differs from it in case alone.

    >>> name_there("url", ["URL", "TEXT"]), name_there("url", ["Url", "URL"]), name_there("url", ["Url", "url"])
    ('URL', None, 'url')
    """
    alike = [one for one in there if one.casefold() == name.casefold()]
    return name if name in alike else alike[0] if len(alike) == 1 else None


def found_columns(wanted: Mapping[str, str], there: Sequence[str], file: str) -> FoundColumns:
    """Return which columns a file has.

    Args:
        wanted: Names of columns, and for each the key of the source that says it.
        there: Names in the file.
        file: What is read.

    Raises:
        DataError: If it has one of them twice.
    """
    called = {name: found for name in wanted if (found := name_there(name, there)) is not None}
    check_columns({found: wanted[name] for name, found in called.items()}, there, file)
    return FoundColumns(called, [name for name in wanted if name not in called])


def check_parts(wanted: Mapping[str, str], parts: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Refuse an input of which no file has a column.

    Args:
        wanted: As of ``found_columns``.
        parts: Files, and the names of their columns.

    Raises:
        DataError: If a column is in none of them; the message is about the first, and about more if there are.
    """
    names = {name: None for _, there in parts for name in there}
    for name, key in wanted.items():
        if parts and name_there(name, names) is None and not any(name_there(name, there) for _, there in parts):
            check_columns({name: key}, list(names), _shown([file for file, _ in parts]))


def as_wanted(table: pa.Table, found: FoundColumns) -> pa.Table:
    """Return the wanted columns of a table under the names by which they are wanted; those that it lacks are null."""
    columns = {name: table[there] for name, there in found.called.items()}
    return pa.table({**columns, **{name: pa.nulls(table.num_rows) for name in found.lacking}})


def without_values(found: FoundColumns, count: int) -> Iterator[pa.Table]:
    """Yield as many rows as are asked for, of nulls, in tables that are bounded."""
    for start in range(0, count, TABLE_ROWS):
        rows = min(TABLE_ROWS, count - start)
        yield pa.table({name: pa.nulls(rows) for name in (*found.called, *found.lacking)})


def _shown(files: Sequence[str]) -> str:
    return files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
