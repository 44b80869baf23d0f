"""The images of a set as vectors, with what tells which of them depend on each other or are in another set."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

Texts = npt.NDArray[np.str_]
Vectors = npt.NDArray[np.float32]

SHORT = 16  # digits of a hash by which contents are told apart
SHADOW_DIM = 6


@dataclass(frozen=True)
class SetImages:
    """Some images, each with what is known of it.

    Attributes:
        vectors: float32 (N, D), NaN where there is no picture.
        units: Text (N,), equal for images that depend on each other; see ``SetMetric.statistics``.
        contents: Text (N,): the first digits of the sha256 of the bytes; empty where it is not known.
        keys: Text (N,): the path within a folder, or within the source of a pool, without its ending; else the key.
    """

    vectors: Vectors
    units: Texts
    contents: Texts
    keys: Texts

    def take(self, rows: npt.NDArray[np.int64]) -> "SetImages":
        """Return some of the images."""
        return SetImages(self.vectors[rows], self.units[rows], self.contents[rows], self.keys[rows])

    @cached_property
    def known(self) -> "SetImages":
        """Those that have a vector."""
        return self.take(np.flatnonzero(np.isfinite(self.vectors).all(axis=1)))

    @cached_property
    def shadows(self) -> npt.NDArray[np.float64]:
        """float64 (N, SHADOW_DIM): projections, in which vectors that are near each other are near each other."""
        directions = np.random.default_rng(0).standard_normal((self.vectors.shape[1], SHADOW_DIM))
        return (self.vectors @ directions.astype(np.float32)).astype(np.float64)

    @cached_property
    def tree(self) -> Any:
        """The shadows, to be searched."""
        return KDTree(self.shadows)
