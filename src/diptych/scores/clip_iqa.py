"""CLIP-IQA: good or bad, bright or dark, by CLIP.

Of two opposite texts without a gap for the prompt, the probability of the first: the softmax of 100 x cosine (Wang et
al. 2023, arXiv 2207.12396; texts as torchmetrics 1.9 has them). It is computed here from the vectors of any encoder,
which a run has anyway: torchmetrics' own function breaks with transformers 5, and its default network, an RN50 of
OpenAI's without position embedding, comes with another package. So published numbers, which are of that RN50, do not
compare with these. The prompt of a picture plays no part.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.encoders import Encoder
from diptych.errors import ConfigError
from diptych.lookup import describe_unknown
from diptych.scores import Column, Direction, Reads
from diptych.scores.batches import Batch
from diptych.scores.clip_similarity import cosine

SCALE = 100.0
TEXTS: Mapping[str, tuple[str, str]] = {
    "quality": ("Good photo.", "Bad photo."),
    "brightness": ("Bright photo.", "Dark photo."),
    "noisiness": ("Clean photo.", "Noisy photo."),
    "colorfullness": ("Colorful photo.", "Dull photo."),
    "sharpness": ("Sharp photo.", "Blurry photo."),
    "contrast": ("High contrast photo.", "Low contrast photo."),
    "complexity": ("Complex photo.", "Simple photo."),
    "natural": ("Natural photo.", "Synthetic photo."),
    "happy": ("Happy photo.", "Sad photo."),
    "scary": ("Scary photo.", "Peaceful photo."),
    "new": ("New photo.", "Old photo."),
    "warm": ("Warm photo.", "Cold photo."),
    "real": ("Real photo.", "Abstract photo."),
    "beautiful": ("Beautiful photo.", "Ugly photo."),
    "lonely": ("Lonely photo.", "Sociable photo."),
    "relaxing": ("Relaxing photo.", "Stressful photo."),
}
BETTER = ("quality", "beautiful")  # of the others, more is not better


@dataclass(frozen=True, eq=False)
class ClipIqa:
    """The probabilities over one encoder.

    Attributes:
        encoder: With an image and a text tower.
        aspects: Which pairs of texts.
    """

    encoder: Encoder
    aspects: tuple[str, ...]
    reads: frozenset[Reads] = frozenset({"embedding"})
    _vectors: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict, init=False, repr=False)

    @property
    def columns(self) -> tuple[Column, ...]:
        """One of each aspect, ``clip_iqa_quality``."""
        return tuple(self._column(aspect) for aspect in self.aspects)

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, texts, scale and the encoder's identity."""
        texts = {aspect: list(TEXTS[aspect]) for aspect in self.aspects}
        facts = {"score": "clip_iqa", "version": 1, "texts": texts, "scale": SCALE}
        return {**facts, "encoder": dict(self.encoder.identity)}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return a probability of each aspect, float32 (N,) in [0, 1]; NaN without an image."""
        vectors = batch.embeddings(self.encoder)
        return {f"clip_iqa_{aspect}": self._probabilities(vectors, aspect) for aspect in self.aspects}

    def _probabilities(self, vectors: npt.NDArray[np.float32], aspect: str) -> npt.NDArray[np.float32]:
        if aspect not in self._vectors:
            self._vectors[aspect] = self.encoder.texts(TEXTS[aspect])
        first, second = (cosine(vectors, np.broadcast_to(text, vectors.shape)) for text in self._vectors[aspect])
        apart = SCALE * (first.astype(np.float64) - second.astype(np.float64))
        likely: npt.NDArray[np.float32] = (1.0 / (1.0 + np.exp(-apart))).astype(np.float32)  # the softmax of two
        return likely

    def _column(self, aspect: str) -> Column:
        first, second = TEXTS[aspect]
        text = f"Probability of {first!r} against {second!r} by the encoder"
        better: Direction | None = "higher" if aspect in BETTER else None
        return Column(f"clip_iqa_{aspect}", text, low=0.0, high=1.0, better_for_data=better, better_for_models=better)


def clip_iqa(*, encoder: Encoder, aspects: list[str] | None = None) -> ClipIqa:
    """Return the score.

    Args:
        encoder: With an image and a text tower.
        aspects: What is asked about, of ``TEXTS``; None is ``quality``.

    Raises:
        ConfigError: If an aspect is unknown, or named twice, or there is none.
    """
    wanted = ("quality",) if aspects is None else tuple(aspects)
    for aspect in wanted:
        if aspect not in TEXTS:
            raise ConfigError(f"score 'clip_iqa': {describe_unknown('aspect', aspect, TEXTS)}")
    if not wanted or len(set(wanted)) < len(wanted):
        raise ConfigError(f"score 'clip_iqa': aspects are one or more different ones, not {aspects}")
    return ClipIqa(encoder, wanted)
