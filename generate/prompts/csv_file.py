"""Prompts of the user: a table with a header line, separated by commas (or by tabs in a .tsv)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from diptych.data.text_records import HeadedRows, whole_json
from diptych.data.told_columns import ColumnNames, plain_name
from diptych.errors import ConfigError, DataError
from diptych.generate.prompts import Prompt, PromptSet, read_text, set_of_file
from diptych.generate.prompts.records import KEYS, RecordPlace, check_carried, prompt_of
from diptych.lookup import describe_unknown, nearest
from diptych.storage.store_path import ReadPath

Columns = Mapping[str, str | Sequence[str]]
SEVERAL = ("category", "images")  # keys that several columns may fill
# Key -> what its column may be called beside the key itself, in whatever case; the first that is there counts.
ALSO: Mapping[str, tuple[str, ...]] = {
    "prompt": ("text", "caption"),
    "id": ("prompt_id", "item_id"),
    "negative": ("negative_prompt",),
}
LIKELY = 0.8  # how much a column looks like one that is read, of which it may be a misspelling


def csv_file(*, path: ReadPath, columns: Columns | None = None, carry: Sequence[str] = ()) -> PromptSet:
    """Return the prompts of a table. An empty field is none; without an id, the number of the row from 1 is the id.

    Args:
        path: The file; one that ends in ``.tsv`` has tabs.
        columns: Key -> name of the column that has it, where that is another, as in ``{prompt: words}``; for
            ``category`` and ``images`` also a list of columns. The keys are those of a JSON Lines file; ``checks`` are
            JSON.
        carry: Further columns, carried into the generated data as texts.

    Raises:
        ConfigError: If a further column cannot be one, or a key is unknown.
        DataError: If the file cannot be read, lacks a column, has two that are called alike or a broken row.
    """
    check_carried(carry)
    table = headed_rows(path)
    wanted = _wanted(columns or {})
    used = {**_own(table.header, wanted, path), **wanted}
    for name in (*(name for each in used.values() for name in each), *carry):
        if name not in table.header:
            raise DataError(f"{path}: {describe_unknown('column', name, table.header)}")
    found = set_of_file(_prompts(table, path, used, carry), path)
    read = {*carry, *(name for each in used.values() for name in each)}
    return replace(found, notes=tuple(_unread(path, [name for name in table.header if name not in read], used)))


def headed_rows(path: ReadPath) -> HeadedRows:
    """Return the rows of a table, whose fields are parted by commas, or in a ``.tsv`` by tabs.

    Raises:
        DataError: If it cannot be read.
    """
    return HeadedRows(read_text(path), path)


def _wanted(columns: Columns) -> dict[str, tuple[str, ...]]:
    """Return the columns of each key that is told apart from its name."""
    found = {}
    for key, names in columns.items():
        if key not in KEYS:
            raise ConfigError(f"columns: {describe_unknown('key', key, KEYS)}")
        found[key] = (names,) if isinstance(names, str) else tuple(names)
        if len(found[key]) != 1 and key not in SEVERAL:
            raise ConfigError(f"columns: {key} is one column, got {names!r}")
    return found


def _own(header: Sequence[str], wanted: Collection[str], path: ReadPath) -> dict[str, tuple[str, ...]]:
    """Return the column of each key that has one by its name and is not told; the prompt has one in any case."""
    names = ColumnNames({key: (key, *ALSO.get(key, ())) for key in KEYS if key not in wanted})
    return {"prompt": ("prompt",), **{key: (name,) for key, name in names.found_in(header, path).items()}}


def _unread(path: ReadPath, unread: Sequence[str], used: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield in words which columns are not read that are called as a key is, or nearly so."""
    called = {name: key for key in KEYS for name in (key, *ALSO.get(key, ()))}
    for name in unread:
        close = nearest(plain_name(name), called, count=1, cutoff=LIKELY)
        key = called[close[0]] if close else ""
        if key in used and plain_name(name) in called:
            yield f"{path.name}: the column {name!r} is not read, as {key} is {', '.join(map(repr, used[key]))}"
        elif key and key not in used:
            yield f"{path.name}: the column {name!r} is not read; if it is {key}, say columns: {{{key}: {name}}}"


def _prompts(
    table: HeadedRows, path: ReadPath, used: Mapping[str, Sequence[str]], carry: Sequence[str]
) -> Iterator[tuple[int, Prompt]]:
    """Yield each prompt with its line."""
    for number, (line, row) in enumerate(table, start=1):
        place = RecordPlace(path, line)
        record = {"id": str(number), **{key: value for key, each in used.items() if (value := _field(key, row, each))}}
        yield line, prompt_of({"prompt": "", **record, **{name: row[name] for name in carry}}, place, carry)


def _field(key: str, row: Mapping[str, str], names: Sequence[str]) -> Any:
    values = [row[name] for name in names if row[name]]
    if key not in SEVERAL:
        return values[0] if values else None
    return [part for value in values for part in _parts(value)]


def _parts(value: str) -> list[Any]:
    """Return what a field lists: JSON if it is a list of it, else the text alone."""
    try:
        found = whole_json(value) if value.startswith("[") else value
    except ValueError:
        found = value
    return found if isinstance(found, list) else [value]
