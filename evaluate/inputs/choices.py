"""What a config says of datasets, and of which of their images a number is about."""

from typing import Annotated, Literal

from pydantic import Field

from diptych.config.settings import LocalPath, Settings

Role = Literal["generated", "reference", "pairs"]
By = Annotated[tuple[str, ...], Field(description="columns that make the groups; [] takes all images together")]
Datasets = Annotated[tuple[str, ...] | None, Field(description="labels; None takes all that are no reference")]


class DatasetChoice(Settings):
    """A dataset directory and what it is there for: to be judged (generated, pairs), or to be compared with."""

    path: LocalPath = Field(description="a dataset directory")
    role: Role = Field("generated", description="what it is there for")
