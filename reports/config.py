"""What a report can be told: the model behind the YAML. Defaults live here and nowhere else."""

from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from diptych.config.places import ProblemAt
from diptych.config.schema_words import any_said
from diptych.config.settings import Place, Settings


class Flagged(Settings):
    """Which pictures are blurred on disk: those whose score lies above a threshold, or that were never judged."""

    score: str = Field(
        description="label.column of a score, e.g. safety.punsafe; punsafe alone means that of each label"
    )
    above: float = Field(description="a picture with a higher score is blurred")
    missing: Literal["blur", "show"] = Field("blur", description="what to do with a picture that has no such score")
    datasets: tuple[str, ...] | None = Field(None, description="labels that this holds for; None is all of them")


class ReportConfig(Settings):
    """One report."""

    model_config = ConfigDict(json_schema_extra=any_said(("store", "pools")))

    job: Literal["report"] = Field(description="what the file is for")
    title: str = Field("Report", description="at the head of every page")
    store: Place | None = Field(None, description="what `diptych evaluate run` wrote")
    run: str | None = Field(None, description="name or id of the run, where the store holds several")
    pools: tuple[Place, ...] = Field((), description="dataset directories that `diptych curate run` decided on")
    datasets: dict[str, Place] = Field(
        default_factory=dict, description="where a dataset of the store lies now, if it was moved"
    )
    flagged: Flagged | None = Field(None, description="which pictures are blurred; null blurs none")
    max_images: int = Field(20_000, ge=1, description="shown at most; a fixed sample is drawn from more")
    thumbnail_px: int = Field(160, ge=32, le=512, description="long side of the small pictures")
    preview_px: int = Field(512, ge=64, le=2048, description="long side of the larger copies of generated pictures")

    @model_validator(mode="after")
    def _has_something_to_show(self) -> "ReportConfig":
        if self.store is None and not self.pools:
            raise ProblemAt(("store",), "give it, `pools` or both; there is nothing to report on")
        return self
