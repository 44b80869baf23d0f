"""Options of a config file as arguments of a factory, checked against its signature."""

import inspect
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import SchemaError

from diptych.addresses import local_path
from diptych.config.places import ProblemAt
from diptych.config.sorts import other_sort
from diptych.config.such_as import describe_missing, example_of, missing_options
from diptych.config.wording import in_words
from diptych.errors import ConfigError, DataError, MissingExtra
from diptych.lookup import describe_unknown, resolve

Result = TypeVar("Result")


OPTIONS = "options"  # the key that holds them


class OptionError(ConfigError):
    """An option does not fit.

    Attributes:
        option: Its name; None where one is missing.
    """

    def __init__(self, message: str, option: str | None) -> None:
        """Say what is wrong with which option."""
        super().__init__(message)
        self.option = option


# What YAML gives; any other object is one that the program itself hands in, such as an encoder.
YAML_TYPES = (bool, int, float, str, list, dict)


def call_with_options(factory: Callable[..., Result], options: Mapping[str, Any], *, where: str) -> Result:
    """Call a keyword-only factory with options from a config file, checked against its signature.

    Raises:
        ConfigError: If an option is unknown, missing or of the wrong type; the message names ``where``.
    """
    return factory(**checked_options(factory, options, where=where))


def checked_options(factory: Callable[..., Any], options: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """Return options as the types that the signature of a factory asks for.

    Raises:
        OptionError: If an option is unknown, missing or of the wrong type; the message names ``where``.
    """
    parameters = inspect.signature(factory).parameters
    for name in options:
        if name not in parameters:
            raise OptionError(f"{where}: {describe_unknown('option', name, parameters)}", name)
    if missing := missing_options(factory, options):
        example = ", ".join(f"{name}: {value}" for name, value in example_of(factory, options).items())
        raise OptionError(f"{where}: {describe_missing(missing[0], example)}", None)
    hints = typing.get_type_hints(factory)
    return {
        name: _check_option(value, hints.get(name, Any), f"{where}: option {name!r}", name)
        for name, value in options.items()
    }


def check_options(entry: tuple[Mapping[str, str], str, str], options: Mapping[str, Any], **parts: str | None) -> None:
    """Check the options of a config against the signature of what is made with them, where that is installed.

    Args:
        entry: Table, role and name of what is made.
        options: As the config has them under the key ``options``.
        parts: Labels of objects that come later, by their roles.

    Raises:
        ProblemAt: If they do not fit; of an option that is there, at its place.
    """
    objects = {role: object() for role, label in parts.items() if label is not None}
    try:
        factory = resolve(*entry)
    except MissingExtra:
        return
    try:
        checked_options(factory, {**options, **objects}, where=OPTIONS)
    except OptionError as error:
        place = (OPTIONS, error.option) if error.option is not None and error.option in options else ()
        raise ProblemAt(place, str(error).removeprefix(f"{OPTIONS}: ")) from error


def _check_option(value: Any, hint: Any, where: str, name: str) -> Any:
    if wrong := other_sort(value, hint):
        raise OptionError(f"{where}: {wrong}, got {value!r}", name)
    if value is not None and not isinstance(value, YAML_TYPES):
        return value
    try:
        rules = ConfigDict(arbitrary_types_allowed=True, allow_inf_nan=False)
        checked = TypeAdapter(hint, config=rules).validate_python(value)
        return local_path(str(value)) if isinstance(checked, Path) else checked
    except DataError as error:
        raise OptionError(f"{where}: {error}", name) from error
    except ValidationError as error:
        raise OptionError(f"{where}: {in_words(error.errors()[0])}, got {value!r}", name) from error
    except SchemaError as error:  # the hint is a protocol, and nothing that YAML can say obeys one
        raise OptionError(f"{where}: stands for an object of the program, got {value!r}", name) from error
