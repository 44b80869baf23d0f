"""Encoders: images and texts to vectors, behind one small contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from diptych.lookup import resolve

if TYPE_CHECKING:  # the table below must load without numpy
    import numpy as np
    import numpy.typing as npt

    from diptych.data.images import Image

    Array = npt.NDArray[Any]
    Vectors = npt.NDArray[np.float32]

# To add one: a module with a factory, a line here (alphabetical), a test.
ENCODERS: dict[str, str] = {
    "dinov2": "diptych.encoders.dinov2:dinov2_encoder",
    "dinov3": "diptych.encoders.dinov3:dinov3_encoder",
    "dreamsim": "diptych.encoders.dreamsim:dreamsim_encoder",
    "inception": "diptych.encoders.inception:inception_encoder",
    "lpips": "diptych.encoders.lpips:lpips_encoder",
    "open_clip": "diptych.encoders.open_clip:open_clip_encoder",
    "projection": "diptych.encoders.projection:projection_encoder",
    "transformers_clip": "diptych.encoders.transformers_clip:transformers_clip",
}


class Encoder(Protocol):
    """Turns images and texts into vectors of one space.

    ``prepare`` runs in decode threads, ahead of and beside the model, so it must be thread-safe and must not touch the
    device. Loading weights happens on the first ``images`` or ``texts``; constructing an encoder is cheap, so that a
    run whose results all exist loads no model.
    """

    @property
    def identity(self) -> Mapping[str, Any]:
        """JSON-able facts that change a vector: architecture, weights sha256, preprocessing, precision."""
        ...

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    def prepare(self, image: Image) -> Array:
        """Return the model's own preprocessing of one RGB image (for CLIP: float32 (3, H, W), normalised)."""
        ...

    def images(self, prepared: Sequence[Array]) -> Vectors:
        """Return float32 (N, dim), L2-normalised where the model's users do so."""
        ...

    def texts(self, texts: Sequence[str]) -> Vectors:
        """Return float32 (N, dim), L2-normalised where the model's users do so."""
        ...

    def truncated(self, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Return bool (N,): whether the text is longer than the model's context and is cut."""
        ...


def make_encoder(kind: str, options: Mapping[str, Any]) -> Encoder:
    """Build the encoder ``kind`` from its options, as a config file names them.

    Raises:
        ConfigError: If the kind is unknown or an option does not fit.
    """
    from diptych.config.options import call_with_options

    encoder: Encoder = call_with_options(resolve(ENCODERS, "encoder", kind), options, where=f"encoder {kind!r}")
    return encoder
