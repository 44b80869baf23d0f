"""What a detector of transformers is told and takes, a picture prepared by itself, and what it tells of one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from diptych.data.images import Image
from diptych.devices import Precision
from diptych.encoders import Encoder
from diptych.errors import ConfigError
from diptych.judges.contract import Corners
from diptych.judges.prepared import prepared_by

LEAST_SCORE = 0.1  # what is less sure is mostly noise, and a network tells hundreds of such boxes


class DetectorOptions(NamedTuple):
    """What all detectors can be told; see the factories."""

    weights: str
    names: dict[str, str] | None
    least_score: float
    encoder: Encoder | None
    precision: Precision
    device: str


class Prepared(NamedTuple):
    """One picture as a network takes it.

    Attributes:
        pixels: Tensor float32 (3, H, W).
        mask: Tensor (H, W), 0 where it was padded; None where it never is.
        size: Height and width of the picture itself.
    """

    pixels: Any
    mask: Any
    size: tuple[int, int]


class Detection(NamedTuple):
    """What a network finds: number of its class, score in [0, 1], corners in pixels of the picture, run lengths."""

    number: int
    score: float
    corners: Corners
    mask: tuple[int, ...] | None = None


def prepared_picture(processor: Callable[..., Mapping[str, Any]], image: Image, where: str) -> Prepared | None:
    """Return an RGB picture as a network takes it; None where the processor cannot take this one.

    Raises:
        DataError: If the processor takes no picture at all.
    """
    given = prepared_by(processor, image, where)
    if given is None:
        return None
    mask = given["pixel_mask"][0] if "pixel_mask" in given else None
    return Prepared(given["pixel_values"][0], mask, (image.height, image.width))


def as_batch(prepared: Sequence[Prepared], network: Any) -> dict[str, Any]:
    """Return pictures of one prepared size as the arguments of a network, on its device and in its precision."""
    import torch

    given = {"pixel_values": torch.stack([one.pixels for one in prepared]).to(network.device, network.dtype)}
    if prepared[0].mask is not None:
        given["pixel_mask"] = torch.stack([one.mask for one in prepared]).to(network.device)
    return given


def check_least_score(value: float, where: str) -> None:
    """Raise if what a detector is to tell at least is out of range.

    Raises:
        ConfigError: If it is not in [0, 1).
    """
    if not 0.0 <= value < 1.0:
        raise ConfigError(f"{where}: least_score is at least 0 and below 1, not {value}")
