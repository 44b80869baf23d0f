"""What a config says of metrics: of sets of images, and of means of their scores."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from diptych.config.schema_words import in_any_case
from diptych.config.settings import Settings
from diptych.errors import ConfigError
from diptych.evaluate.inputs.choices import By, Datasets
from diptych.evaluate.metrics.contract import ALIASES, SET_METRICS, known_metric


def _known(given: str) -> str:
    try:
        return known_metric(given)
    except ConfigError as error:
        raise ValueError(str(error)) from error


def _list_known(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"enum": [*SET_METRICS, *ALIASES]}, {"pattern": in_any_case(ALIASES)}]


MetricName = Annotated[str, AfterValidator(_known), Field(json_schema_extra=_list_known)]


class DistanceChoice(Settings):
    """A set metric of each group's pictures, mostly against those of a reference dataset."""

    metric: MetricName = Field(description="a set metric of diptych")
    encoder: str = Field(description="label of an encoder")
    reference: str | None = Field(
        None, description="label of a dataset or a file of statistics, for a metric that compares with one"
    )
    by: By = ("model",)
    datasets: Datasets = None
    paired: bool = Field(
        False,
        description="the images are versions of those of the reference (recompressed, resized, decoded), so that no "
        "error takes the two for independent; equal bytes, vectors and keys are found without it",
    )

    def __str__(self) -> str:
        """Return it in words.

        >>> str(DistanceChoice(metric="kernel_distance", encoder="clip", reference="photos"))
        'kernel_distance to photos by clip'
        """
        return " ".join([self.metric, *(f"to {label}" for label in self.references), f"by {self.encoder}"])

    @property
    def references(self) -> tuple[str, ...]:
        """The reference, or nothing where there is none."""
        return () if self.reference is None else (self.reference,)


Count = Annotated[int, Field(ge=0)]
Whole = Annotated[int, Field(ge=1)]


class CheckedJudge(Settings):
    """What a judge said of images of which somebody knows whether they are right."""

    right: tuple[Count, Whole] = Field(description="of those that are right: how many it calls right, and of how many")
    wrong: tuple[Count, Whole] = Field(description="of those that are wrong: how many it calls wrong, and of how many")

    @model_validator(mode="after")
    def _counts_fit(self) -> "CheckedJudge":
        for name, (count, of) in (("right", self.right), ("wrong", self.wrong)):
            if count > of:
                raise ValueError(f"{name}: [{count}, {of}] is more than there are; give such as [95, 100]")
        return self


class MeanChoice(Settings):
    """The mean of a score over each group's images, with an interval that knows that prompts are clusters."""

    score: str = Field(description="label.column of a score, or its column where one label has it")
    by: By = ("model",)
    datasets: Datasets = None
    judge_check: CheckedJudge | None = Field(
        None, description="how often the judge errs: then the share is also told as it is without those errors"
    )
