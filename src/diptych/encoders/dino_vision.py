"""What the encoders of DINO's vision transformers share: pictures squeezed to 224 pixels, the class token as vector."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from diptych.data.images import Image
from diptych.devices import Precision, stacked_on
from diptych.encoders.images_only import ImagesOnly
from diptych.encoders.inception_resizes import resize_legacy
from diptych.encoders.stored_vectors import StoredVectors, stored_facts
from diptych.errors import ConfigError
from diptych.pretrained.folder import PretrainedFolder, find_pretrained
from diptych.pretrained.memory import HeldWeights

Resize = Literal["pil", "tf1"]
Pixels = npt.NDArray[np.float32]

SIDE_PX = 224
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, on which all of them were trained
VECTOR = "class token after the last norm"
# Resize -> what the identity says of it.
SAID: dict[Resize, str] = {
    "pil": "pil: squeezed to 224 x 224 by Pillow's bicubic",
    "tf1": "tf1: squeezed to 224 x 224 by TensorFlow 1 bilinear, not antialiased",
}


@dataclass(frozen=True, eq=False)
class DinoEncoder(ImagesOnly):
    """One model, loaded on first use; it has no text side.

    A subclass says what its model is: ``model_class``, its class in transformers, ``model_type``, what its
    configuration calls it, and ``version``, of how its vectors are made.

    Attributes:
        model: Where it is.
        resize: How a picture becomes 224 pixels wide and high.
        precision: Of weights and activations; the vectors are float32 in any case.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        vectors: In which precision its vectors are stored.
    """

    model: PretrainedFolder
    resize: Resize
    precision: Precision
    device: str
    vectors: StoredVectors = "float16"

    model_class: ClassVar[str]
    model_type: ClassVar[str]
    version: ClassVar[int] = 1

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, sha256 of the model's files, layer, resize and precision."""
        facts = {"encoder": self.kind, "version": self.version, **self.model.facts}
        facts |= {"layer": VECTOR, "preprocess": SAID[self.resize], "precision": self.precision}
        return {**facts, **stored_facts(self.vectors)}

    @property
    def held_weights(self) -> HeldWeights:
        """What it will load."""
        return self.model.held(self.precision, self.device)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.model.config["hidden_size"])

    def prepare(self, image: Image) -> Pixels:
        """Return float32 (3, 224, 224), normalised by the mean and deviation of ImageNet."""
        pixels = RESIZES[self.resize](image) / np.float32(255.0)
        normalised = (pixels - np.array(MEAN, np.float32)) / np.array(DEVIATION, np.float32)
        return np.ascontiguousarray(normalised.transpose(2, 0, 1), np.float32)

    def images(self, prepared: Sequence[npt.NDArray[Any]]) -> Pixels:
        """Return float32 (N, dim), not normalised."""
        import torch

        network = self._network
        with torch.inference_mode():
            pixels = stacked_on(network.device, prepared, network.dtype)
            vectors: Pixels = network(pixel_values=pixels).last_hidden_state[:, 0].float().cpu().numpy()
        return vectors

    def fit(self, network: Any) -> Any:
        """Return the network as its vectors are made with; here as it was loaded."""
        return network

    @cached_property
    def _network(self) -> Any:
        return self.fit(self.model.load(self.model_class, self.precision, self.device))


def find_dino(weights: str, kind: str, model_type: str) -> PretrainedFolder:
    """Return a model of transformers of a type.

    Raises:
        ConfigError: If there is no such model, or it is of another type.
        DataError: If it cannot be fetched.
    """
    where = f"encoder {kind!r}: weights"
    model = find_pretrained(weights, where)
    if (found := model.config.get("model_type")) != model_type:
        raise ConfigError(f"{where}: {weights} is of the type {found!r}, not {model_type!r}")
    return model


def _pil(image: Image) -> Pixels:
    from diptych.encoders.pillow_resize import resized  # imports torch

    box = (0, 0, SIDE_PX, SIDE_PX)
    return resized(image, (SIDE_PX, SIDE_PX), box, "bicubic").astype(np.float32)


RESIZES: dict[Resize, Callable[[Image], Pixels]] = {"pil": _pil, "tf1": lambda image: resize_legacy(image, SIDE_PX)}
