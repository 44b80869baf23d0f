"""LPIPS as vectors: the squared distance of two is the LPIPS of their pictures.

So each picture is seen once, not each pair. LPIPS adds up, over five layers of AlexNet, how far the activations of two
pictures are apart, each place of length 1 and each channel weighted, on the mean over the places (Zhang et al. 2018,
arXiv 1801.03924). With the roots of the weights in them, which are not negative, that is a squared Euclidean distance.
Pictures are stretched to a square; published numbers are of several sizes, and those of two sizes do not compare. A
vector of 64 pixels has 31,872 numbers, one of 256 pixels 655,424: keep it small.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL.Image import Resampling

from diptych.assets import file_sha256, named_path
from diptych.config.such_as import SuchAs
from diptych.data.images import Image
from diptych.devices import stacked_on, torch_device
from diptych.encoders.images_only import ImagesOnly
from diptych.errors import ConfigError, DataError, MissingExtra, one_line
from diptych.pretrained.memory import HeldWeights

SIDE, LEAST_SIDE = 64, 32
CHANNELS = (64, 192, 384, 256, 256)
TAPPED = (1, 4, 7, 9, 11)  # the activations among torchvision's layers
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
TINY = 1e-8  # beside the square of a length, as torchmetrics 1.9 has it
LINEAR = Path("functional/image/lpips_models/alex.pth")  # of torchmetrics: the authors' weights of the channels, v0.1


class LpipsNetwork(NamedTuple):
    """The layers of AlexNet and, for each of the five, the roots of its channels' weights, tensor (1, C, 1, 1)."""

    layers: Any
    roots: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class LpipsEncoder(ImagesOnly):
    """LPIPS as an encoder, loaded on first use; it has no text side.

    Attributes:
        weights: Of AlexNet.
        linear: The weights of the channels.
        side: Pixels of the square to which a picture is stretched.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    """

    weights: Path
    linear: Path
    side: int
    device: str

    kind = "lpips"

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Network, sha256 of both files and preprocessing."""
        return {
            "encoder": self.kind,
            "network": "alex",
            "weights_sha256": file_sha256(self.weights),
            "linear_sha256": file_sha256(self.linear),
            "preprocess": f"stretched to {self.side} px, bicubic, antialiased",
            "precision": "fp32",
        }

    @property
    def held_weights(self) -> HeldWeights:
        """What it will load."""
        return HeldWeights((self.weights, self.linear), "fp32", self.device, f"encoder {self.kind!r}")

    @property
    def dim(self) -> int:
        """Length of a vector."""
        first = (self.side + 4 - 11) // 4 + 1
        second = (first - 3) // 2 + 1
        third = (second - 3) // 2 + 1
        sides = (first, second, third, third, third)
        return sum(channels * side**2 for channels, side in zip(CHANNELS, sides, strict=True))

    def prepare(self, image: Image) -> npt.NDArray[np.float32]:
        """Return float32 (3, side, side) in [-1, 1]."""
        pixels = np.asarray(image.resize((self.side, self.side), Resampling.BICUBIC), np.float32)
        return np.ascontiguousarray(pixels.transpose(2, 0, 1) / 127.5 - 1.0)

    def images(self, prepared: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
        """Return float32 (N, dim), not normalised: the squared distance of two is their LPIPS."""
        import torch

        network, device = self._network, self._device
        shift, scale = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (SHIFT, SCALE))
        seen = (stacked_on(device, prepared) - shift) / scale
        parts: list[Any] = []
        # TF32 would change the third digit.
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            for number, layer in enumerate(network.layers):
                seen = layer(seen)
                if number in TAPPED:
                    even = seen / torch.sqrt(TINY + (seen**2).sum(dim=1, keepdim=True))
                    places = seen.shape[2] * seen.shape[3]
                    parts.append((even * network.roots[len(parts)] / places**0.5).flatten(1))
        vectors: npt.NDArray[np.float32] = torch.cat(parts, dim=1).cpu().numpy()
        return vectors

    @cached_property
    def _device(self) -> Any:
        return torch_device(self.device)

    @cached_property
    def _network(self) -> LpipsNetwork:
        import torch
        from torchvision.models import AlexNet

        with torch.device("meta"):
            layers = AlexNet().features[: TAPPED[-1] + 1]
        state, linear = _read(self.weights), _read(self.linear)
        own = {name.removeprefix("features."): value for name, value in state.items()}
        try:
            layers.load_state_dict({name: own[name].float() for name in layers.state_dict()}, assign=True)
            weights = [linear[f"lin{number}.model.1.weight"].float() for number in range(len(CHANNELS))]
            shapes = [tuple(value.shape) for value in weights]
            if shapes != [(1, channels, 1, 1) for channels in CHANNELS] or any((value < 0).any() for value in weights):
                raise ValueError(f"{self.linear} holds no weights of channels that are at least 0")
        except (KeyError, RuntimeError, ValueError) as error:
            raise DataError(f"{self.weights}: does not load as LPIPS over AlexNet: {one_line(error)}") from error
        roots = tuple(value.sqrt().to(self._device) for value in weights)
        return LpipsNetwork(layers.eval().requires_grad_(False).to(self._device), roots)


def lpips_encoder(
    *,
    weights: Annotated[str, SuchAs("alexnet-owt-7be5be79.pth")],
    linear: str | None = None,
    side: int = SIDE,
    device: str = "auto",
) -> LpipsEncoder:
    """Return an encoder; loads nothing yet.

    Args:
        weights: Path of AlexNet as torchvision publishes it, ``alexnet-owt-7be5be79.pth``.
        linear: Path of the weights of the channels; None takes those that torchmetrics brings along, the authors' v0.1.
        side: Pixels of the square to which a picture is stretched, at least 32.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: If there is no such file or the side is too small; on first use, if there is no such device.
        DataError: On first use, if the files do not load.
        MissingExtra: If ``linear`` is not given and torchmetrics is not installed.
    """
    if side < LEAST_SIDE:
        raise ConfigError(f"encoder 'lpips': side is at least {LEAST_SIDE} pixels, not {side}")
    paths = {"weights": named_path(weights), "linear": _of_torchmetrics() if linear is None else named_path(linear)}
    for option, path in paths.items():
        if not path.is_file():
            raise ConfigError(f"encoder 'lpips': {option}: no file {str(path)!r}; its documentation says which it is")
    return LpipsEncoder(paths["weights"], paths["linear"], side, device)


def _of_torchmetrics() -> Path:
    spec = find_spec("torchmetrics")
    if spec is None or spec.origin is None:
        raise MissingExtra("evaluate", "torchmetrics")
    return Path(spec.origin).parent / LINEAR


def _read(path: Path) -> Mapping[str, Any]:
    import torch

    try:
        state: Mapping[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever torch throws at such a file
        raise DataError(f"{path}: no weights file that torch reads: {one_line(error)}") from error
    return state
