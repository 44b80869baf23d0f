"""What a config says of datasets, of which of their images a number is about, and over what a mean is taken."""

from typing import Annotated, Literal

from pydantic import Field

from diptych.config.settings import Place, Settings

Role = Literal["generated", "reference", "pairs"]
MeanOver = Literal["images", "prompts", "categories"]  # of a prompt or category, the mean over its images first
By = Annotated[tuple[str, ...], Field(description="columns that make the groups; [] takes all images together")]
Datasets = Annotated[tuple[str, ...] | None, Field(description="labels; None takes all that are no reference")]


class StatisticsChoice(Settings):
    """A file of statistics, which stands for the images that it was made of."""

    path: Place = Field(description="of evaluate statistics, pytorch-fid, clean-fid, ADM, EDM2 or CMMD")


class DatasetChoice(Settings):
    """A dataset directory and what it is there for: to be judged (generated, pairs), or to be compared with."""

    path: Place = Field(description="a dataset directory")
    role: Role = Field("generated", description="what it is there for")
