"""The types of the further columns that prompts bring: one for all prompts of a run, whatever set they are from."""

from collections.abc import Iterable
from typing import Literal, get_args

from diptych.errors import ConfigError
from diptych.generate.backends.asked import AskedPrompt, Request
from diptych.generate.prompts import Cell

CellType = Literal["bool", "int64", "float64", "string"]
SHOWN: dict[CellType, str] = {"bool": "true or false", "int64": "numbers", "float64": "numbers", "string": "texts"}


def carried_types(asked: Iterable[AskedPrompt]) -> dict[str, CellType]:
    """Return the types of the further columns of all prompts by name, in the order in which they come.

    Whole numbers beside others are numbers like those; a column in which nothing stands is one of texts.

    Raises:
        ConfigError: If one holds texts here and numbers there; says where.
    """
    found: dict[str, CellType | None] = {}
    first: dict[str, Request] = {}
    for request in (request for each in asked for request in each.requests):
        for name, value in request.prompt.columns.items():
            kind, known = _type_of(value), found.setdefault(name, None)
            if kind is None or kind == known:
                continue
            if known is None:
                found[name], first[name] = kind, request
            elif {kind, known} == {"int64", "float64"}:
                found[name] = "float64"
            else:
                raise ConfigError(
                    f"prompts ({request.prompt_set}): the column {name!r} holds {SHOWN[kind]} in the prompt "
                    f"{request.prompt.id!r}, and {SHOWN[known]} in {_place(first[name])}; give it one type or two names"
                )
    return {name: kind or "string" for name, kind in found.items()}


def _type_of(value: Cell) -> CellType | None:
    kinds: dict[type, CellType] = dict(zip((bool, int, float, str), get_args(CellType), strict=True))
    return None if value is None else kinds[type(value)]


def _place(request: Request) -> str:
    return f"the prompt {request.prompt.id!r} of {request.prompt_set}"
