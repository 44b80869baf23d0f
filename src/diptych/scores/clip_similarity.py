"""CLIP similarity: how well image and text agree. As a filter and, averaged, as the metric CLIP score.

cos(image, text), neither multiplied by 100 nor clamped at 0, as LAION and DataComp store it; LAION-400M kept >= 0.3 and
LAION-2B-en >= 0.28, both with ViT-B/32. Source: Radford et al. 2021 (arXiv 2103.00020); Hessel et al. 2021 (arXiv
2104.08718) for the metric, whose 2.5 x max(cos, 0) is an aggregate and not a column.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.encoders import Encoder
from diptych.scores import Column, Reads
from diptych.scores.batches import Batch, without_caption

CAPTION_TRUNCATED = Column(
    "caption_truncated", "Whether the caption is longer than the text encoder's context and was cut", dtype="bool"
)
COLUMNS = (
    Column(
        "clip_similarity",
        "Cosine of image and text embedding",
        low=-1.0,
        high=1.0,
        better_for_data="higher",
        better_for_models="higher",
    ),
    CAPTION_TRUNCATED,
)


@dataclass(frozen=True)
class ClipSimilarity:
    """Cosine of the two embeddings of a row.

    Attributes:
        encoder: Of both.
        text: The column of the text; None is the caption.
    """

    encoder: Encoder
    text: str | None = None
    columns: tuple[Column, ...] = COLUMNS
    reads: frozenset[Reads] = frozenset({"embedding", "caption"})

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, the encoder's identity, and the column of the text where that is not the caption."""
        own = {} if self.text is None else {"text": self.text}
        return {"score": "clip_similarity", "version": 1, "encoder": dict(self.encoder.identity), **own}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return ``clip_similarity`` in [-1, 1], NaN without image or caption, and ``caption_truncated``."""
        found = compared(self.encoder, batch, self.text)
        return {
            "clip_similarity": found.similarity,
            "caption_truncated": found.truncated,
            "reason": found.reason,
        }


def clip_similarity(*, encoder: Encoder, text: str | None = None) -> ClipSimilarity:
    """Return the score.

    Args:
        encoder: With an image and a text tower.
        text: The column of the text that images are compared with; None is the caption.
    """
    return ClipSimilarity(encoder, text)


class CaptionCosines(NamedTuple):
    """How images and captions of a batch agree.

    Attributes:
        similarity: Cosine of each pair, float32 (N,) in [-1, 1], NaN without image or caption.
        truncated: Whether the caption was cut, objects (N,): bool, None without one.
        reason: ``no_caption`` or None, objects (N,).
    """

    similarity: npt.NDArray[np.float32]
    truncated: npt.NDArray[np.object_]
    reason: npt.NDArray[np.object_]


def compared(encoder: Encoder, batch: Batch, text: str | None = None) -> CaptionCosines:
    """Return how images and captions of a batch, or another column of texts, agree in the space of an encoder."""
    texts = batch.texts(text)
    similarity = cosine(batch.embeddings(encoder), batch.text_embeddings(encoder, text))
    present = [row for row, one in enumerate(texts) if one is not None]
    truncated = np.full(len(batch), None, object)
    truncated[present] = encoder.truncated([str(texts[row]) for row in present])
    reason = without_caption(texts)
    return CaptionCosines(similarity, truncated, reason)


def cosine(left: npt.NDArray[np.float32], right: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the cosine of each pair of rows: float32 (N,) in [-1, 1]; NaN where a row is NaN or zero.

    Args:
        left: float32 (N, D), any length.
        right: float32 (N, D), any length.

    >>> cosine(np.float32([[1, 0], [0, 0]]), np.float32([[1, 1], [1, 1]])).round(4).tolist()
    [0.707099974155426, nan]
    """
    product = np.einsum("nd,nd->n", left.astype(np.float64), right.astype(np.float64))
    lengths = np.linalg.norm(left.astype(np.float64), axis=1) * np.linalg.norm(right.astype(np.float64), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        similarity: npt.NDArray[np.float32] = np.clip(product / lengths, -1.0, 1.0).astype(np.float32)
    return similarity
