"""The features of FID: Inception-v3 of 2015-12-05, of pictures made 299 pixels wide in one of three ways.

Which way is part of the identity, see ``inception_resizes``, and so is the layer: the pooled one of FID, the logits of
the Inception score, or the spatial one of sFID, see ``inception_layers``.
"""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.assets import fetch, file_sha256, named_path
from diptych.data.images import Image
from diptych.devices import stacked_on, torch_device
from diptych.encoders.centre_crop import SAID, centre_cropped
from diptych.encoders.images_only import ImagesOnly
from diptych.encoders.inception_layers import LAYERS, Layer
from diptych.encoders.inception_resizes import RESIZES, Pixels, Preprocess
from diptych.encoders.stored_vectors import StoredVectors, stored_facts
from diptych.errors import ConfigError, DataError, one_line
from diptych.pretrained.memory import HeldWeights

ASSET = "inception-2015-12-05"
MAX_CROP_PX = 4096
NETWORK = "inception-v3-2015-12-05"


@dataclass(frozen=True)
class InceptionEncoder(ImagesOnly):
    """Inception-v3 as an encoder, loaded on first use; it has no text side.

    Attributes:
        weights: Its weights file.
        preprocess: How a picture becomes 299 pixels wide.
        centre_crop: Side in pixels of the middle square that it is made first; None leaves it whole.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        layer: Of which its vectors are.
        vectors: In which precision they are stored.
    """

    weights: Path
    preprocess: Preprocess
    centre_crop: int | None
    device: str
    layer: Layer = "pool3"
    vectors: StoredVectors = "float16"

    kind = "inception"

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Network, layer, weights sha256 and preprocessing."""
        cropped = {} if self.centre_crop is None else {"centre_crop_px": self.centre_crop, "centre_crop": SAID}
        return {
            "encoder": self.kind,
            **cropped,
            "network": NETWORK,
            "layer": LAYERS[self.layer].said,
            "weights_sha256": file_sha256(self.weights),
            "preprocess": RESIZES[self.preprocess].said,
            "precision": "fp32",
            **stored_facts(self.vectors),
        }

    @property
    def held_weights(self) -> HeldWeights:
        """What it will load."""
        return HeldWeights((self.weights,), "fp32", self.device, f"encoder {self.kind!r}")

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return LAYERS[self.layer].dim

    def prepare(self, image: Image) -> Pixels:
        """Return float32 (3, 299, 299) in [-1, 1]."""
        if self.centre_crop is not None:
            image = centre_cropped(image, self.centre_crop)
        return np.ascontiguousarray(RESIZES[self.preprocess].input_of(image).transpose(2, 0, 1), np.float32)

    def images(self, prepared: Sequence[npt.NDArray[Any]]) -> Pixels:
        """Return float32 (N, dim), not normalised; at least 0 but for logits."""
        import torch

        pixels = stacked_on(self._device, prepared).to(memory_format=self._memory_format)
        # TF32 would change the third digit of a feature.
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            vectors: Pixels = self._model(pixels).cpu().numpy()
        return vectors

    @cached_property
    def _device(self) -> Any:
        return torch_device(self.device)

    @cached_property
    def _model(self) -> Any:
        from diptych.encoders.inception_network import Inception

        model = Inception(self.layer)
        _load(model, self.weights)
        model.eval().requires_grad_(False).fold()
        return model.to(self._device).to(memory_format=self._memory_format)

    @property
    def _memory_format(self) -> Any:
        """A CPU convolves channels that lie side by side nearly twice as fast."""
        import torch

        return torch.channels_last if self._device.type == "cpu" else torch.contiguous_format


def inception_encoder(
    *,
    weights: str | None = None,
    preprocess: Preprocess = "legacy",
    centre_crop: int | None = None,
    layer: Layer = "pool3",
    vectors: StoredVectors = "float16",
    device: str = "auto",
) -> InceptionEncoder:
    """Return an encoder; finds (and downloads, unless offline) the weights but loads nothing yet.

    Args:
        weights: A file with the weights of pytorch-fid or torch-fidelity (.pth, or the same as .safetensors); see
            ``assets.named_path``. None downloads that of pytorch-fid.
        preprocess: ``legacy``, ``clean`` or ``pytorch_fid``, see ``inception_resizes``.
        centre_crop: Side in pixels of the middle square that a picture is made first, see ``centre_crop``; None leaves
            it whole, so that one that is no square is squeezed into one.
        layer: ``pool3`` for FID and all that compares sets, ``logits`` for the Inception score, ``spatial`` for sFID.
        vectors: In which precision they are stored, see ``stored_vectors``.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: If there is no such file, or the side is no number of pixels; on first use, if there is no such
            device.
        DataError: If the weights cannot be downloaded; on first use, if they are not those of this network.
    """
    if centre_crop is not None and not 1 <= centre_crop <= MAX_CROP_PX:
        raise ConfigError(
            f"encoder 'inception': centre_crop: a side has 1 to {MAX_CROP_PX:,} pixels, not {centre_crop}"
        )
    path = fetch(ASSET) if weights is None else named_path(weights)
    if not path.is_file():
        raise ConfigError(f"encoder 'inception': no weights at {path}; give the path of a .pth or .safetensors file")
    return InceptionEncoder(path, preprocess, centre_crop, device, layer, vectors)


def _load(model: Any, path: Path) -> None:
    """Load a weights file, the classifier left out where the layer is before it, and its bias in any case."""
    state = _read(path)
    if any(name.startswith("AuxLogits.") for name in state):
        raise DataError(f"{path}: these are torchvision's ImageNet weights; FID needs those of pytorch-fid")
    own = model.state_dict()
    wanted = {name: tensor for name, tensor in state.items() if not name.startswith("fc.") or name in own}
    missing = sorted(name for name in own if name not in wanted and not name.endswith("num_batches_tracked"))
    unknown = sorted(name for name in wanted if name not in own)
    misfit = sorted(name for name in own if name in wanted and wanted[name].shape != own[name].shape)
    for names, what in ((missing, "lacks"), (unknown, "has an unknown"), (misfit, "has another shape of")):
        if names:
            raise DataError(f"{path}: not the Inception weights of FID: {what} {names[0]!r}; give those of pytorch-fid")
    model.load_state_dict(wanted, strict=False)


def _read(path: Path) -> dict[str, Any]:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
        return {str(name): tensor for name, tensor in state.items() if isinstance(tensor, torch.Tensor)}
    except (AttributeError, EOFError, LookupError, OSError, RuntimeError, ValueError) as error:
        raise DataError(f"{path}: no weights file that torch or safetensors reads: {one_line(error)}") from error
    except (pickle.UnpicklingError, SafetensorError) as error:
        raise DataError(f"{path}: no weights file that torch or safetensors reads: {one_line(error)}") from error
