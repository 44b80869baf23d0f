"""One prompt of a user's file, from a record of keys and values: which keys there are and what each must be."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from diptych.addresses import place_of, store_of
from diptych.data.checks import NOTHING, parse_checks
from diptych.data.generated_columns import generated_columns
from diptych.data.schema import DATA_COLUMNS
from diptych.errors import ConfigError, DataError
from diptych.generate.prompts import Cell, Prompt
from diptych.generate.prompts.input_images import ROLE, InputImage, input_image
from diptych.lookup import describe_unknown
from diptych.storage.store_path import ReadPath, read_path

KEYS = ("category", "checks", "id", "images", "negative", "prompt")
IMAGE_KEYS = ("path", "role", "sha256")
MAX_INTEGER = 2**63
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


class RecordPlace(NamedTuple):
    """Where a record stands."""

    path: ReadPath
    line: int

    def __str__(self) -> str:
        """Return how a message begins that is about it."""
        return f"{self.path}:{self.line}"


def check_carried(names: Sequence[str]) -> None:
    """Check the names of further columns, which are columns of the generated data.

    Raises:
        ConfigError: If one cannot be, or is to SQL, which knows no case, another one or a column of the data.
    """
    taken, seen = {*DATA_COLUMNS, *generated_columns(), *KEYS}, set[str]()
    for name in names:
        if not NAME.fullmatch(name):
            raise ConfigError(f"carry: {name!r} cannot name a column; write letters, digits and _ only")
        if name.casefold() in taken:
            raise ConfigError(f"carry: the column {name!r} belongs to diptych; give it another name in the file")
        if name.casefold() in seen:
            raise ConfigError(f"carry: the column {name!r} is there twice, as SQL takes names; leave one out")
        seen.add(name.casefold())


def prompt_of(record: Mapping[str, Any], place: RecordPlace, carry: Sequence[str]) -> Prompt:
    """Return the prompt that a record describes; without an id, its line is the id.

    Args:
        record: Some of ``KEYS``, and further columns; None is nothing.
        place: Where it stands.
        carry: Further columns.

    Raises:
        DataError: If a value is not what its key needs; says file, line, key and value.
    """
    given = {key: value for key, value in record.items() if value is not None}
    return Prompt(
        id=text_of(given, "id", place, default=str(place.line)),
        text=text_of(given, "prompt", place),
        categories=_categories(given.get("category", ()), place),
        checks=parse_checks(given["checks"], str(place)) if "checks" in given else NOTHING,
        negative=text_of(given, "negative", place) if "negative" in given else None,
        images=_images(given.get("images", ()), place),
        columns={name: _cell(name, record.get(name), place) for name in carry},
    )


def text_of(record: Mapping[str, Any], key: str, place: RecordPlace, *, default: str | None = None) -> str:
    """Return a text of a record; a whole number stands for its digits.

    Raises:
        DataError: If it is missing and has no default, or is neither.
    """
    found = record.get(key, default)
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str):
        raise DataError(f"{place}: {key}: must be a text, got {found!r}")
    return found


def _categories(value: Any, place: RecordPlace) -> tuple[str, ...]:
    """Return one category or several; an empty text is none."""
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list | tuple) or not all(isinstance(one, str) for one in found):
        raise DataError(f"{place}: category: must be a text or a list of texts, got {value!r}")
    return tuple(dict.fromkeys(one for one in found if one))


def _images(value: Any, place: RecordPlace) -> tuple[InputImage, ...]:
    found = value if isinstance(value, list | tuple) else [value]
    return tuple(_image(one, place) for one in found)


def _image(value: Any, place: RecordPlace) -> InputImage:
    """Return an input image from its path, relative to the file, or an object that also has its role or its sha256."""
    facts = {"path": value} if isinstance(value, str) else value
    if not isinstance(facts, Mapping) or not all(isinstance(fact, str) for fact in facts.values()):
        raise DataError(f"{place}: images: must be a path or an object of texts with a path, got {value!r}")
    for key in facts:
        if key not in IMAGE_KEYS:
            raise DataError(f"{place}: images: {describe_unknown('key', key, IMAGE_KEYS)}")
    if not NAME.fullmatch(facts.get("role", ROLE)):
        raise DataError(f"{place}: images: a role has letters, digits and _ only, got {facts['role']!r}")
    if not facts.get("path"):
        raise DataError(f"{place}: images: the key 'path' is missing, got {value!r}")
    given = place_of(facts["path"], f"{place}: images")
    path = read_path(given) if store_of(given) else place.path.parent / given
    found = input_image(path, role=facts.get("role", ROLE))
    if facts.get("sha256", found.sha256) != found.sha256:
        raise DataError(f"{place}: images: {facts['path']} has the sha256 {found.sha256}, not {facts['sha256']!r}")
    return found


def _cell(name: str, value: Any, place: RecordPlace) -> Cell:
    is_whole = isinstance(value, int) and -MAX_INTEGER <= value < MAX_INTEGER
    is_number = isinstance(value, float) and value - value == 0  # neither infinite nor no number
    if value is None or isinstance(value, str) or is_whole or is_number:
        return value  # type: ignore[no-any-return]
    raise DataError(f"{place}: {name}: must be a text, a number of 64 bits, true or false, got {value!r}")
