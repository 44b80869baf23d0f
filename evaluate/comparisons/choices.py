"""What a config says of comparisons."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from diptych.config.settings import Settings
from diptych.data.generated_columns import compared_columns
from diptych.lookup import describe_unknown


def _compared(name: str) -> str:
    if name not in compared_columns():
        raise ValueError(describe_unknown("column", name, compared_columns()))
    return name


def _list_compared(schema: dict[str, Any]) -> None:
    schema["enum"] = list(compared_columns())


Compared = Annotated[str, AfterValidator(_compared), Field(json_schema_extra=_list_compared)]


class Compare(Settings):
    """Differences of every mean between the values of a column, over images of the same prompt, sample and the rest."""

    by: Compared = Field("model", description="what is compared with what")
    baseline: str | None = Field(None, description="a value of that column; None compares each with each")
