"""What an option may be, said where it is declared, so that who leaves it out is told with an example."""

import inspect
import shlex
import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from diptych.errors import ConfigError


@dataclass(frozen=True)
class SuchAs:
    """Stands in ``Annotated[str, SuchAs("ViT-L-14")]`` of an option of a factory.

    Attributes:
        value: That the option may have, as YAML writes it.
    """

    value: str


def missing_options(factory: Callable[..., Any], given: Collection[str]) -> list[str]:
    """Return the options without which a factory makes nothing, and that are not given."""
    parameters = inspect.signature(factory).parameters.items()
    return [name for name, one in parameters if one.default is inspect.Parameter.empty and name not in given]


def describe_missing(name: str, example: str) -> str:
    """Return the sentence for an option that is missing, with what may be given for all that are.

    >>> describe_missing("architecture", "architecture: ViT-L-14")
    "the option 'architecture' is missing; for example architecture: ViT-L-14"
    """
    return f"the option {name!r} is missing{f'; for example {example}' if example else ''}"


def check_given(factory: Callable[..., Any], given: Collection[str], *, where: str, label: str = "") -> None:
    """Refuse options of a command line of which one is missing that is needed; says how they are given.

    Args:
        factory: What is made with them.
        given: Those that are there.
        where: What the message begins with.
        label: What ``--set`` has before a dot and the option; empty for none.

    Raises:
        ConfigError: If one is missing.
    """
    if missing := missing_options(factory, given):
        raise ConfigError(f"{where}: {describe_missing(missing[0], as_settings(factory, given, label))}")


def as_settings(factory: Callable[..., Any], given: Collection[str], label: str = "") -> str:
    """Return an example of the options that a factory needs as ``--set`` takes them; empty where it needs no more."""
    if not missing_options(factory, given):
        return ""
    before = f"{label}." if label else ""
    values = example_of(factory, given).items()
    return " ".join(f"--set {shlex.quote(f'{before}{name}={value}')}" for name, value in values)


def example_of(factory: Callable[..., Any], given: Collection[str]) -> Mapping[str, str]:
    """Return values that a factory can be given for the options that have an example and are not given.

    Empty where an option is needed of which none can be named.
    """
    hints = typing.get_type_hints(factory, include_extras=True)
    found = {
        name: such.value
        for name in inspect.signature(factory).parameters
        if name not in given
        for such in getattr(hints.get(name), "__metadata__", ())
        if isinstance(such, SuchAs)
    }
    return found if set(missing_options(factory, given)) <= set(found) else {}
