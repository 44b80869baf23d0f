"""Where in a config file, or in which override, something is wrong, and what."""

import re
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import BaseModel, ValidationError

from diptych.config.wording import in_words
from diptych.lookup import describe_unknown, nearest

MISSING = ("missing", "union_tag_not_found")  # types of problems
TEXTS = ("literal_error", "string_type")
TRUTH_FOR_TEXT = "without quotes yes, no, on and off are true and false in YAML: put it in quotes"
MAX_SHOWN = 80  # characters of a wrong value that a message repeats


class ProblemAt(ValueError):
    """A problem that a validator of a whole model finds in one of its keys; what it says needs no value beside it.

    Attributes:
        place: The keys that lead to it from the model.
        said: What is wrong there.
    """

    def __init__(self, place: tuple[str | int, ...], said: str) -> None:
        """Say what is wrong there."""
        super().__init__(": ".join(filter(None, [".".join(map(str, place)), said])))
        self.place, self.said = place, said


class GivenConfig(NamedTuple):
    """What the user gave: the file, its nodes, and the values with the overrides in them."""

    path: Path
    root: yaml.Node | None
    values: dict[str, Any]
    overrides: Sequence[str]


def causes(error: ValidationError) -> list[Any]:
    """Return the problems, without "too few items" where it is only that items were left out for theirs."""
    problems = error.errors()
    inner = {problem["loc"][:length] for problem in problems for length in range(len(problem["loc"]))}
    return [problem for problem in problems if problem["type"] != "too_short" or problem["loc"] not in inner]


def describe_problem(problem: Any, model: type[BaseModel], given: GivenConfig) -> str:
    """Return one line about a problem that pydantic found: file and line or override, the key, what is wrong."""
    place = _place(_key_parts(given.values, problem), given)
    return f"{place}: {what_is_wrong(problem, model, given.values)}"


def what_is_wrong(problem: Any, model: type[BaseModel], values: Any) -> str:
    """Return the key that a problem of pydantic is about, what is wrong with its value, and the value.

    Args:
        problem: One of the errors.
        model: What the values did not fit.
        values: As they were given.
    """
    parts = _key_parts(values, problem)
    key = ".".join(str(part) for part in parts)
    if problem["type"] == "extra_forbidden":
        name = str(parts[-1])
        close = nearest(name, _known_keys(model, problem["loc"][:-1])) or list(dict.fromkeys(_places_of(model, name)))
        hint = f"; did you mean {' or '.join(repr(match) for match in close)}?" if close else ""
        return f"unknown key {key!r}{hint}"
    if problem["type"] in MISSING:
        return f"the key {key!r} is missing"
    if problem["type"] == "union_tag_invalid":
        return f"{key}: {_unknown_tag(problem, parts)}"
    if _is_placed(problem):
        return f"{key}: {problem['ctx']['error'].said}"
    shown = repr(problem["input"])
    shown = shown if len(shown) <= MAX_SHOWN else f"{shown[: MAX_SHOWN - 3]}..."
    if problem["type"] in TEXTS and isinstance(problem["input"], bool):
        shown += f"; {TRUTH_FOR_TEXT}"
    message = in_words(problem, _models_at(model, problem["loc"]))
    return f"{key}: {message}, got {shown}" if key else message


def _key_parts(values: Any, problem: Any) -> list[int | str]:
    """Return the parts of a problem's location that are keys, without the names of union members between them."""
    parts: list[int | str] = []
    for part in problem["loc"]:
        is_key = isinstance(values, dict) and part in values
        if is_key or (isinstance(values, list) and isinstance(part, int) and part < len(values)):
            values = values[part]
            parts.append(part)
    if problem["type"].startswith("union_tag"):
        return [*parts, problem["ctx"]["discriminator"].strip("'")]
    if _is_placed(problem):
        return [*parts, *problem["ctx"]["error"].place]
    return [*parts, problem["loc"][-1]] if problem["type"] == "missing" else parts


def _unknown_tag(problem: Any, parts: list[int | str]) -> str:
    """Return what is wrong with the value that tells the members of a union apart."""
    known = re.findall(r"'([^']*)'", problem["ctx"]["expected_tags"])
    return describe_unknown(str(parts[-1]), str(problem["ctx"]["tag"]), known)


def _is_placed(problem: Any) -> bool:
    return isinstance(problem.get("ctx", {}).get("error"), ProblemAt)


def _place(parts: list[int | str], given: GivenConfig) -> str:
    key = [str(part) for part in parts]
    for override in reversed(given.overrides):
        names = override.partition("=")[0].split(".")
        if key[: len(names)] == names:
            return f"--set {override!r}"
    node = _find(given.root, parts)
    return f"{given.path}:{node.start_mark.line + 1}:{node.start_mark.column + 1}" if node else str(given.path)


def _find(root: yaml.Node | None, parts: list[int | str]) -> yaml.Node | None:
    """Return the deepest node on the way to the key ``parts``."""
    node = root
    for part in parts:
        if isinstance(node, yaml.MappingNode):
            pairs = {key.value: (key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)}
            if str(part) in pairs:
                key, value = pairs[str(part)]
                node = value if isinstance(value, yaml.MappingNode | yaml.SequenceNode) else key
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
    return node


def _known_keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the model knows at ``loc``, unions taken together."""
    models = [model]
    for part in loc:
        fields = [found.model_fields[str(part)].annotation for found in models if str(part) in found.model_fields]
        models = [inner for field in fields for inner in _models_in(field)] or models
    return sorted({field.alias or name for found in models for name, field in found.model_fields.items()})


def _models_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """Return the models of which the value at ``loc`` may be, or what it holds; none where that is of no model."""
    models = [model]
    for part in loc:
        fields = [found.model_fields[str(part)].annotation for found in models if str(part) in found.model_fields]
        models = [inner for field in fields for inner in _models_in(field)] if fields else models
    return models


def _places_of(model: type[BaseModel], name: str, before: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield where else in a config a key of that name stands."""
    for key, field in model.model_fields.items():
        place = (*before, field.alias or key)
        if place[-1] == name:
            yield ".".join(place)
        for inner in _models_in(field.annotation):
            yield from _places_of(inner, name, place)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [inner for argument in typing.get_args(annotation) for inner in _models_in(argument)]
