"""What all sources do with columns: names that clash, text that is not quite text."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from diptych.curate.sources.column_types import as_text
from diptych.curate.sources.contract import HELPER_COLUMNS
from diptych.curate.sources.list_types import is_list
from diptych.data.schema import DATA_COLUMNS
from diptych.errors import DataError
from diptych.lookup import describe_unknown

MAX_KEYS_SHOWN = 20
MAX_SHOWN = 60
URL = re.compile(r"\s*https?://", re.IGNORECASE)
# What a caption is called in JSON, in tables about pictures, and behind the names of pictures.
CAPTION_KEYS = ("caption", "text", "prompt")
TEXT_FIELDS = (*CAPTION_KEYS, "raw")  # of an object that stands where a caption should, as in COCO's lists
# Zero bytes are what a disk gives of a file that was never written to its end.
INVISIBLE = " \0\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NO-BREAK SPACE}"


def carried_names(names: Iterable[str], *, taken: tuple[str, ...] = ()) -> dict[str, str]:
    """Return name within the dataset -> name within the source, for all columns that are carried.

    A column is carried under its own name, unless diptych has one of that name. Upper and lower case are the same, as
    they are to SQL: of two columns that differ in nothing else it would see only the first.

    Args:
        names: As the source calls them.
        taken: Names that the source itself gives to columns of its own.

    Raises:
        DataError: If two of them would have one name.

    >>> carried_names(["width", "Caption", "punsafe"])
    {'source_width': 'width', 'source_Caption': 'Caption', 'punsafe': 'punsafe'}
    """
    ours = {name.casefold() for name in (*DATA_COLUMNS, *HELPER_COLUMNS, *taken)}
    found: dict[str, tuple[str, str]] = {}
    for name in names:
        final = f"source_{name}" if name.casefold() in ours else name
        if final.casefold() in found:
            other = found[final.casefold()][1]
            raise DataError(f"columns: {other!r} and {name!r} would both be carried as {final!r}; leave one out")
        found[final.casefold()] = final, name
    return dict(found.values())


def check_columns(wanted: Mapping[str, str], there: Sequence[str], file: str) -> None:
    """Refuse a table that lacks a column or has it twice; the message says which ones there are.

    Args:
        wanted: Names of columns, and for each the key of the source that says it.
        there: Names in the file.
        file: What is read.

    Raises:
        DataError: If it does.
    """
    for name, key in wanted.items():
        if name not in there and (url := next((one for one in there if URL.match(one)), None)):
            remedy = "name its columns, as column_names: [url, caption]"
            raise DataError(f"{file}: its first line is no header, it has {clean_text(url[:MAX_SHOWN])}; {remedy}")
        if name not in there:
            shown = [clean_text(key) or "" for key in there[:MAX_KEYS_SHOWN]]
            none = ", or null where there is none" if key == "caption_column" else ""
            raise DataError(f"{file}: {describe_unknown('column', name, shown)}; name the right one as {key}{none}")
        if there.count(name) > 1:
            raise DataError(f"{file}: there are {there.count(name)} columns {name!r}; rename all but one")


def holds_urls(kind: pa.DataType) -> bool:
    """Return whether a column of this type can hold URLs: texts, or lists of them.

    >>> holds_urls(pa.list_(pa.string())), holds_urls(pa.struct([("url", pa.string())]))
    (True, False)
    """
    return not pa.types.is_nested(kind.value_type if is_list(kind) else kind)


def url_column(table: pa.Table, name: str, file: str) -> pa.ChunkedArray:
    """Return a column of URLs as strings; of a list of them the first that is not empty.

    Raises:
        DataError: If it can hold none.
    """
    return text_column(table, name, file, lists="first" if holds_urls(table[name].type) else None)


def text_column(table: pa.Table, name: str, file: str, *, lists: str | None = None) -> pa.ChunkedArray:
    """Return a column as strings; bytes that are no UTF-8 are replaced.

    Args:
        table: Has the column.
        name: Of the column.
        file: What is read, for messages.
        lists: What becomes of a list of texts or of structs that have one, as in ``caption_text``; None refuses it.

    Raises:
        DataError: If its values are structs without a text, maps, or lists that are refused.
    """
    column = table[name]
    if lists is not None and pa.types.is_nested(column.type) and _holds_texts(column.type):
        texts = [None if value is None else caption_text(value, lists) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    if pa.types.is_nested(column.type):
        raise DataError(f"{file}: the column {name!r} holds {str(column.type)[:MAX_SHOWN]}, not text; name another")
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        values = [None if value is None else value.decode("utf-8", "replace") for value in column.to_pylist()]
        return pa.chunked_array([pa.array(values, pa.string())])
    return column.cast(pa.string())


def _holds_texts(kind: pa.DataType) -> bool:
    if is_list(kind) or pa.types.is_dictionary(kind):
        return _holds_texts(kind.value_type)
    if pa.types.is_struct(kind):
        return any(field.name in TEXT_FIELDS and _holds_texts(field.type) for field in kind)
    return not pa.types.is_nested(kind)


def captions_in(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    r"""Return captions as a pool has them: null where there is nothing but space.

    >>> captions_in(pa.chunked_array([[" a cat", "", "\u200b ", None]])).to_pylist()
    [' a cat', None, None, None]
    """
    is_blank = pc.equal(pc.utf8_trim(pc.utf8_trim_whitespace(texts), INVISIBLE), "")
    return pc.if_else(is_blank, pa.scalar(None, pa.string()), texts)


def clean_text(value: Any) -> str | None:
    """Return a string as valid UTF-8, None for anything else: a lone surrogate is legal in JSON and in file names."""
    return as_text(value) if isinstance(value, str) else None


def first_text(value: Any) -> str | None:
    """Return a text, or of a list of texts the first that is not empty; a number is the text that JSON has of it.

    Bytes are UTF-8, as a Parquet file without types of texts has them. Of an object it is one of ``TEXT_FIELDS``.

    >>> first_text(["", " a cat ", "a dog"]), first_text(42), first_text(True), first_text({"id": 7, "caption": "a"})
    ('a cat', '42', None, 'a')
    """
    if isinstance(value, dict):
        return next(filter(None, (first_text(value.get(name)) for name in TEXT_FIELDS)), None)
    if isinstance(value, list):
        return next(filter(None, map(first_text, value)), None)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return None if math.isnan(value) else as_text(value)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = (clean_text(value) or "").strip()
    return text if text.strip(INVISIBLE) else None


def caption_text(value: Any, lists: str) -> str | None:
    """Return a caption: a text, or what a config makes of a list of texts.

    Args:
        value: From JSON or from a column of lists.
        lists: ``first`` for the first that is not empty, ``joined`` for all of them with a space between two.

    >>> caption_text(["", " a cat ", "a dog"], "joined"), caption_text("a cat", "joined")
    ('a cat a dog', 'a cat')
    """
    if lists == "joined" and isinstance(value, dict):
        return next(filter(None, (caption_text(value.get(name), lists) for name in TEXT_FIELDS)), None)
    if lists == "joined" and isinstance(value, list):
        return " ".join(filter(None, map(first_text, value))) or None
    return first_text(value)
