"""Prompts of the user: one JSON object a line, with the keys prompt, id, category, negative, checks, images."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diptych.errors import DataError
from diptych.generate.prompts import PromptSet, read_text, set_of_file
from diptych.generate.prompts.records import KEYS, RecordPlace, check_carried, prompt_of
from diptych.lookup import describe_unknown


def jsonl_file(*, path: Path, carry: Sequence[str] = ()) -> PromptSet:
    """Return the prompts of a JSON Lines file; without an id, the number of the line is the id.

    Args:
        path: The file.
        carry: Further keys, carried into the generated data as columns.

    Raises:
        ConfigError: If a further key cannot be a column.
        DataError: If the file cannot be read or a line is not such an object.
    """
    check_carried(carry)
    prompts = []
    for line, value in json_lines(path):
        for key in value:
            if key not in KEYS and key not in carry:
                raise DataError(f"{path}:{line}: {describe_unknown('key', key, [*KEYS, *carry])}")
        prompts.append((line, prompt_of(value, RecordPlace(path, line), carry)))
    return set_of_file(prompts, path)


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
