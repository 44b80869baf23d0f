"""What the JSON Schema says of the options of a kind: its signature, as ``config.options`` checks it."""

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from diptych.config.options import OPTIONS
from diptych.config.schema_words import where
from diptych.errors import MissingExtra
from diptych.lookup import resolve


def options_by_kind(key: str, entry: tuple[Mapping[str, str], str], *parts: str) -> Callable[[dict[str, Any]], None]:
    """Return what tells the schema of a model which options each kind has, where the kind is installed.

    Args:
        key: Of the model, which holds the name of the kind.
        entry: Table of the kinds, and what they are.
        parts: Further keys of the model; each holds the label of an object that the factory takes by that name.
    """

    def extend(schema: dict[str, Any]) -> None:
        schema["allOf"] = [where(key, name, then) for name, then in _rules(*entry, parts)]

    return extend


def _rules(table: Mapping[str, str], kind: str, parts: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in table:
        try:
            factory = resolve(table, kind, name)
        except MissingExtra:
            continue
        yield name, _rule(factory, parts)


def _rule(factory: Callable[..., Any], parts: tuple[str, ...]) -> dict[str, Any]:
    hints = typing.get_type_hints(factory)
    parameters = inspect.signature(factory).parameters
    needed = [name for name, one in parameters.items() if one.default is inspect.Parameter.empty]
    options = {
        name: _schema_of(hints.get(name, Any), parameter.default)
        for name, parameter in parameters.items()
        if name not in parts
    }
    needed_options = [name for name in needed if name not in parts]
    said: dict[str, Any] = {OPTIONS: {"properties": options, "additionalProperties": False, "required": needed_options}}
    said |= {part: {"type": "null"} for part in parts if part not in parameters}
    said |= {part: {"type": "string"} for part in parts if part in needed}
    return {"properties": said, "required": [OPTIONS] * bool(needed_options) + [one for one in parts if one in needed]}


def _schema_of(hint: Any, default: Any) -> dict[str, Any]:
    told = TypeAdapter(hint, config=ConfigDict(allow_inf_nan=False)).json_schema()
    return told if default in (None, inspect.Parameter.empty) else {**told, "default": default}
