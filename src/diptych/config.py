"""Configuration: YAML to a frozen pydantic model, errors that name file, line and key, overrides and fingerprints.

Decides nothing about what a job needs: each folder owns its model. A config file has no logic; everything that changes
a number stands in it and in its fingerprint.
"""

import datetime
import hashlib
import inspect
import json
import shlex
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, SchemaError

from diptych.errors import ConfigError
from diptych.lookup import describe_unknown, nearest

Model = TypeVar("Model", bound=BaseModel)
Result = TypeVar("Result")


# What YAML gives; any other object is one that the program itself hands in, such as an encoder.
YAML_TYPES = (bool, int, float, str, bytes, list, dict, set, datetime.date)
TRUTH_FOR_NUMBER = "a number is needed, which true and false are not"
MAX_SHOWN = 80  # characters of a wrong value that a message repeats


class Settings(BaseModel):
    """Base of all config models: frozen, and an unknown key or a number that is none is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _true_is_no_number(cls, values: Any) -> Any:
        given = values if isinstance(values, dict) else {}
        wrong = [
            key for key, found in cls.model_fields.items() if _is_truth_for_number(given.get(key), found.annotation)
        ]
        if wrong:  # not of single fields: a union told apart by a field allows none there
            problem = PydanticCustomError("truth", TRUTH_FOR_NUMBER)
            problems = [InitErrorDetails(type=problem, loc=(key,), input=given[key]) for key in wrong]
            raise ValidationError.from_exception_data(cls.__name__, problems)
        return values


def load(path: Path, model: type[Model], overrides: Sequence[str] = ()) -> Model:
    """Read a YAML file into ``model``.

    Args:
        path: The file.
        model: The pydantic model of the job.
        overrides: ``a.b=value`` strings, the value in YAML, applied in order.

    Raises:
        ConfigError: If the file cannot be read, is not YAML, or does not fit; one line per problem, each with
            ``file:line:column`` (or the override), the key and what is wrong with its value.
    """
    root, values = _parse(path)
    values = {} if values is None else values
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: a config is a mapping of keys to values, not a {type(values).__name__}")
    for override in overrides:
        values = _override(values, override)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        given = _Given(path, root, values, overrides)
        raise ConfigError("\n".join(_describe(problem, model, given) for problem in _causes(error))) from error


def read_job(path: Path) -> str:
    """Return the value of the top-level key ``job`` of a config file, which names the model it fits.

    Raises:
        ConfigError: If the file cannot be read or has no such key.
    """
    _, values = _parse(path)
    job = values.get("job") if isinstance(values, dict) else None
    if not isinstance(job, str):
        raise ConfigError(f"{path}: the top-level key 'job' is missing; it says what the file is for, e.g. job: curate")
    return job


def fingerprint(value: Any) -> str:
    """Return the sha256 (hex) of the canonical JSON of ``value``: sorted keys, no spaces.

    >>> fingerprint({"b": 1, "a": 2}) == fingerprint({"a": 2, "b": 1})
    True
    """
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def short_id(identity: Mapping[str, Any]) -> str:
    """Return the first 8 hex digits of the identity's fingerprint, as directory names carry it."""
    return fingerprint(dict(identity))[:8]


def call_with_options(factory: Callable[..., Result], options: Mapping[str, Any], *, where: str) -> Result:
    """Call a keyword-only factory with options from a config file, checked against its signature.

    Raises:
        ConfigError: If an option is unknown, missing or of the wrong type; the message names ``where``.
    """
    parameters = inspect.signature(factory).parameters
    for name in options:
        if name not in parameters:
            raise ConfigError(f"{where}: {describe_unknown('option', name, parameters)}")
    for name, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and name not in options:
            raise ConfigError(f"{where}: the option {name!r} is missing")
    hints = typing.get_type_hints(factory)
    checked = {
        name: _check_option(value, hints.get(name, Any), f"{where}: option {name!r}") for name, value in options.items()
    }
    return factory(**checked)


def _check_option(value: Any, hint: Any, where: str) -> Any:
    if _is_truth_for_number(value, hint):
        raise ConfigError(f"{where}: {TRUTH_FOR_NUMBER}, got {value!r}")
    if value is not None and not isinstance(value, YAML_TYPES):
        return value
    try:
        rules = ConfigDict(arbitrary_types_allowed=True, allow_inf_nan=False)
        return TypeAdapter(hint, config=rules).validate_python(value)
    except ValidationError as error:
        raise ConfigError(f"{where}: {error.errors()[0]['msg']}, got {value!r}") from error
    except SchemaError as error:  # the hint is a protocol, and nothing that YAML can say obeys one
        raise ConfigError(f"{where}: stands for an object of the program, got {value!r}") from error


def _is_truth_for_number(value: Any, hint: Any) -> bool:
    """Return whether true or false stands where ``hint`` has numbers and no truth values: Python would take it as 1."""
    is_truth = isinstance(value, bool) or (isinstance(value, list) and any(isinstance(one, bool) for one in value))
    if not is_truth:
        return False
    waiting, leaves = [hint], set()
    while waiting:
        one = waiting.pop()
        inner = () if typing.get_origin(one) is typing.Literal else typing.get_args(one)
        waiting += inner
        leaves |= set() if inner or not isinstance(one, type | typing._SpecialForm) else {one}
    return bool(leaves & {int, float}) and not leaves & {bool, Any, object}


class _Given(NamedTuple):
    """What the user gave: the file, its nodes, and the values with the overrides in them."""

    path: Path
    root: yaml.Node | None
    values: dict[str, Any]
    overrides: Sequence[str]


def _parse(path: Path) -> tuple[yaml.Node | None, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_repeated_keys(root, path)
        return root, yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date or number that cannot be
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        problem = " ".join(str(getattr(error, "problem", error)).split())
        raise ConfigError(f"{place}: not valid YAML: {problem}") from error


def _refuse_repeated_keys(root: yaml.Node | None, path: Path) -> None:
    """Raise for a key that stands twice in one mapping: YAML would take the last and drop the other silently."""
    waiting, visited = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in visited or not isinstance(node, yaml.CollectionNode):
            continue
        visited.add(id(node))  # an alias leads to the same node again, and may lead in circles
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        waiting += [value for _, value in pairs] or node.value
        lines: dict[str, int] = {}
        for key in (key for key, _ in pairs if isinstance(key, yaml.ScalarNode)):
            if key.value in lines:
                place = f"{path}:{key.start_mark.line + 1}:{key.start_mark.column + 1}"
                raise ConfigError(f"{place}: the key {key.value!r} stands in line {lines[key.value]} already")
            lines[key.value] = key.start_mark.line + 1


def _override(values: dict[str, Any], override: str) -> dict[str, Any]:
    name, equals, _ = override.partition("=")
    parts = name.split(".")
    if not equals or not all(parts):
        raise ConfigError(f"--set {override!r}: write it as key.subkey=value")
    return _with_value(values, parts, typed_value(override), override)


def typed_value(override: str) -> Any:
    """Return the value of a ``key=value``, which is YAML.

    Raises:
        ConfigError: If it is not, or if YAML would take a part of it as a comment.
    """
    name, _, text = override.partition("=")
    try:
        value = yaml.safe_load(text)
        comment = _comment_in(text)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"--set {override!r}: the value is not valid YAML") from error
    if comment:
        quoted = shlex.quote(f"{name}={json.dumps(text, ensure_ascii=False)}")
        raise ConfigError(f"--set {override!r}: YAML takes {comment!r} as a comment; quote the value: --set {quoted}")
    return value


def path_setting(key: str, path: Path) -> str:
    """Return what ``--set`` takes to put a path at a key, whatever characters it has."""
    return f"{key}={quoted_path(path)}"


def quoted_path(path: Path) -> str:
    """Return a path as JSON, which is YAML as well; unquoted, `` #`` would begin a comment and ``: `` a mapping."""
    return json.dumps(str(path), ensure_ascii=False)  # escapes of JSON beyond 16 bits are not those of YAML


def _comment_in(text: str) -> str:
    """Return the first comment of a YAML text, which its value lacks; empty where there is none."""
    end = 0
    for token in yaml.scan(text):
        between = text[end : token.start_mark.index]
        if "#" in between:
            return between[between.index("#") :].strip()
        end = max(end, token.end_mark.index)
    return ""


def _with_value(values: Any, parts: list[str], value: Any, override: str) -> dict[str, Any]:
    """Return a copy with one value set: what a YAML alias shares must not change elsewhere."""
    if not isinstance(values, dict):
        parents = override.partition("=")[0].split(".")[: -len(parts)]
        raise ConfigError(f"--set {override!r}: {'.'.join(parents)!r} is not a mapping in this config")
    first, *rest = parts
    inner = _with_value(values.get(first, {}), rest, value, override) if rest else value
    return {**values, first: inner}


def _causes(error: ValidationError) -> list[Any]:
    """Return the problems, without "too few items" where it is only that items were left out for theirs."""
    problems = error.errors()
    inner = {problem["loc"][:length] for problem in problems for length in range(len(problem["loc"]))}
    return [problem for problem in problems if problem["type"] != "too_short" or problem["loc"] not in inner]


def _describe(problem: Any, model: type[BaseModel], given: _Given) -> str:
    parts = _key_parts(given.values, problem)
    key, place = ".".join(str(part) for part in parts), _place(parts, given)
    if problem["type"] == "extra_forbidden":
        close = nearest(str(parts[-1]), _known_keys(model, problem["loc"][:-1]))
        hint = f"; did you mean {' or '.join(repr(match) for match in close)}?" if close else ""
        return f"{place}: unknown key {key!r}{hint}"
    if problem["type"] == "missing":
        return f"{place}: the key {key!r} is missing"
    message = problem["msg"].removeprefix("Value error, ")
    shown = repr(problem["input"])
    shown = shown if len(shown) <= MAX_SHOWN else f"{shown[: MAX_SHOWN - 3]}..."
    return f"{place}: {key}: {message}, got {shown}" if key else f"{place}: {message}"


def _key_parts(values: Any, problem: Any) -> list[int | str]:
    """Return the parts of a problem's location that are keys, without the names of union members between them."""
    parts: list[int | str] = []
    for part in problem["loc"]:
        is_key = isinstance(values, dict) and part in values
        if is_key or (isinstance(values, list) and isinstance(part, int) and part < len(values)):
            values = values[part]
            parts.append(part)
    return [*parts, problem["loc"][-1]] if problem["type"] == "missing" else parts


def _place(parts: list[int | str], given: _Given) -> str:
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
    return sorted({name for found in models for name in found.model_fields})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [inner for argument in typing.get_args(annotation) for inner in _models_in(argument)]
