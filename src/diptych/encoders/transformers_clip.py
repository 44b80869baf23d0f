"""CLIP models of transformers: a folder that it wrote, or a name on the hub, such as PickScore's.

Pictures and texts are prepared by the model's own processor, its pictures by PIL, and texts padded to the context, so
that no neighbour changes a vector. What open_clip has too is better loaded by ``open_clip``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from diptych.config.such_as import SuchAs
from diptych.data.images import Image
from diptych.devices import Precision, stacked_on
from diptych.errors import ConfigError
from diptych.pretrained.folder import PICKLED, PretrainedFolder, find_pretrained
from diptych.pretrained.weights import weight_files

KIND = "transformers_clip"
MODEL_TYPE = "clip"
LOGIT_SCALE = "logit_scale"  # of the weights
CONTEXT = 77  # tokens of a text, with its first and last, where the configuration names no other number
MAX_TOKEN_CHARACTERS = 32  # see ``open_clip``: a text is never seen beyond that many per token


@dataclass(frozen=True, eq=False)
class TransformersClip:
    """One model, loaded on first use.

    Attributes:
        model: Where it is.
        precision: Of weights and activations; the vectors are float32 in any case.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    """

    model: PretrainedFolder
    precision: Precision
    device: str

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, sha256 of the model's files, context length, precision."""
        facts = {"encoder": KIND, "version": 1, **self.model.facts}
        return {**facts, "context_length": self._context, "precision": self.precision}

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.model.config.get("projection_dim", 512))  # the library's own where there is none

    @cached_property
    def logit_scale(self) -> float:
        """What its training multiplied cosines by: the exponential of its logit scale, as stored in its weights.

        Half precision would make another number of it: 98.9 of 100.
        """
        return math.exp(float(self._stored(LOGIT_SCALE)))

    def prepare(self, image: Image) -> npt.NDArray[np.float32]:
        """Return the model's own preprocessing of one RGB image: float32 (3, H, W), normalised."""
        prepared: npt.NDArray[np.float32] = self._pictures(images=image, return_tensors="np")["pixel_values"][0]
        return prepared

    def images(self, prepared: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
        """Return float32 (N, dim), L2-normalised."""
        import torch

        network = self._network
        with torch.inference_mode():
            pixels = stacked_on(network.device, prepared, network.dtype)
            return _normalised(network.get_image_features(pixel_values=pixels))

    def texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return float32 (N, dim), L2-normalised; texts longer than the context are cut, the end token kept."""
        import torch

        network = self._network
        given = self._tokens(texts, padding="max_length", truncation=True, max_length=self._context)
        with torch.inference_mode():
            tokens = {
                name: torch.tensor(given[name], device=network.device) for name in ("input_ids", "attention_mask")
            }
            return _normalised(network.get_text_features(**tokens))

    def truncated(self, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Return bool (N,): whether the text has more tokens than the context holds beside start and end."""
        lengths = [len(ids) for ids in self._tokens(texts)["input_ids"]] if texts else []
        return np.array([length > self._context for length in lengths], bool)

    def _tokens(self, texts: Sequence[str], **options: Any) -> Mapping[str, Any]:
        limit = MAX_TOKEN_CHARACTERS * self._context
        shortened = [text if len(text) <= limit else " ".join(text.split())[:limit] for text in texts]
        tokens: Mapping[str, Any] = self._tokenizer(shortened, **options)
        return tokens

    def _stored(self, name: str) -> Any:
        import torch
        from safetensors import safe_open

        for path in weight_files(self.model.path).get(None, []):
            with safe_open(path, "pt") as file:
                if name in file.keys():  # noqa: SIM118  # it is no mapping
                    return file.get_tensor(name)
        return torch.load(self.model.path / PICKLED, map_location="cpu", weights_only=True, mmap=True)[name]

    @property
    def _context(self) -> int:
        return int(self.model.config.get("text_config", {}).get("max_position_embeddings", CONTEXT))

    @cached_property
    def _pictures(self) -> Any:
        return self.model.processor("AutoImageProcessor")

    @cached_property
    def _tokenizer(self) -> Any:
        return self.model.processor("AutoTokenizer")

    @cached_property
    def _network(self) -> Any:
        return self.model.load("CLIPModel", self.precision, self.device)


def transformers_clip(
    *,
    weights: Annotated[str, SuchAs("yuvalkirstain/PickScore_v1")],
    precision: Precision = "fp32",
    device: str = "auto",
) -> TransformersClip:
    """Return an encoder; finds (and downloads, unless offline) its files but loads no weights yet.

    Args:
        weights: Folder of a model of transformers, its processor's files in it, or its name on the hub, such as
            ``yuvalkirstain/PickScore_v1``, with ``@REVISION`` behind it where it is to be a certain one.
        precision: Of weights and activations.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: If there is no such model, or it is no CLIP; on first use, if there is no such device.
        DataError: If the model cannot be fetched; on first use, if the weights do not load.
    """
    where = f"encoder {KIND!r}: weights"
    model = find_pretrained(weights, where)
    if (found := model.config.get("model_type")) != MODEL_TYPE:
        raise ConfigError(
            f"{where}: {weights} is of the type {found!r}, not {MODEL_TYPE!r}; give a CLIP of transformers"
        )
    return TransformersClip(model, precision, device)


def _normalised(features: Any) -> npt.NDArray[np.float32]:
    import torch

    vectors = getattr(features, "pooler_output", features)  # the projected vector, in an output object since 5.0
    normalised: npt.NDArray[np.float32] = torch.nn.functional.normalize(vectors.float(), dim=-1).cpu().numpy()
    return normalised
