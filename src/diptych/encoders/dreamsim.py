"""DreamSim as vectors: the squared distance of two is the DreamSim of their pictures.

DreamSim is 1 - the cosine of two vectors of vision transformers that were tuned to say how alike people find two
pictures (Fu et al. 2023, arXiv 2306.09344): of one, or of three side by side, ``ensemble``. From each vector the
mean of its numbers is taken. At a length of the root of a half, that is a squared Euclidean distance, so that each
picture is seen once.
Source: ``dreamsim/model.py`` of ssundaram21/dreamsim at db4d16c.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from PIL.Image import Resampling

from diptych.assets import file_sha256, named_path
from diptych.config.such_as import SuchAs
from diptych.data.images import Image
from diptych.devices import stacked_on, torch_device
from diptych.encoders.dreamsim_networks import SIDE, VARIANTS, TunedTransformer, Variant, files_of, tuned_transformers
from diptych.encoders.images_only import ImagesOnly
from diptych.errors import ConfigError
from diptych.pretrained.memory import HeldWeights


@dataclass(frozen=True, eq=False)
class DreamSimEncoder(ImagesOnly):
    """DreamSim as an encoder, loaded on first use; it has no text side.

    Attributes:
        folder: Where upstream's package keeps its weights.
        variant: Which of its networks.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    """

    folder: Path
    variant: Variant
    device: str

    kind = "dreamsim"

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Variant, sha256 of its files and preprocessing."""
        return {
            "encoder": self.kind,
            "version": 1,
            "variant": self.variant,
            "files_sha256": {name: file_sha256(path) for name, path in files_of(self.folder, self.variant).items()},
            "preprocess": f"stretched to {SIDE} px, bicubic, antialiased",
            "precision": "fp32",
        }

    @property
    def held_weights(self) -> HeldWeights:
        """What it will load."""
        files = files_of(self.folder, self.variant).values()
        weights = tuple(path for path in files if path.suffix != ".json")
        return HeldWeights(weights, "fp32", self.device, f"encoder {self.kind!r}")

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return sum(network.dim for network in self._networks)

    def prepare(self, image: Image) -> npt.NDArray[np.float32]:
        """Return float32 (3, 224, 224) in [0, 1]."""
        pixels = np.asarray(image.resize((SIDE, SIDE), Resampling.BICUBIC), np.float32)
        return np.ascontiguousarray(pixels.transpose(2, 0, 1) / 255.0)

    def images(self, prepared: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
        """Return float32 (N, dim), of length 2**-0.5: the squared distance of two is their DreamSim."""
        import torch

        pixels = stacked_on(self._device, prepared)
        # TF32 would change the third digit.
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            seen = torch.cat([network.features(pixels) for network in self._networks], dim=1)
            seen = seen - seen.mean(dim=1, keepdim=True)
            vectors: npt.NDArray[np.float32] = (seen / seen.norm(dim=1, keepdim=True) / 2**0.5).cpu().numpy()
        return vectors

    @cached_property
    def _device(self) -> Any:
        return torch_device(self.device)

    @cached_property
    def _networks(self) -> list[TunedTransformer]:
        return tuned_transformers(self.folder, self.variant, self._device)


def dreamsim_encoder(
    *, weights: Annotated[str, SuchAs("models")], variant: Variant = "ensemble", device: str = "auto"
) -> DreamSimEncoder:
    """Return an encoder; loads nothing yet.

    Args:
        weights: Folder into which upstream's package fetches its weights, ``models`` where it is told nothing else:
            what is packed in its release, and DINO's own weights among ``checkpoints``.
        variant: ``ensemble`` is what papers mean; the others are one network, three times as fast.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: If the folder lacks a file or the variant is unknown; on first use, if there is no such device.
        DataError: On first use, if the files do not load.
    """
    if variant not in VARIANTS:
        raise ConfigError(f"encoder 'dreamsim': variant is one of {', '.join(VARIANTS)}, not {variant!r}")
    folder = named_path(weights)
    files_of(folder, variant)
    return DreamSimEncoder(folder, variant, device)
