"""One row decoded, once, with what each encoder made of it: what decode threads do ahead of the models."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from diptych.data import images
from diptych.data.images import Image
from diptych.data.pixel_limit import MAX_PIXELS
from diptych.encoders import Encoder
from diptych.errors import DecodeError


@dataclass(frozen=True)
class Needs:
    """What to prepare ahead for each row.

    Attributes:
        pixels: Whether somebody looks at the decoded picture.
        encoders: By label: encoders whose vectors are wanted and not stored.
        bytes: Whether somebody looks at the bytes as they came.
    """

    pixels: bool = False
    encoders: Mapping[str, Encoder] = field(default_factory=dict)
    bytes: bool = False

    @property
    def decoded(self) -> bool:
        """Whether pictures are decoded."""
        return self.pixels or bool(self.encoders)

    @property
    def pictures(self) -> bool:
        """Whether pictures are read at all."""
        return self.decoded or self.bytes


@dataclass(frozen=True)
class LoadedImage:
    """One decoded row: the picture if wanted, what each encoder made of it, or the reason why not."""

    image: Image | None
    prepared: Mapping[int, npt.NDArray[Any]]
    reason: str | None


def load_image(data: bytes | None, status: str, needs: Needs, *, max_pixels: int = MAX_PIXELS) -> LoadedImage:
    """Decode one row and do the encoders' preprocessing; thread-safe. A failure is a reason, never an exception."""
    if status != "ok" or data is None:
        return LoadedImage(None, {}, status if status != "ok" else "no_image")
    try:
        image = images.decode(data, max_pixels=max_pixels)
    except DecodeError as error:
        return LoadedImage(None, {}, error.code)
    prepared = {id(encoder): encoder.prepare(image) for encoder in needs.encoders.values()}
    return LoadedImage(image if needs.pixels else None, prepared, None)
