"""An encoder whose model is taken out: it prepares pictures as a ViT-L/14 does and returns zeros."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.data.images import Image
from diptych.encoders.clip_pixels import Preprocessing, clip_preprocessing

SETTINGS = {
    "size": 224,
    "resize_mode": "shortest",
    "interpolation": "bicubic",
    "mean": (0.48145466, 0.4578275, 0.40821073),
    "std": (0.26862954, 0.26130258, 0.27577711),
}


@dataclass(frozen=True)
class ZeroEncoder:
    """See above."""

    dim: int = 768

    @property
    def identity(self) -> Mapping[str, Any]:
        """Its name."""
        return {"encoder": "zero"}

    @cached_property
    def _preprocessing(self) -> Preprocessing:
        return clip_preprocessing(SETTINGS)

    def prepare(self, image: Image) -> npt.NDArray[np.float32]:
        """Return float32 (3, 224, 224)."""
        return self._preprocessing(image)

    def images(self, prepared: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
        """Return zeros, once a batch was made of what is prepared."""
        return np.zeros((len(np.stack(prepared)), self.dim), np.float32)

    def texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return zeros."""
        return np.zeros((len(texts), self.dim), np.float32)

    def truncated(self, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Return that none is."""
        return np.zeros(len(texts), bool)


def zero_encoder() -> ZeroEncoder:
    """Return it."""
    return ZeroEncoder()
