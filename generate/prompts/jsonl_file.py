"""Prompts of the user: one JSON object a line, with the keys prompt, id, category, negative, expected.

Also what a description in GenEval's form must look like, wherever one is read.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diptych.assets import file_sha256
from diptych.errors import DataError
from diptych.generate.prompts import Prompt, PromptSet, checked, read_text
from diptych.lookup import describe_unknown

KEYS = ("category", "expected", "id", "negative", "prompt")
CLAUSE_KEYS = {"include": {"class", "color", "count", "position"}, "exclude": {"class", "color", "count"}}
RELATIONS = ("left of", "right of", "above", "below")


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
                parse_expected(value["expected"], where) if value.get("expected") is not None else None,
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


def parse_expected(value: Any, where: str) -> dict[str, Any]:
    """Return what should be seen, as {"include": [...], "exclude": [...]}, from an object or its JSON.

    Raises:
        DataError: If it has not that form; says what is wrong.
    """
    value = _parse(value, where) if isinstance(value, str) else value
    if not isinstance(value, Mapping) or not set(value) <= set(CLAUSE_KEYS) or not value.get("include"):
        raise DataError(f'{where}: expected: write {{"include": [{{"class": ..., "count": ...}}]}}, got {value!r}')
    for part, clauses in value.items():
        if not isinstance(clauses, list):
            raise DataError(f"{where}: expected.{part} must be a list, got {clauses!r}")
        for clause in clauses:
            problem = _problem(clause, CLAUSE_KEYS[part], len(value["include"]))
            if problem:
                raise DataError(f"{where}: expected.{part}: {problem}, got {clause!r}")
    return {part: [dict(clause) for clause in clauses] for part, clauses in value.items()}


def _problem(clause: Any, keys: set[str], includes: int) -> str:
    """Return what is wrong with one clause; empty if nothing is."""
    if not isinstance(clause, Mapping) or not isinstance(clause.get("class"), str):
        return "a clause is an object with a class"
    if not set(clause) <= keys:
        return f"a clause has the keys {', '.join(sorted(keys))}"
    count = clause.get("count")
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        return "count must be a whole number of at least 1"
    if not isinstance(clause.get("color", ""), str):
        return "color must be a text"
    position = clause.get("position", ["above", 0])
    is_pair = isinstance(position, list | tuple) and len(position) == 2 and position[0] in RELATIONS
    if not is_pair or not isinstance(position[1], int) or not 0 <= position[1] < includes:
        return f"position must be one of {', '.join(RELATIONS)} and the number of another clause"
    return ""


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
