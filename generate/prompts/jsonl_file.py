"""Prompts of the user: one JSON object a line, with the keys prompt, id, category, negative, checks."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diptych.assets import file_sha256
from diptych.data.checks import NOTHING, parse_checks
from diptych.errors import DataError
from diptych.generate.prompts import Prompt, PromptSet, checked, read_text
from diptych.lookup import describe_unknown

KEYS = ("category", "checks", "id", "negative", "prompt")


def jsonl_file(*, path: Path) -> PromptSet:
    """Return the prompts of a JSON Lines file; without an id, the number of the line is the id.

    Raises:
        DataError: If the file cannot be read or a line is not such an object.
    """
    prompts = []
    for number, value in json_lines(path):
        where = f"{path}:{number}"
        for key in value:
            if key not in KEYS:
                raise DataError(f"{where}: {describe_unknown('key', key, KEYS)}")
        prompts.append(
            Prompt(
                text_of(value, "id", where, default=str(number)),
                text_of(value, "prompt", where),
                text_of(value, "category", where, default=""),
                parse_checks(value["checks"], where) if value.get("checks") is not None else NOTHING,
                text_of(value, "negative", where) if value.get("negative") is not None else None,
            )
        )
    return PromptSet(checked(prompts, path), path.name, "", file_sha256(path))


def json_lines(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """Return the numbers and objects of the lines of a file that are not empty.

    Raises:
        DataError: If a line is not a JSON object.
    """
    found = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            found.append((number, _parse(line, f"{path}:{number}")))
    return found


def text_of(value: Mapping[str, Any], key: str, where: str, *, default: str | None = None) -> str:
    """Return a string of an object; a number stands for its digits.

    Raises:
        DataError: If it is missing and has no default, or is neither.
    """
    found = value.get(key, default)
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str):
        raise DataError(f"{where}: {key!r} must be a text, got {found!r}")
    return found


def _parse(text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise DataError(f"{where}: must be a JSON object, got {text[:80]!r}")
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = ascii(error.object[error.start])[1:-1]
        raise DataError(f"{where}: {half} is half of a character; write the other half beside it, or none") from error
    return value
