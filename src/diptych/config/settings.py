"""What every config model has in common: frozen, no unknown keys, true is no number, and paths are local."""

import os
import re
import typing
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from diptych.addresses import local_path
from diptych.errors import DataError

TRUTH_FOR_NUMBER = "a number is needed, which true and false are not"
TEXT_FOR_NUMBER = "a number is needed, and in quotes it is a text"
QUOTED_NUMBER = re.compile(r"\s*[-+]?(\d+(\.\d*)?|\.\d+)\s*")


class Settings(BaseModel):
    """Base of all config models: frozen, and an unknown key or a number that is none is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _no_number_is_made_of_something_else(cls, values: Any) -> Any:
        given = values if isinstance(values, dict) else {}
        wrong = [
            InitErrorDetails(type=PydanticCustomError("number", said), loc=(key,), input=given[key])
            for key, found in cls.model_fields.items()
            for is_wrong, said in ((is_truth_for_number, TRUTH_FOR_NUMBER), (is_text_for_number, TEXT_FOR_NUMBER))
            if is_wrong(given.get(key), found.annotation)
        ]
        if wrong:  # not of single fields: a union told apart by a field allows none there
            raise ValidationError.from_exception_data(cls.__name__, wrong)
        return values


def _checked_path(value: Any) -> Any:
    """Refuse an address with a scheme; what is no path at all is left to the type."""
    try:
        return local_path(value) if isinstance(value, str | os.PathLike) else value
    except DataError as error:
        raise ValueError(str(error)) from error


# The type of every path in a config.
LocalPath = Annotated[Path, BeforeValidator(_checked_path)]


def is_truth_for_number(value: Any, hint: Any) -> bool:
    """Return whether true or false stands where ``hint`` has numbers and no truth values: Python would take it as 1."""
    leaves = _leaves(hint) if _has_truth(value) else set()
    has_models = any(isinstance(leaf, type) and issubclass(leaf, BaseModel) for leaf in leaves)
    return bool(leaves & {int, float}) and not leaves & {bool, Any, object} and not has_models


def _has_truth(value: Any) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, bool) or any(map(_has_truth, parts))


def is_text_for_number(value: Any, hint: Any) -> bool:
    """Return whether a number in quotes stands where ``hint`` has numbers and no texts: the JSON Schema refuses it.

    Not 1e-3, which has none and is a text to YAML 1.1 alone: editors take it for the number that it is.
    """
    if not isinstance(value, str) or not QUOTED_NUMBER.fullmatch(value):
        return False
    leaves = _leaves(hint)
    return bool(leaves & {int, float}) and not leaves & {str, Path, Any, object}


def _leaves(hint: Any) -> set[Any]:
    """Return the types that an annotation is made of."""
    waiting, leaves = [hint], set()
    while waiting:
        one = waiting.pop()
        inner = () if typing.get_origin(one) is typing.Literal else typing.get_args(one)
        waiting += inner
        leaves |= set() if inner or not isinstance(one, type | typing._SpecialForm) else {one}
    return leaves
