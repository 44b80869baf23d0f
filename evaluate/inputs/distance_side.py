"""What one side of a distance is: images as vectors, or the mean and covariance that somebody saved of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from diptych.evaluate.inputs.file_traits import FileTraits
from diptych.evaluate.inputs.set_images import SetImages
from diptych.evaluate.statistics.moments import Moments
from diptych.storage.store_path import ReadPath


@dataclass(frozen=True)
class EncoderSpec:
    """Which encoder to use: its kind, its options, and how many images it sees at once."""

    kind: str
    options: Mapping[str, Any]
    batch_size: int = 64


@dataclass(frozen=True)
class DistanceSide:
    """Some images as vectors, or what was saved of them.

    Attributes:
        path: Where they came from.
        content: Hash of the images (or of the file of statistics).
        encoder: Identity of the encoder; None for statistics that do not say.
        images: None for statistics without vectors.
        moments: Mean and covariance, where that is all there is.
        is_size_known: Whether it is known of how many images the moments are.
        reasons: Images without a vector by reason.
        traits: What its files have in common; None where nobody knows.
    """

    path: ReadPath
    content: str
    encoder: Mapping[str, Any] | None
    images: SetImages | None
    moments: Moments | None = None
    is_size_known: bool = True
    reasons: Mapping[str, int] = field(default_factory=dict)
    traits: FileTraits | None = None
