"""What a config says of an audit."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from diptych.config.settings import Settings
from diptych.evaluate.inputs.choices import By, Datasets

Share = Annotated[float, Field(ge=0, le=1)]


class Audit(Settings):
    """How often an attribute has each of its values, by group."""

    attribute: str = Field(
        "attribute", description="label.column of a score of words, or its column where one label has it"
    )
    by: By = ("model", "attribute_class")
    category: str | None = Field(None, description="only prompts of this category")
    values: tuple[str, ...] | None = Field(
        None, description="values to count, also where none is seen; None takes those seen and those of the reference"
    )
    reference: Mapping[str, Share | Mapping[str, Share]] = Field(
        default_factory=dict, description="share of each value; or, by value of the last column of by, shares"
    )
    datasets: Datasets = None
