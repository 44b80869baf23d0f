"""Where in a config file, or in which override, something is wrong, and what."""

import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import yaml
from pydantic import BaseModel, ValidationError

from diptych.config.meant import close_keys
from diptych.config.wording import in_words
from diptych.lookup import describe_unknown

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


class ConfigFile(Protocol):
    """A file to read, of this machine or of a store; its text is what messages call it."""

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        """Return what is in it."""


class GivenConfig(NamedTuple):
    """What the user gave: the file, its nodes, and the values with the overrides in them."""

    path: ConfigFile
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
    place = place_of(_key_parts(given.values, problem), given)
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
        return f"unknown key {key!r}{_hint(model, problem['loc'], parts)}"
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
    message = in_words(problem, _models_at(model, problem["loc"]).meant)
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


def place_of(parts: list[int | str], given: GivenConfig) -> str:
    """Return where a key, or the nearest one on the way to it, stands: file, line and column, or an override."""
    key = [str(part) for part in parts]
    for override in reversed(given.overrides):
        names = [str(int(name)) if name.isdecimal() else name for name in override.partition("=")[0].split(".")]
        if key[: len(names)] == names:
            return f"--set {override!r}"
    mark = _mark_of(given.root, parts)
    return f"{given.path}:{mark.line + 1}:{mark.column + 1}" if mark else str(given.path)


def _mark_of(root: yaml.Node | None, parts: list[int | str]) -> Any:
    """Return where the deepest key, or item of a list, on the way to the key ``parts`` begins; None of no config.

    A label with dots in it may stand there as several parts.
    """
    node, found, at = root, root, 0
    while at < len(parts):
        part, taken = parts[at], 1
        if isinstance(node, yaml.MappingNode):
            pairs = {key.value: (key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)}
            joined = [".".join(map(str, parts[at:end])) for end in range(at + 1, len(parts) + 1)]
            taken = next((count for count, name in enumerate(joined, 1) if name in pairs), 1)
            found, node = pairs.get(joined[taken - 1], (found, None))
        else:
            items = node.value if isinstance(node, yaml.SequenceNode) and isinstance(part, int) else []
            node = items[part] if isinstance(part, int) and part < len(items) else None
            found = node or found
        at += taken
    return found.start_mark if found else None


class _ModelsAt(NamedTuple):
    """The models that may stand at a place, and those of the same union that another tag would have chosen."""

    meant: list[type[BaseModel]]
    others: list[type[BaseModel]]


def _hint(model: type[BaseModel], loc: tuple[int | str, ...], parts: list[int | str]) -> str:
    """Return what may be meant by an unknown key: one with another tag, of that name elsewhere, or of a like one."""
    name, there = str(parts[-1]), _models_at(model, loc[:-1])
    tags = sorted(tag for other in there.others if name in _keys_of([other]) for tag in _tags_of(other).values())
    if tags:
        given = next(key for key, tag in _tags_of(there.meant[0]).items() if tag == loc[-2])
        return f" with {given}: {loc[-2]}; it goes with {given}: {' or '.join(tags)}"
    place = ".".join(map(str, parts))
    elsewhere = [other for other in dict.fromkeys(_places_of(model, name)) if other != place]
    close = close_keys(name, _keys_of(there.meant), elsewhere)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""


def _models_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> _ModelsAt:
    """Return the models of which the value at ``loc`` may be, or what it holds; none where that is of no model.

    In a place the tag of a union stands behind its key.
    """
    models, others = [model], list[type[BaseModel]]()
    for part in loc:
        fields = [found.model_fields[str(part)].annotation for found in models if str(part) in found.model_fields]
        tagged = [found for found in models if part in _tags_of(found).values()]
        if fields:
            models, others = [inner for field in fields for inner in _models_in(field)], []
        elif tagged:
            models, others = tagged, [found for found in models if found not in tagged]
    return _ModelsAt(models, others)


def _keys_of(models: list[type[BaseModel]]) -> list[str]:
    return sorted({field.alias or name for found in models for name, field in found.model_fields.items()})


def _tags_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the only value of each key that may have but one, by which unions tell their models apart."""
    values = {name: typing.get_args(field.annotation) for name, field in model.model_fields.items()}
    is_literal = {name: typing.get_origin(field.annotation) is Literal for name, field in model.model_fields.items()}
    return {name: found[0] for name, found in values.items() if is_literal[name] and len(found) == 1}


def _places_of(model: type[BaseModel], name: str, before: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield where else in a config a key of that name stands; what is called as one likes is ``LABEL`` there."""
    for key, field in model.model_fields.items():
        place = (*before, field.alias or key)
        if place[-1] == name:
            yield ".".join(place)
        inside = (*place, "LABEL") if typing.get_origin(field.annotation) in (dict, Mapping) else place
        for inner in _models_in(field.annotation):
            yield from _places_of(inner, name, inside)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [inner for argument in typing.get_args(annotation) for inner in _models_in(argument)]
