"""How configs name encoders, judges and scores: the models that the configs of several jobs share."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, Field, field_validator, model_validator

from diptych.config.name_in import NameIn
from diptych.config.option_schema import options_by_kind
from diptych.config.options import check_options
from diptych.config.places import ProblemAt
from diptych.config.schema_words import in_any_case
from diptych.config.settings import Settings
from diptych.data.column_names import RESERVED, label_problem
from diptych.encoders import ENCODERS
from diptych.errors import ConfigError
from diptych.judges import JUDGES
from diptych.lookup import describe_unknown
from diptych.scores import ALIASES, SCORES, known_score


def _list_scores(schema: dict[str, Any]) -> None:
    own = {"pattern": r"^.+\.py:[A-Za-z_]\w*$"}  # as diptych.scores.known_score takes it
    schema["anyOf"] = [{"enum": list(SCORES)}, {"pattern": in_any_case(ALIASES, between="[-_ ]*")}, own]


OPTIONS_SAID = "arguments of what is made; the documentation of each kind has them"


class EncoderChoice(Settings):
    """One encoder: its kind and its options."""

    model_config = ConfigDict(json_schema_extra=options_by_kind("kind", (ENCODERS, "encoder")))

    kind: Annotated[str, NameIn("encoder", ENCODERS)] = Field(description="an encoder of diptych, such as open_clip")
    options: dict[str, Any] = Field(default_factory=dict, description=OPTIONS_SAID)

    @model_validator(mode="after")
    def _options_fit(self) -> "EncoderChoice":
        check_options((ENCODERS, "encoder", self.kind), self.options)
        return self

    @property
    def spec(self) -> tuple[str, Mapping[str, Any]]:
        """Kind and options, as ``diptych.scores.plan.ScorePlan`` takes them."""
        return self.kind, self.options


class JudgeChoice(Settings):
    """One judge: its kind and its options; ``encoder`` is the label of an encoder."""

    model_config = ConfigDict(json_schema_extra=options_by_kind("kind", (JUDGES, "judge"), "encoder"))

    kind: Annotated[str, NameIn("judge", JUDGES)] = Field(description="a judge of diptych, such as zero_shot")
    encoder: str | None = Field(None, description="label of an encoder, where the judge takes one")
    options: dict[str, Any] = Field(default_factory=dict, description=OPTIONS_SAID)

    @model_validator(mode="after")
    def _options_fit(self) -> "JudgeChoice":
        check_options((JUDGES, "judge", self.kind), self.options, encoder=self.encoder)
        return self

    @property
    def spec(self) -> tuple[str, Mapping[str, Any]]:
        """Kind and options, as ``diptych.scores.plan.ScorePlan`` takes them."""
        return self.kind, _with_parts(self.options, encoder=self.encoder)


class ScoreChoice(Settings):
    """One score: its name and its options; ``encoder`` and ``judge`` are labels of those."""

    model_config = ConfigDict(json_schema_extra=options_by_kind("score", (SCORES, "score"), "encoder", "judge"))

    score: str = Field(description="a score of diptych, or path/to/file.py:factory", json_schema_extra=_list_scores)
    encoder: str | None = Field(None, description="label of an encoder, where the score takes one")
    judge: str | None = Field(None, description="label of a judge, where the score takes one")
    options: dict[str, Any] = Field(default_factory=dict, description=OPTIONS_SAID)

    @field_validator("score")
    @classmethod
    def _known(cls, score: str) -> str:
        try:
            return known_score(score)
        except ConfigError as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _options_fit(self) -> "ScoreChoice":
        if self.score in SCORES:  # a file of the user's own is not opened to check a config
            check_options((SCORES, "score", self.score), self.options, encoder=self.encoder, judge=self.judge)
        return self

    @property
    def spec(self) -> tuple[str, Mapping[str, Any]]:
        """Name and options, as ``diptych.scores.plan.ScorePlan`` takes them."""
        return self.score, _with_parts(self.options, encoder=self.encoder, judge=self.judge)


class ScoringSettings(Settings):
    """What the configs of all jobs that score have in common.

    Each score and judge names an encoder and a judge that is there, and scores can be told apart.
    """

    encoders: dict[str, EncoderChoice] = Field(
        default_factory=dict, description="encoders by labels of your own, which scores and distances name"
    )
    judges: dict[str, JudgeChoice] = Field(
        default_factory=dict, description="judges by labels of your own, which scores name"
    )
    scores: dict[str, ScoreChoice] = Field(
        default_factory=dict,
        description="scores by labels of your own, under which their columns stand",
        json_schema_extra={"propertyNames": {"not": {"pattern": rf"^\s*$|{in_any_case(sorted(RESERVED))}"}}},
    )
    batch_size: int = Field(64, ge=1, description="pictures that an encoder or a judge is given at once, at most")
    decode_threads: int | None = Field(
        None, ge=1, le=1024, description="of a worker; null takes one per processor that it has"
    )

    @model_validator(mode="after")
    def _parts_are_there(self) -> "ScoringSettings":
        if problem := label_problem(self.scores):
            raise ProblemAt(("scores",), problem)
        for label, judge in self.judges.items():
            _check_label(("judges", label), "encoder", judge.encoder, self.encoders)
        for label, score in self.scores.items():
            _check_label(("scores", label), "encoder", score.encoder, self.encoders)
            _check_label(("scores", label), "judge", score.judge, self.judges)
        return self


def _check_label(place: tuple[str, str], role: str, label: str | None, known: Mapping[str, Any]) -> None:
    if label is not None and label not in known:
        raise ProblemAt((*place, role), describe_unknown(role, label, known))


def _with_parts(options: Mapping[str, Any], **parts: str | None) -> dict[str, Any]:
    return {**options, **{role: label for role, label in parts.items() if label is not None}}
