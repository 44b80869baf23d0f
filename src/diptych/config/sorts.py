"""Values of one sort where a key holds another: pydantic would make a number of a text, and 1 of true.

The JSON Schema takes no value of another sort, and so does nothing here. One text is a number all the same: YAML 1.1
takes 1e-3 for a text, and editors for the number that it is.
"""

import re
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

TRUTH_FOR_NUMBER = "a number is needed, which true and false are not"
TEXT_FOR_NUMBER = "a number is needed, and in quotes it is a text"
OTHER_FOR_TRUTH = "true or false is needed, without quotes"
EXPONENT = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+")


def other_sort(value: Any, hint: Any) -> str:
    """Return what is wrong with the sort of a value; empty where it fits, or where pydantic says what is wrong.

    Args:
        value: A scalar, or lists and mappings of them.
        hint: The type that it has to fit.
    """
    leaves = _leaves(hint)
    if any(isinstance(leaf, type) and issubclass(leaf, BaseModel) for leaf in leaves):
        return ""  # which look at their own values
    scalars = list(_scalars(value))
    if leaves & {int, float} and not leaves & {bool, Any, object} and any(isinstance(one, bool) for one in scalars):
        return TRUTH_FOR_NUMBER
    if leaves & {int, float} and not leaves & {str, Path, Any, object} and any(map(_is_number_in_quotes, scalars)):
        return TEXT_FOR_NUMBER
    if bool in leaves and not leaves & {int, float, str, Path, Any, object}:
        return OTHER_FOR_TRUTH if any(isinstance(one, str | int | float) for one in _without_truth(scalars)) else ""
    return ""


def _is_number_in_quotes(value: Any) -> bool:
    if not isinstance(value, str) or EXPONENT.fullmatch(value):
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True


def _without_truth(scalars: list[Any]) -> list[Any]:
    return [one for one in scalars if not isinstance(one, bool)]


def _scalars(value: Any) -> typing.Iterator[Any]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _scalars(part)
    else:
        yield value


def _leaves(hint: Any) -> set[Any]:
    """Return the types that an annotation is made of, but for the keys of mappings, which are no values."""
    waiting, leaves = [hint], set()
    while waiting:
        one = waiting.pop()
        origin = typing.get_origin(one)
        inner = () if origin is typing.Literal else typing.get_args(one)
        is_mapping = isinstance(origin, type) and issubclass(origin, Mapping)
        waiting += inner[1:] if is_mapping else inner
        leaves |= set() if inner or not isinstance(one, type | typing._SpecialForm) else {one}
    return leaves
