"""The type of a key that holds a name out of a table: ``validate`` and the JSON Schema say the same of it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from diptych.lookup import describe_unknown


@dataclass(frozen=True)
class NameIn:
    """Stands in ``Annotated[str, NameIn("encoder", ENCODERS)]``.

    Attributes:
        kind: What the names are of, for the message.
        known: The names, or what returns them when it is asked.
    """

    kind: str
    known: Collection[str] | Callable[[], Collection[str]]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Refuse any other name."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """List the names."""
        return {**handler(schema), "enum": [*self._names()]}

    def _names(self) -> Collection[str]:
        return self.known() if callable(self.known) else self.known

    def _checked(self, name: str) -> str:
        if name not in self._names():
            raise ValueError(describe_unknown(self.kind, name, self._names()))
        return name
