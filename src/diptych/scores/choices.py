"""How configs name encoders, judges and scores: the models that the configs of several jobs share."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from diptych.config.options import OptionError, checked_options
from diptych.config.places import WHOLE_MESSAGE
from diptych.config.settings import Settings
from diptych.data.column_names import label_problem
from diptych.encoders import ENCODERS
from diptych.errors import ConfigError, MissingExtra
from diptych.judges import JUDGES
from diptych.lookup import describe_unknown, resolve
from diptych.scores import SCORES, check_name

OPTIONS_SAID = "arguments of what is made; the documentation of each kind has them"


class EncoderChoice(Settings):
    """One encoder: its kind and its options."""

    kind: str = Field(description="an encoder of diptych, such as open_clip")
    options: dict[str, Any] = Field(default_factory=dict, description=OPTIONS_SAID)

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str) -> str:
        if kind not in ENCODERS:
            raise ValueError(describe_unknown("encoder", kind, ENCODERS))
        return kind

    @model_validator(mode="after")
    def _options_fit(self) -> "EncoderChoice":
        _check_options((ENCODERS, "encoder", self.kind), self.options)
        return self

    @property
    def spec(self) -> tuple[str, Mapping[str, Any]]:
        """Kind and options, as ``diptych.scores.plan.ScorePlan`` takes them."""
        return self.kind, self.options


class JudgeChoice(Settings):
    """One judge: its kind and its options; ``encoder`` is the label of an encoder."""

    kind: str = Field(description="a judge of diptych, such as zero_shot")
    encoder: str | None = Field(None, description="label of an encoder, where the judge takes one")
    options: dict[str, Any] = Field(default_factory=dict, description=OPTIONS_SAID)

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str) -> str:
        if kind not in JUDGES:
            raise ValueError(describe_unknown("judge", kind, JUDGES))
        return kind

    @model_validator(mode="after")
    def _options_fit(self) -> "JudgeChoice":
        _check_options((JUDGES, "judge", self.kind), self.options, encoder=self.encoder)
        return self

    @property
    def spec(self) -> tuple[str, Mapping[str, Any]]:
        """Kind and options, as ``diptych.scores.plan.ScorePlan`` takes them."""
        return self.kind, _with_parts(self.options, encoder=self.encoder)


class ScoreChoice(Settings):
    """One score: its name and its options; ``encoder`` and ``judge`` are labels of those."""

    score: str = Field(description="a score of diptych, or path/to/file.py:factory")
    encoder: str | None = Field(None, description="label of an encoder, where the score takes one")
    judge: str | None = Field(None, description="label of a judge, where the score takes one")
    options: dict[str, Any] = Field(default_factory=dict, description=OPTIONS_SAID)

    @field_validator("score")
    @classmethod
    def _known(cls, score: str) -> str:
        try:
            check_name(score)
        except ConfigError as error:
            raise ValueError(str(error)) from error
        return score

    @model_validator(mode="after")
    def _options_fit(self) -> "ScoreChoice":
        if self.score in SCORES:  # a file of the user's own is not opened to check a config
            _check_options((SCORES, "score", self.score), self.options, encoder=self.encoder, judge=self.judge)
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
        default_factory=dict, description="scores by labels of your own, under which their columns stand"
    )
    batch_size: int = Field(64, ge=1, description="pictures that an encoder or a judge is given at once")

    @model_validator(mode="after")
    def _parts_are_there(self) -> "ScoringSettings":
        if problem := label_problem(self.scores):
            raise ValueError(f"scores: {problem}")
        for label, judge in self.judges.items():
            _check_label(f"judges.{label}", "encoder", judge.encoder, self.encoders)
        for label, score in self.scores.items():
            _check_label(f"scores.{label}", "encoder", score.encoder, self.encoders)
            _check_label(f"scores.{label}", "judge", score.judge, self.judges)
        return self


def _check_label(where: str, role: str, label: str | None, known: Mapping[str, Any]) -> None:
    if label is not None and label not in known:
        raise ValueError(f"{where}: {describe_unknown(role, label, known)}")


def _check_options(entry: tuple[Mapping[str, str], str, str], options: Mapping[str, Any], **parts: str | None) -> None:
    """Check options against the signature of what is made with them, where that is installed.

    Args:
        entry: Table, role and name of what is made.
        options: As the config has them.
        parts: Labels of objects that come later, by their roles.

    Raises:
        ValidationError: If they do not fit; pydantic makes it an error of the config, at the option.
    """
    objects = {role: object() for role, label in parts.items() if label is not None}
    try:
        factory = resolve(*entry)
    except MissingExtra:
        return
    try:
        checked_options(factory, {**options, **objects}, where="options")
    except OptionError as error:
        given = error.option if error.option in options else None
        place, value = (("options", given), options[given]) if given else ((), None)
        said = PydanticCustomError(WHOLE_MESSAGE, "{said}", {"said": str(error).removeprefix("options: ")})
        problem = InitErrorDetails(type=said, loc=place, input=value)
        raise ValidationError.from_exception_data("options", [problem]) from error


def _with_parts(options: Mapping[str, Any], **parts: str | None) -> dict[str, Any]:
    return {**options, **{role: label for role, label in parts.items() if label is not None}}
