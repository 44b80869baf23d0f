"""What an evaluation can be told: the models behind the YAML. Defaults live here and nowhere else."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from diptych.config.settings import LocalPath, Settings
from diptych.data.generated_columns import compared_columns
from diptych.lookup import describe_unknown
from diptych.scores.choices import EncoderChoice, JudgeChoice, ScoreChoice, check_labels

Role = Literal["generated", "reference", "pairs"]
By = Annotated[tuple[str, ...], Field(description="columns that make the groups; [] takes all images together")]
Datasets = Annotated[tuple[str, ...] | None, Field(description="labels; None takes all that are no reference")]
Share = Annotated[float, Field(ge=0, le=1)]
LABEL = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,60}$"


def _compared(name: str) -> str:
    if name not in compared_columns():
        raise ValueError(describe_unknown("column", name, compared_columns()))
    return name


def _list_compared(schema: dict[str, Any]) -> None:
    schema["enum"] = list(compared_columns())


Compared = Annotated[str, AfterValidator(_compared), Field(json_schema_extra=_list_compared)]


class DatasetChoice(Settings):
    """A dataset directory and what it is there for: to be judged (generated, pairs), or to be compared with."""

    path: LocalPath
    role: Role = "generated"


class DistanceChoice(Settings):
    """The distance of each group's pictures to those of a reference dataset."""

    metric: Literal["frechet_distance", "kernel_distance"]
    encoder: str
    reference: str
    by: By = ("model",)
    datasets: Datasets = None


class MeanChoice(Settings):
    """The mean of a score over each group's images, with an interval that knows that prompts are clusters."""

    score: str = Field(description="a score's column, or label.column where two scores have it")
    by: By = ("model",)
    datasets: Datasets = None


class Compare(Settings):
    """Differences of every mean between the values of a column, over images of the same prompt, sample and the rest."""

    by: Compared = "model"
    baseline: str | None = Field(None, description="a value of that column; None compares each with each")


class Audit(Settings):
    """How often an attribute has each of its values, by group."""

    attribute: str = Field("attribute", description="a score's column of words, or label.column")
    by: By = ("model", "attribute_class")
    category: str | None = Field(None, description="only prompts of this category")
    values: tuple[str, ...] | None = Field(
        None, description="values to count, also where none is seen; None takes those seen and those of the reference"
    )
    reference: Mapping[str, Share | Mapping[str, Share]] = Field(
        default_factory=dict, description="share of each value; or, by value of the last column of by, shares"
    )
    datasets: Datasets = None


class EvaluateConfig(Settings):
    """One evaluation."""

    job: Literal["evaluate"]
    name: str = Field("evaluation", pattern=LABEL, description="a rerun under the same name replaces the run")
    store: LocalPath
    datasets: dict[Annotated[str, Field(pattern=LABEL)], DatasetChoice] = Field(min_length=1)
    encoders: dict[str, EncoderChoice] = Field(default_factory=dict)
    judges: dict[str, JudgeChoice] = Field(default_factory=dict)
    scores: dict[str, ScoreChoice] = Field(default_factory=dict)
    batch_size: int = Field(64, ge=1)
    distances: tuple[DistanceChoice, ...] = ()
    means: tuple[MeanChoice, ...] = ()
    compare: Compare | None = None
    audit: Audit | None = None

    @model_validator(mode="after")
    def _labels_fit(self) -> "EvaluateConfig":
        check_labels(self.encoders, self.judges, self.scores)
        for number, distance in enumerate(self.distances):
            where = f"distances.{number}"
            _check(where, "encoder", [distance.encoder], self.encoders)
            _check(where, "dataset", [distance.reference, *(distance.datasets or ())], self.datasets)
        for number, mean in enumerate(self.means):
            _check(f"means.{number}", "dataset", mean.datasets or (), self.datasets)
        _check("audit", "dataset", (self.audit and self.audit.datasets) or (), self.datasets)
        if not self.judged():
            raise ValueError("datasets: all are references, so there is nothing to judge; give one another role")
        if self.compare is not None and not (self.means or self.distances):
            raise ValueError("compare: there is nothing to compare; name a score under means, or a distance")
        return self

    def judged(self, only: Iterable[str] | None = None) -> dict[str, DatasetChoice]:
        """Return the datasets to judge by label: those in ``only``, or all that are no reference."""
        if only is not None:
            return {label: self.datasets[label] for label in only}
        return {label: choice for label, choice in self.datasets.items() if choice.role != "reference"}

    def scored(self) -> set[str]:
        """Return the labels of the datasets to compute scores over."""
        named = [mean.datasets for mean in self.means] + ([self.audit.datasets] if self.audit else [])
        return {*self.judged(), *(label for labels in named for label in labels or ())}


def _check(where: str, kind: str, labels: Iterable[str], known: Iterable[str]) -> None:
    for label in labels:
        if label not in known:
            raise ValueError(f"{where}: {describe_unknown(kind, label, known)}")
