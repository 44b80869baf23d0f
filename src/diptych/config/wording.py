"""What pydantic finds wrong, in words that need no Python to read: what a value *has to be*."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

OWN = "Value error, "  # before what a validator of ours says
SHOWN_KEYS = 2  # of a mapping in which none is needed
# By the types of pydantic's problems; in braces what it says of one, and the shape of what is needed there.
WORDS = {
    "bool_parsing": "has to be true or false, without quotes",
    "bool_type": "has to be true or false, without quotes",
    "dict_type": "has to be a mapping of labels to {shape}",
    "finite_number": "has to be a finite number",
    "float_parsing": "has to be a number",
    "float_type": "has to be a number",
    "greater_than": "has to be more than {gt}",
    "greater_than_equal": "has to be at least {ge}",
    "int_from_float": "has to be a whole number",
    "int_parsing": "has to be a whole number",
    "int_parsing_size": "has to be a whole number of fewer digits",
    "int_type": "has to be a whole number",
    "is_instance_of": "has to be an object of the program, which no config can hold",
    "less_than": "has to be less than {lt}",
    "less_than_equal": "has to be at most {le}",
    "list_type": "has to be a list of {shape}",
    "literal_error": "has to be {expected}",
    "missing": "is missing",
    "model_attributes_type": "has to be a mapping {shape}",
    "model_type": "has to be a mapping {shape}",
    "multiple_of": "has to be a multiple of {multiple_of}",
    "none_required": "has to be null",
    "path_type": "has to be a path",
    "string_pattern_mismatch": "has to be a text of the pattern {pattern}",
    "string_too_long": "is too long a text; its greatest length is {max_length}",
    "string_too_short": "has to be a text of {min_length} or more characters",
    "string_type": "has to be a text",
    "too_long": "has too many: {actual_length}, of {max_length} at most",
    "too_short": "has too few: {actual_length}, of {min_length} at least",
    "tuple_type": "has to be a list of {shape}",
}
ANYTHING = {"dict_type": "values", "list_type": "values", "tuple_type": "values"}


def in_words(problem: Any, needed: Sequence[type[BaseModel]] = ()) -> str:
    """Return what is wrong with the value that a problem of pydantic is about.

    Args:
        problem: One of the errors.
        needed: The models of which the value, or what it has to hold, may be.
    """
    kind = problem["type"]
    if kind not in WORDS:
        return str(problem["msg"]).removeprefix(OWN)
    shape = shape_of(needed) or ANYTHING.get(kind, "of keys to values")
    bounds = {name: _plain(value) for name, value in problem.get("ctx", {}).items()}
    return WORDS[kind].format(**{"shape": shape, **bounds})


def _plain(value: Any) -> Any:
    """Return a bound as a config has it: 0, not 0.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def shape_of(models: Sequence[type[BaseModel]]) -> str:
    """Return the keys that a mapping needs, in braces: those that all of some models need; empty without a model.

    >>> from pydantic import create_model
    >>> shape_of([create_model("Rule", name=(str, ...), where=(str, ...), note=(str, ""))])
    '{name, where, ...}'
    """
    if not models:
        return ""
    fields = [{found.alias or name: found for name, found in model.model_fields.items()} for model in models]
    shared = [name for name in fields[0] if all(name in of_one for of_one in fields)]
    needed = [name for name in shared if all(of_one[name].is_required() for of_one in fields)]
    shown = needed or shared[:SHOWN_KEYS]
    rest = ["..."] if any(set(of_one) - set(shown) for of_one in fields) else []
    return f"{{{', '.join([*shown, *rest])}}}"
