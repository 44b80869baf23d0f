"""The features of FID: Inception-v3 of 2015-12-05, pooled, with one of two ways to make a picture 299 pixels wide.

``legacy`` is TensorFlow 1's bilinear resize, which skips pixels when it shrinks: the FID of Heusel et al. 2017 and of
torch-fidelity. ``clean`` is Pillow's antialiased bicubic without rounding to 8 bits (clean-fid; Parmar et al. 2022,
arXiv 2104.11222). Their numbers differ by up to ten percent and never compare: the choice is part of the identity.
"""

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from diptych.assets import fetch, file_sha256, named_path
from diptych.data.images import Image
from diptych.devices import torch_device
from diptych.errors import ConfigError, DataError

Preprocess = Literal["clean", "legacy"]
Pixels = npt.NDArray[np.float32]

DIM = 2048
SIDE_PX = 299
ASSET = "inception-2015-12-05"
BICUBIC = 3  # PIL.Image.Resampling.BICUBIC; the decoder alone imports PIL


@dataclass(frozen=True)
class InceptionEncoder:
    """Inception-v3 as an encoder, loaded on first use; it has no text side.

    Attributes:
        weights: Its weights file.
        preprocess: How a picture becomes 299 pixels wide.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    """

    weights: Path
    preprocess: Preprocess
    device: str

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Network, layer, weights sha256 and preprocessing."""
        return {
            "encoder": "inception",
            "network": "inception-v3-2015-12-05",
            "layer": "pool3",
            "weights_sha256": file_sha256(self.weights),
            "preprocess": RESIZES[self.preprocess][0],
            "precision": "fp32",
        }

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return DIM

    def prepare(self, image: Image) -> Pixels:
        """Return float32 (3, 299, 299) in [-1, 1)."""
        resized = RESIZES[self.preprocess][1](image)
        return np.ascontiguousarray(((resized - 128.0) / 128.0).transpose(2, 0, 1), np.float32)

    def images(self, prepared: Sequence[npt.NDArray[Any]]) -> Pixels:
        """Return float32 (N, 2048), at least 0, not normalised."""
        import torch

        pixels = torch.from_numpy(np.stack(prepared))
        # TF32 would change the third digit of a feature.
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            vectors: Pixels = self._model(pixels.to(self._device)).cpu().numpy()
        return vectors

    def texts(self, texts: Sequence[str]) -> Pixels:
        """Refuse: it has no text side.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError("encoder 'inception': embeds images only; for texts use an open_clip encoder")

    def truncated(self, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Refuse, see ``texts``.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError("encoder 'inception': embeds images only; for texts use an open_clip encoder")

    @cached_property
    def _device(self) -> Any:
        return torch_device(self.device)

    @cached_property
    def _model(self) -> Any:
        from diptych.encoders.inception_network import Inception

        model = Inception()
        _load(model, self.weights)
        return model.eval().requires_grad_(False).to(self._device)


def inception_encoder(
    *, weights: str | None = None, preprocess: Preprocess = "legacy", device: str = "auto"
) -> InceptionEncoder:
    """Return an encoder; finds (and downloads, unless offline) the weights but loads nothing yet.

    Args:
        weights: A file with the weights of pytorch-fid or torch-fidelity (.pth, or the same as .safetensors); see
            ``assets.named_path``. None downloads that of pytorch-fid.
        preprocess: ``legacy`` or ``clean``, see the module.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: If there is no such file; on first use, if there is no such device.
        DataError: If the weights cannot be downloaded; on first use, if they are not those of this network.
    """
    path = fetch(ASSET) if weights is None else named_path(weights)
    if not path.is_file():
        raise ConfigError(f"encoder 'inception': no weights at {path}; give the path of a .pth or .safetensors file")
    return InceptionEncoder(path, preprocess, device)


def resize_legacy(image: Image) -> Pixels:
    """Return float32 (299, 299, 3) in [0, 255]: bilinear with x_in = x_out * in / out, as TensorFlow 1 has it.

    No half-pixel centres and no antialiasing; float32 in the order of operations of ``resize_bilinear_op.cc``, as
    torch-fidelity repeats it (``interpolate_compat_tensorflow.py``).
    """
    pixels = np.asarray(image)
    top, bottom, down = _neighbours(pixels.shape[0])
    left, right, across = _neighbours(pixels.shape[1])
    across = across[:, np.newaxis]
    upper, lower = (_blend(rows[:, left], rows[:, right], across) for rows in (pixels[top], pixels[bottom]))
    return _blend(upper, lower, down[:, np.newaxis, np.newaxis])


def resize_clean(image: Image) -> Pixels:
    """Return float32 (299, 299, 3) in [0, 255]: Pillow's bicubic on float planes, clipped, never rounded."""
    planes = [band.convert("F").resize((SIDE_PX, SIDE_PX), resample=BICUBIC) for band in image.split()]
    return np.stack([np.asarray(plane).clip(0.0, 255.0) for plane in planes], axis=2)


# Name -> what the identity says, and how it is done.
RESIZES: dict[Preprocess, tuple[str, Callable[[Image], Pixels]]] = {
    "clean": ("clean: Pillow bicubic, antialiased, float32", resize_clean),
    "legacy": ("legacy: TensorFlow 1 bilinear, not antialiased", resize_legacy),
}


def _neighbours(size: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Pixels]:
    """Return for each of 299 places the pixel before, the pixel after, and how far between them it lies."""
    places = np.arange(SIDE_PX, dtype=np.float32) * np.float32(size / SIDE_PX)
    before = places.astype(np.int64)
    return before, np.minimum(before + 1, size - 1), places - before.astype(np.float32)


def _blend(first: npt.NDArray[Any], second: npt.NDArray[Any], share: Pixels) -> Pixels:
    start = first.astype(np.float32)
    blended: Pixels = start + (second.astype(np.float32) - start) * share
    return blended


def _load(model: Any, path: Path) -> None:
    """Load a weights file, the classifier left out."""
    state = _read(path)
    if any(name.startswith("AuxLogits.") for name in state):
        raise DataError(f"{path}: these are torchvision's ImageNet weights; FID needs those of pytorch-fid")
    wanted = {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}
    own = model.state_dict()
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
        raise DataError(f"{path}: no weights file that torch or safetensors reads: {_short(error)}") from error
    except (pickle.UnpicklingError, SafetensorError) as error:
        raise DataError(f"{path}: no weights file that torch or safetensors reads: {_short(error)}") from error


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
