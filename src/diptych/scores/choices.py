"""How configs name encoders and scores: the models that the configs of several jobs share."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator

from diptych.config.settings import Settings
from diptych.encoders import ENCODERS
from diptych.lookup import describe_unknown
from diptych.scores import SCORES


class EncoderChoice(Settings):
    """One encoder: its kind and its options."""

    kind: str
    options: dict[str, Any] = Field(default_factory=dict)

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str) -> str:
        if kind not in ENCODERS:
            raise ValueError(describe_unknown("encoder", kind, ENCODERS))
        return kind

    @property
    def spec(self) -> tuple[str, Mapping[str, Any]]:
        """Kind and options, as ``diptych.scores.run.ScorePlan`` takes them."""
        return self.kind, self.options


class ScoreChoice(Settings):
    """One score: its name and its options; ``encoder`` is the label of an encoder."""

    score: str
    encoder: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)

    @field_validator("score")
    @classmethod
    def _known(cls, score: str) -> str:
        if score not in SCORES:
            raise ValueError(describe_unknown("score", score, SCORES))
        return score

    @property
    def spec(self) -> tuple[str, Mapping[str, Any]]:
        """Name and options, as ``diptych.scores.run.ScorePlan`` takes them."""
        return self.score, {**self.options, **({"encoder": self.encoder} if self.encoder else {})}


def check_encoder_labels(encoders: Mapping[str, EncoderChoice], scores: Mapping[str, ScoreChoice]) -> None:
    """Check that each score names an encoder that is there.

    Raises:
        ValueError: If one does not; pydantic turns it into an error of the config.
    """
    for label, choice in scores.items():
        if choice.encoder is not None and choice.encoder not in encoders:
            raise ValueError(f"scores.{label}: {describe_unknown('encoder', choice.encoder, encoders)}")
