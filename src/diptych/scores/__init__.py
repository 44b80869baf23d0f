"""Scores: a batch of rows in, named columns out. A curation signal and a per-image metric are the same thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from diptych.lookup import resolve

if TYPE_CHECKING:  # the table below must load without numpy
    import numpy.typing as npt

    from diptych.encoders import Encoder
    from diptych.scores.batches import Batch

# To add one: a module with a keyword-only factory, a line here (alphabetical), a test.
SCORES: dict[str, str] = {
    "aesthetic": "diptych.scores.aesthetic:aesthetic",
    "caption_stats": "diptych.scores.caption_stats:caption_stats",
    "clip_similarity": "diptych.scores.clip_similarity:clip_similarity",
    "hashes": "diptych.scores.hashes:hashes",
    "image_stats": "diptych.scores.image_stats:image_stats",
    "language": "diptych.scores.language:language",
    "linear_probe": "diptych.scores.linear_probe:linear_probe",
    "nsfw": "diptych.scores.nsfw:nsfw",
    "nsfw_mobilenet": "diptych.scores.nsfw_mobilenet:nsfw_mobilenet",
    "object_accuracy": "diptych.scores.object_accuracy:object_accuracy",
    "perceived_attribute": "diptych.scores.perceived_attribute:perceived_attribute",
}

Reads = Literal["bytes", "pixels", "caption", "embedding"]
Direction = Literal["higher", "lower"]


@dataclass(frozen=True)
class Column:
    """One column that a score writes.

    Attributes:
        name: Column name, unique within the score.
        description: What it measures, with its source.
        dtype: Type on disk. In ``float32`` columns NaN means not scorable and is stored as null.
        unit: Unit, empty for a pure number.
        low: Smallest possible value, if there is one.
        high: Largest possible value, if there is one.
        better_for_data: Which way is better where training data is selected; None where neither is.
        better_for_models: Which way is better where a model is judged by the images that it made; None where neither
            is: of such a column no verdict between models is made.
    """

    name: str
    description: str
    dtype: Literal["float32", "int32", "uint64", "string", "bool"] = "float32"
    unit: str = ""
    low: float | None = None
    high: float | None = None
    better_for_data: Direction | None = None
    better_for_models: Direction | None = None


class Score(Protocol):
    """A batch of rows in, named columns out; neither decodes nor thresholds."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """JSON-able facts that change a number: version, options, weights sha256, the encoder's identity."""
        ...

    @property
    def columns(self) -> tuple[Column, ...]:
        """What it writes."""
        ...

    @property
    def reads(self) -> frozenset[Reads]:
        """What of a batch it looks at: tells the pipeline what to prepare ahead."""
        ...

    @property
    def encoder(self) -> Encoder | None:
        """The encoder whose vectors it uses."""
        ...

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return one array of ``len(batch)`` per column.

        Rows that cannot be scored hold NaN in float columns and None in others. An extra array ``reason`` (objects:
        str or None) may say why; where it does not, the row's own reason (its status or decode error) is written.
        """
        ...


def make_score(name: str, options: Mapping[str, Any]) -> Score:
    """Build the score ``name``; an ``encoder`` among the options is the encoder object itself.

    Raises:
        ConfigError: If the name is unknown or an option does not fit.
    """
    from diptych.config.options import call_with_options

    score: Score = call_with_options(resolve(SCORES, "score", name), options, where=f"score {name!r}")
    return score
