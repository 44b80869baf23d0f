"""What every config model has in common: frozen, no unknown keys, and true is no number."""

import typing
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

TRUTH_FOR_NUMBER = "a number is needed, which true and false are not"


class Settings(BaseModel):
    """Base of all config models: frozen, and an unknown key or a number that is none is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _true_is_no_number(cls, values: Any) -> Any:
        given = values if isinstance(values, dict) else {}
        wrong = [
            key for key, found in cls.model_fields.items() if is_truth_for_number(given.get(key), found.annotation)
        ]
        if wrong:  # not of single fields: a union told apart by a field allows none there
            problem = PydanticCustomError("truth", TRUTH_FOR_NUMBER)
            problems = [InitErrorDetails(type=problem, loc=(key,), input=given[key]) for key in wrong]
            raise ValidationError.from_exception_data(cls.__name__, problems)
        return values


def is_truth_for_number(value: Any, hint: Any) -> bool:
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
