"""What every config model has in common: frozen, no unknown keys, no value of another sort, and what a place may be."""

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from diptych.addresses import SCHEME, STORES, place_of
from diptych.config.sorts import other_sort
from diptych.errors import DataError


class Settings(BaseModel):
    """Base of all config models: frozen, and an unknown key or a value of another sort is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _no_value_is_made_of_another_sort(cls, values: Any) -> Any:
        given = values if isinstance(values, dict) else {}
        wrong = [
            InitErrorDetails(type=PydanticCustomError("sort", said), loc=(key,), input=given[key])
            for key, found in cls.model_fields.items()
            if (said := other_sort(given.get(key), found.annotation))
        ]
        if wrong:  # not of single fields: a union told apart by a field allows none there
            raise ValidationError.from_exception_data(cls.__name__, wrong)
        return values


def _checked_place(value: Any) -> Any:
    """Refuse an address of no store; what is no path at all is left to the type."""
    try:
        return place_of(value) if isinstance(value, str | os.PathLike) else value
    except DataError as error:
        raise ValueError(str(error)) from error


def _without_other_addresses(schema: dict[str, Any]) -> None:
    schema["not"] = {"pattern": f"^(?!({'|'.join(STORES)})://[^/]){SCHEME.pattern}"}


# Stands beside a dict whose keys obey a pattern, of which the JSON Schema refuses no other key by itself.
NO_OTHER_LABEL = Field(json_schema_extra={"additionalProperties": False})
# The type of every path in a config; it may be an address in an object store, too.
Place = Annotated[str | Path, BeforeValidator(_checked_place), Field(json_schema_extra=_without_other_addresses)]
