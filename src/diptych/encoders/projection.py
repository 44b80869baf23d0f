"""A deterministic encoder without weights: fixed random projections of pixels and of character trigrams.

For tests and trials of a pipeline where no model is at hand. Pictures that look alike get near vectors and texts that
share words get near vectors; an image and a text have nothing to do with each other.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.data.images import Image
from diptych.errors import ConfigError

SIDE = 16
MAX_CHARACTERS = 300


@dataclass(frozen=True)
class ProjectionEncoder:
    """See the module. ``dim`` is the length of a vector, ``seed`` chooses the projection."""

    dim: int
    seed: int

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, length and seed."""
        return {"encoder": "projection", "version": 1, "dim": self.dim, "seed": self.seed}

    @cached_property
    def _matrix(self) -> npt.NDArray[np.float32]:
        generator = np.random.Generator(np.random.PCG64(self.seed))
        return generator.standard_normal((SIDE * SIDE * 3, self.dim), np.float32)

    def prepare(self, image: Image) -> npt.NDArray[np.float32]:
        """Return float32 (768,), the picture at 16 x 16 in [-1, 1]."""
        small = image.resize((SIDE, SIDE), resample=2)  # 2 = bilinear
        return np.asarray(small, np.float32).reshape(-1) / 127.5 - 1.0

    def images(self, prepared: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
        """Return float32 (N, dim), L2-normalised."""
        # Row by row in float64: a matrix product may round differently for another batch size.
        rows = [np.asarray(row, np.float64) @ self._matrix for row in prepared]
        return _normalised(np.stack(rows))

    def texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return float32 (N, dim), L2-normalised, from hashed character trigrams."""
        return _normalised(np.stack([self._text(text[:MAX_CHARACTERS]) for text in texts]))

    def truncated(self, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Return bool (N,): texts longer than 300 characters are cut."""
        return np.array([len(text) > MAX_CHARACTERS for text in texts], bool)

    def _text(self, text: str) -> npt.NDArray[np.float64]:
        padded = f"  {text.lower()} "
        vector = np.zeros(self.dim)
        for start in range(len(padded) - 2):
            trigram = padded[start : start + 3].encode("utf-8", "surrogatepass")
            digest = hashlib.blake2b(trigram, digest_size=8, salt=self.seed.to_bytes(8, "little")).digest()
            value = int.from_bytes(digest, "little")
            vector[value % self.dim] += 1.0 if value >> 63 else -1.0
        return vector


def projection_encoder(*, dim: int = 64, seed: int = 0) -> ProjectionEncoder:
    """Return the encoder.

    Args:
        dim: Length of a vector.
        seed: Chooses the projection, at least 0.

    Raises:
        ConfigError: If ``dim`` or ``seed`` is out of range.
    """
    if dim < 1 or not 0 <= seed < 2**64:
        raise ConfigError(f"encoder 'projection': dim {dim} must be at least 1, and seed {seed} from 0 to 2**64 - 1")
    return ProjectionEncoder(dim, seed)


def _normalised(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(length == 0, 1.0, length)).astype(np.float32)
