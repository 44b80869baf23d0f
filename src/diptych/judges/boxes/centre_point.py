"""Centre-point detectors: a small convolutional network from a folder of ``config.json`` and ``model.safetensors``.

It decides how a picture gets to the network and what is said of a peak. Where a thing has a colour it is always told,
the likeliest one; an attribute is told only where it is likelier than not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL.Image import Resampling

from diptych.assets import file_sha256, named_path
from diptych.data.images import Image
from diptych.devices import torch_device
from diptych.errors import ConfigError
from diptych.judges.boxes import Detection

if TYPE_CHECKING:
    from diptych.judges.boxes.centre_net import CentreConfig, CentreNet, Peaks

CONFIG_NAME = "config.json"
WEIGHTS_NAME = "model.safetensors"
CHUNK = 64  # pictures that the network sees at once
LIKELY = 0.5


@dataclass(frozen=True)
class CentrePoint:
    """One network, loaded on first use.

    Attributes:
        folder: Holds its configuration and weights.
        config: The configuration.
        least_score: What is less sure is not told.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    """

    folder: Path
    config: "CentreConfig"
    least_score: float
    device: str

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Kind, version, sha256 of configuration and weights, preprocessing, least score."""
        return {
            "detector": "centre_point",
            "version": 1,
            "config_sha256": file_sha256(self.folder / CONFIG_NAME),
            "weights_sha256": file_sha256(self.folder / WEIGHTS_NAME),
            "preprocessing": f"stretched to {self.config.side} px, bicubic, antialiased",
            "least_score": self.least_score,
        }

    @property
    def labels(self) -> tuple[str, ...]:
        """Everything that it can find."""
        return self.config.labels

    @property
    def colours(self) -> tuple[str, ...]:
        """Every colour that it can tell."""
        return self.config.colours

    @property
    def attributes(self) -> tuple[str, ...]:
        """Every attribute that it can see."""
        return self.config.attributes

    def detect(self, images: Sequence[Image]) -> list[list[Detection]]:
        """Return what is in each RGB image, the surest first; a picture that is no square is stretched to one."""
        found: list[list[Detection]] = []
        for start in range(0, len(images), CHUNK):
            found += self._detect(images[start : start + CHUNK])
        return found

    def _detect(self, images: Sequence[Image]) -> list[list[Detection]]:
        import torch

        from diptych.judges.boxes.centre_net import find_peaks, normalised

        side = self.config.side
        pixels = np.stack([np.asarray(image.resize((side, side), Resampling.BICUBIC)) for image in images])
        with torch.inference_mode():
            peaks = find_peaks(self._model(normalised(torch.from_numpy(pixels).to(self._device))), self.least_score)
        found: list[list[Detection]] = [[] for _ in images]
        for picture, detection in zip(peaks.picture.tolist(), self._described(peaks, images), strict=True):
            found[picture].append(detection)
        return found

    def _described(self, peaks: "Peaks", images: Sequence[Image]) -> list[Detection]:
        config = self.config
        described = []
        boxes = peaks.box.cpu().numpy().astype(np.float64)
        colours, attributes = (values.cpu().numpy() for values in (peaks.colour, peaks.attribute))
        for at, (picture, number) in enumerate(zip(peaks.picture.tolist(), peaks.label.tolist(), strict=True)):
            label = config.labels[number]
            left, top, right, bottom = (boxes[at] * (images[picture].size * 2)).tolist()
            colour = config.colours[int(colours[at].argmax())] if label in config.coloured and config.colours else ""
            attribute, chance = "", 0.0
            if label in config.attributed and config.attributes:
                chance = float(attributes[at].max())
                attribute = config.attributes[int(attributes[at].argmax())] if chance > LIKELY else ""
            score = float(peaks.score[at])
            box = (left, top, right, bottom)
            described.append(Detection(label, score, box, colour, attribute, chance if attribute else 0.0))
        return described

    @cached_property
    def _device(self) -> Any:
        return torch_device(self.device)

    @cached_property
    def _model(self) -> "CentreNet":
        from diptych.judges.boxes.centre_net import load_net

        return load_net(self.config, self.folder / WEIGHTS_NAME).to(self._device)


def centre_point(*, weights: str, least_score: float = 0.1, device: str = "auto") -> CentrePoint:
    """Return a detector; reads its configuration but loads no weights yet.

    Args:
        weights: Folder with ``config.json`` and ``model.safetensors``, see ``assets.named_path``; that of the drawn
            world is ``package:diptych.demo/models/detector``.
        least_score: What is less sure is not told, in (0, 1).
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: If the folder lacks a file, or the least score is out of range; on first use, if there is no such
            device.
        DataError: If the configuration is none; on first use, if the weights do not fit it.
    """
    from diptych.judges.boxes.centre_net import read_config

    if not 0.0 < least_score < 1.0:
        raise ConfigError(f"detector 'centre_point': least_score is above 0 and below 1, not {least_score}")
    folder = named_path(weights)
    for name in (CONFIG_NAME, WEIGHTS_NAME):
        if not (folder / name).is_file():
            raise ConfigError(
                f"detector 'centre_point': {folder} has no {name}; weights names a folder with {CONFIG_NAME} and "
                f"{WEIGHTS_NAME}, such as package:diptych.demo/models/detector"
            )
    return CentrePoint(folder, read_config(folder / CONFIG_NAME), least_score, device)
