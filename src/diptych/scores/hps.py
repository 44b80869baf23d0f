"""HPSv2 and v2.1: what people would like, by a tuned CLIP.

100 x cosine of image and prompt (Wu et al. 2023, arXiv 2306.09341), neither clamped nor with a prefix, as its tables
print it; its function ``score`` returns the cosine itself. The network is open_clip's ViT-H-14 with their checkpoint,
which the encoder loads: there is no second implementation of either. Their preparation scales the long side to 224
pixels and pads to a square (tgxs002/HPSv2 at 866735e, hpsv2/src/open_clip/transform.py), unlike that of the
architecture. The two versions have columns of their own, since their numbers do not compare; nor do those of different
prompts. Published means over 3,200 prompts: SD 1.4 26.95 and 25.35, SDXL base 0.9 27.73 and 30.63.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt

from diptych.config.such_as import SuchAs
from diptych.encoders import Encoder
from diptych.errors import ConfigError
from diptych.scores import Column, Reads
from diptych.scores.batches import Batch
from diptych.scores.clip_similarity import CAPTION_TRUNCATED, compared

SCALE = 100.0
Version = Literal["v2", "v2.1"]


@dataclass(frozen=True)
class Hps:
    """One version over one encoder."""

    encoder: Encoder
    version: Version
    reads: frozenset[Reads] = frozenset({"embedding", "caption"})

    @property
    def name(self) -> str:
        """``hps_v2`` or ``hps_v2_1``."""
        return f"hps_{self.version.replace('.', '_')}"

    @property
    def columns(self) -> tuple[Column, ...]:
        """The score and ``caption_truncated``."""
        score = Column(
            self.name,
            f"HPS {self.version}: 100 x cosine of image and prompt",
            unit="100 x cosine",
            low=-SCALE,
            high=SCALE,
            better_for_data="higher",
            better_for_models="higher",
        )
        return score, CAPTION_TRUNCATED

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version and the encoder's identity."""
        return {"score": "hps", "version": 1, "hps": self.version, "encoder": dict(self.encoder.identity)}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the score, float32 (N,), NaN without image or caption, and ``caption_truncated``."""
        found = compared(self.encoder, batch)
        scaled = (np.float32(SCALE) * found.similarity).astype(np.float32)
        return {self.name: scaled, "caption_truncated": found.truncated, "reason": found.reason}


def hps(*, encoder: Encoder, version: Annotated[Version, SuchAs("v2.1")]) -> Hps:
    """Return the score.

    Args:
        encoder: open_clip's ViT-H-14 with the checkpoint of that version, and ``preprocess: {resize_mode: longest}``.
        version: Of the checkpoint; a file does not say which it is.

    Raises:
        ConfigError: If the encoder prepares pictures in another way.
    """
    mode = encoder.identity.get("preprocess", {}).get("resize_mode")
    if mode != "longest":
        raise ConfigError(
            f"score 'hps': its encoder pads pictures to a square, and this one has resize_mode: {mode}; "
            f"give the encoder preprocess: {{resize_mode: longest}}"
        )
    return Hps(encoder, version)
