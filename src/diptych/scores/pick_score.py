"""PickScore: what people would choose, by a tuned CLIP.

The scale of the network's training x cosine of image and prompt (Kirstain et al. 2023, arXiv 2305.01569; the published
network has a scale of about 100), neither clamped nor with a prefix. The difference of two pictures of one prompt is
the logit of one being chosen over the other; numbers of different prompts do not compare. Some print it by 26, or as
the softmax over the pictures of a prompt: both follow from this column. The network is a CLIP of transformers, which
its encoder loads; vectors are rounded as they are stored, which moves a number by about 0.001.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from diptych.encoders import Encoder
from diptych.errors import ConfigError
from diptych.scores import Column, Reads
from diptych.scores.batches import Batch
from diptych.scores.clip_similarity import CAPTION_TRUNCATED, compared

COLUMNS = (
    Column(
        "pick_score",
        "PickScore: scale of the network x cosine of image and prompt",
        unit="scale x cosine",
        better_for_data="higher",
        better_for_models="higher",
    ),
    CAPTION_TRUNCATED,
)


class ScaledEncoder(Encoder, Protocol):
    """An encoder that knows what its training multiplied cosines by."""

    @property
    def logit_scale(self) -> float:
        """That number, from its weights."""
        ...


@dataclass(frozen=True)
class PickScore:
    """The score over one encoder."""

    encoder: ScaledEncoder
    columns: tuple[Column, ...] = COLUMNS
    reads: frozenset[Reads] = frozenset({"embedding", "caption"})

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version and the encoder's identity, whose weights hold the scale."""
        return {"score": "pick_score", "version": 1, "encoder": dict(self.encoder.identity)}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return ``pick_score``, float32 (N,), NaN without image or caption, and ``caption_truncated``."""
        found = compared(self.encoder, batch)
        scaled = (np.float32(self.encoder.logit_scale) * found.similarity).astype(np.float32)
        return {"pick_score": scaled, "caption_truncated": found.truncated, "reason": found.reason}


def pick_score(*, encoder: Encoder) -> PickScore:
    """Return the score.

    Args:
        encoder: ``transformers_clip`` with ``weights: yuvalkirstain/PickScore_v1``.

    Raises:
        ConfigError: If the encoder has no scale.
    """
    if not hasattr(type(encoder), "logit_scale"):
        name = encoder.identity.get("encoder")
        raise ConfigError(f"score 'pick_score': the encoder {name!r} has no scale; give one of kind: transformers_clip")
    return PickScore(cast("ScaledEncoder", encoder))
