"""Configuration: YAML to a frozen pydantic model, errors that name file, line and key, overrides and fingerprints.

Decides nothing about what a job needs: each folder owns its model. A config file has no logic; everything that changes
a number stands in it and in its fingerprint.
"""

import hashlib
import inspect
import json
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from diptych.errors import ConfigError
from diptych.lookup import describe_unknown, nearest

Model = TypeVar("Model", bound=BaseModel)
Result = TypeVar("Result")


class Settings(BaseModel):
    """Base of all config models: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def load(path: Path, model: type[Model], overrides: Sequence[str] = ()) -> Model:
    """Read a YAML file into ``model``.

    Args:
        path: The file.
        model: The pydantic model of the job.
        overrides: ``a.b=value`` strings, the value in YAML, applied in order.

    Raises:
        ConfigError: If the file cannot be read, is not YAML, or does not fit; one line per problem, each with
            ``file:line:column``, the key and what is wrong with its value.
    """
    root = _compose(path)
    values = yaml.safe_load(path.read_text(encoding="utf-8")) if root is not None else {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: a config is a mapping of keys to values, not a {type(values).__name__}")
    for override in overrides:
        _apply_override(values, override)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = [_describe(problem, model, path, root) for problem in error.errors()]
        raise ConfigError("\n".join(problems)) from error


def read_job(path: Path) -> str:
    """Return the value of the top-level key ``job`` of a config file, which names the model it fits.

    Raises:
        ConfigError: If the file cannot be read or has no such key.
    """
    root = _compose(path)
    values = yaml.safe_load(path.read_text(encoding="utf-8")) if root is not None else None
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
    if value is not None and not isinstance(value, bool | int | float | str | list | dict):
        return value  # an object that the program itself hands in, such as an encoder
    try:
        return TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True)).validate_python(value)
    except ValidationError as error:
        raise ConfigError(f"{where}: {error.errors()[0]['msg']}, got {value!r}") from error


def _compose(path: Path) -> yaml.Node | None:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ConfigError(f"{place}: not valid YAML: {getattr(error, 'problem', error)}") from error


def _apply_override(values: dict[str, Any], override: str) -> None:
    name, equals, text = override.partition("=")
    if not equals or not name:
        raise ConfigError(f"--set {override!r}: write it as key.subkey=value")
    *parents, leaf = name.split(".")
    place: Any = values
    for parent in parents:
        place = place.setdefault(parent, {}) if isinstance(place, dict) else None
    if not isinstance(place, dict):
        raise ConfigError(f"--set {override!r}: {'.'.join(parents)!r} is not a mapping in this config")
    try:
        place[leaf] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {override!r}: the value is not valid YAML") from error


def _describe(problem: Any, model: type[BaseModel], path: Path, root: yaml.Node | None) -> str:
    loc = tuple(problem["loc"])
    key = ".".join(str(part) for part in loc)
    node = _find(root, loc)
    place = f"{path}:{node.start_mark.line + 1}:{node.start_mark.column + 1}" if node else str(path)
    if problem["type"] == "extra_forbidden":
        close = nearest(str(loc[-1]), _known_keys(model, loc[:-1]))
        hint = f"; did you mean {' or '.join(repr(match) for match in close)}?" if close else ""
        return f"{place}: unknown key {key!r}{hint}"
    if problem["type"] == "missing":
        return f"{place}: the key {key!r} is missing"
    return f"{place}: {key}: {problem['msg']}, got {problem['input']!r}"


def _find(root: yaml.Node | None, loc: tuple[int | str, ...]) -> yaml.Node | None:
    """Return the deepest node on the way to ``loc``, passing over parts that are no keys, as names of union members."""
    node = root
    for part in loc:
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
