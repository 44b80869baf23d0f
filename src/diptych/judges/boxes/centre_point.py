"""Centre-point detectors: a small convolutional network from a folder of ``config.json`` and ``model.safetensors``.

It decides how a picture gets to the network and what is said of a peak: of a thing that has a colour how likely each
colour is, of one that has an attribute how likely each of those is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from PIL.Image import Resampling

from diptych.assets import file_sha256, named_path
from diptych.config.such_as import SuchAs
from diptych.data.images import Image
from diptych.devices import torch_device
from diptych.errors import ConfigError
from diptych.judges.contract import COLOUR, Box, Trait
from diptych.pretrained.memory import HeldWeights

if TYPE_CHECKING:
    from diptych.judges.boxes.centre_net import CentreConfig, CentreNet, Peaks

CONFIG_NAME = "config.json"
WEIGHTS_NAME = "model.safetensors"
ATTRIBUTE = "attribute"
CHUNK = 64  # pictures that the network sees at once
LEAST_SCORE = 0.1  # what is less sure is mostly noise, and a map of a kind has many such peaks


@dataclass(frozen=True)
class CentrePoint:
    """One network, loaded on first use.

    Attributes:
        folder: Holds its configuration and weights.
        config: The configuration.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    """

    folder: Path
    config: "CentreConfig"
    device: str

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, sha256 of configuration and weights, preprocessing, least score."""
        return {
            "judge": "centre_point",
            "version": 1,
            "config_sha256": file_sha256(self.folder / CONFIG_NAME),
            "weights_sha256": file_sha256(self.folder / WEIGHTS_NAME),
            "preprocessing": f"stretched to {self.config.side} px, bicubic, antialiased",
            "least_score": LEAST_SCORE,
        }

    @property
    def held_weights(self) -> HeldWeights:
        """What it will load."""
        return HeldWeights((self.folder / WEIGHTS_NAME,), "fp32", self.device, "judge 'centre_point'")

    @property
    def labels(self) -> tuple[str, ...]:
        """Everything that it can find."""
        return self.config.labels

    @property
    def traits(self) -> Mapping[str, tuple[str, ...]]:
        """Colours and attributes, as far as it tells them."""
        told = {COLOUR: self.config.colours, ATTRIBUTE: self.config.attributes}
        return {name: values for name, values in told.items() if values}

    @property
    def least_score(self) -> float:
        """What it is less sure of it does not tell."""
        return LEAST_SCORE

    def boxes(self, images: Sequence[Image], labels: Sequence[Sequence[str]] | None = None) -> list[list[Box]]:
        """Return what is in each RGB image, the surest first; a picture that is no square is stretched to one."""
        found: list[list[Box]] = []
        for start in range(0, len(images), CHUNK):
            found += self._find(images[start : start + CHUNK])
        if labels is None:
            return found
        return [[box for box in some if box.label in wanted] for some, wanted in zip(found, labels, strict=True)]

    def _find(self, images: Sequence[Image]) -> list[list[Box]]:
        import torch

        from diptych.judges.boxes.centre_net import find_peaks, normalised

        side = self.config.side
        pixels = np.stack([np.asarray(image.resize((side, side), Resampling.BICUBIC)) for image in images])
        with torch.inference_mode():
            peaks = find_peaks(self._model(normalised(torch.from_numpy(pixels).to(self._device))), LEAST_SCORE)
        found: list[list[Box]] = [[] for _ in images]
        for picture, box in zip(peaks.picture.tolist(), self._described(peaks, images), strict=True):
            found[picture].append(box)
        return found

    def _described(self, peaks: "Peaks", images: Sequence[Image]) -> list[Box]:
        described = []
        shares = peaks.box.cpu().numpy().astype(np.float64)
        colours, attributes = (values.cpu().numpy() for values in (peaks.colour, peaks.attribute))
        for at, (picture, number) in enumerate(zip(peaks.picture.tolist(), peaks.label.tolist(), strict=True)):
            label = self.config.labels[number]
            left, top, right, bottom = (shares[at] * (images[picture].size * 2)).tolist()
            traits: list[Trait] = []
            if label in self.config.coloured:
                traits += map(Trait, repeat(COLOUR), self.config.colours, colours[at].tolist())
            if label in self.config.attributed:
                traits += map(Trait, repeat(ATTRIBUTE), self.config.attributes, attributes[at].tolist())
            described.append(Box(label, float(peaks.score[at]), (left, top, right, bottom), tuple(traits)))
        return described

    @cached_property
    def _device(self) -> Any:
        return torch_device(self.device)

    @cached_property
    def _model(self) -> "CentreNet":
        from diptych.judges.boxes.centre_net import load_net

        return load_net(self.config, self.folder / WEIGHTS_NAME).to(self._device)


def centre_point(
    *, weights: Annotated[str, SuchAs("package:diptych.demo/models/detector")], device: str = "auto"
) -> CentrePoint:
    """Return a judge that finds boxes; reads its configuration but loads no weights yet.

    Args:
        weights: Folder with ``config.json`` and ``model.safetensors``, see ``assets.named_path``; that of the drawn
            world is ``package:diptych.demo/models/detector``.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: If the folder lacks a file; on first use, if there is no such device.
        DataError: If the configuration is none; on first use, if the weights do not fit it.
    """
    from diptych.judges.boxes.centre_net import read_config

    folder = named_path(weights)
    for name in (CONFIG_NAME, WEIGHTS_NAME):
        if not (folder / name).is_file():
            raise ConfigError(
                f"judge 'centre_point': {folder} has no {name}; weights names a folder with {CONFIG_NAME} and "
                f"{WEIGHTS_NAME}, such as package:diptych.demo/models/detector"
            )
    return CentrePoint(folder, read_config(folder / CONFIG_NAME), device)
