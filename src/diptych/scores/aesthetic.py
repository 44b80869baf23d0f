"""LAION's aesthetic scores, from the CLIP embedding. Linear heads, with two scales that must not be mixed.

Version 1 is one Linear(d, 1) on the L2-normalised embedding (LAION-AI/aesthetic-predictor 6d122ad), for ViT-L/14, B/32
and B/16; laion-aesthetic kept > 7, laion-art > 8. Version 2 (christophschuhmann/improved-aesthetic-predictor 6934dd8,
``sac+logos+ava1-l14-linearMSE.pth``) is five Linear layers without activations on the OpenAI ViT-L/14 embedding, which
fold exactly into one; Stable Diffusion 1.2 kept > 5. The columns carry the version in their name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.assets import fetch, file_sha256, named_path
from diptych.encoders import Encoder
from diptych.errors import ConfigError, DataError, one_line
from diptych.scores import Column, Reads
from diptych.scores.batches import Batch

Version = Literal["v1", "v2"]

# Version 1 heads fit one model each, although B/32 and B/16 share their dimension.
ASSET_OF = {
    ("v1", "ViT-L-14"): "aesthetic-v1-l14",
    ("v1", "ViT-B-32"): "aesthetic-v1-b32",
    ("v1", "ViT-B-16"): "aesthetic-v1-b16",
    ("v2", "ViT-L-14"): "aesthetic-v2-l14",
}


class LinearHead(NamedTuple):
    """score = weight . embedding + bias, with ``weight`` float64 (D,)."""

    weight: npt.NDArray[np.float64]
    bias: float


@dataclass(frozen=True)
class Aesthetic:
    """One head over one encoder."""

    encoder: Encoder
    version: Version
    head: LinearHead
    weights_sha256: str
    reads: frozenset[Reads] = frozenset({"embedding"})

    @property
    def columns(self) -> tuple[Column, ...]:
        """``aesthetic_v1`` or ``aesthetic_v2``, about 1 to 10."""
        text = f"LAION aesthetic predictor {self.version}, trained on ratings of 1 to 10; not clamped"
        name = f"aesthetic_{self.version}"
        return (Column(name, text, unit="rating", better_for_data="higher", better_for_models="higher"),)

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, weights and the encoder's identity."""
        facts = {"score": "aesthetic", "version": self.version, "weights_sha256": self.weights_sha256}
        return {**facts, "encoder": dict(self.encoder.identity)}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the rating, float32 (N,); NaN without an image."""
        return {self.columns[0].name: rate(batch.embeddings(self.encoder), self.head)}


def aesthetic(*, encoder: Encoder, version: Version = "v2", weights: str | None = None) -> Aesthetic:
    """Return the score.

    Args:
        encoder: A CLIP image encoder; the published heads fit OpenAI's ViT-L/14, B/32 and B/16.
        version: Which scale.
        weights: Path of a head, see ``assets.named_path``; None takes the published one that fits the encoder, a
            verified download.

    Raises:
        ConfigError: If no published head fits the encoder, or the head is for another dimension.
        DataError: If the weights cannot be had or read.
    """
    path = named_path(weights) if weights is not None else fetch(_asset_for(encoder, version))
    head = load_head(path)
    if head.weight.shape != (encoder.dim,):
        raise ConfigError(
            f"aesthetic {version}: the head {path.name} takes {head.weight.size} dimensions and the encoder has "
            f"{encoder.dim}; use the encoder it was trained on"
        )
    return Aesthetic(encoder, version, head, file_sha256(path))


def rate(embeddings: npt.NDArray[np.float32], head: LinearHead) -> npt.NDArray[np.float32]:
    """Return the rating of each embedding: float32 (N,).

    Args:
        embeddings: float32 (N, D); L2-normalised here, a zero row stays zero as in the reference.
        head: The folded head.

    >>> rate(np.float32([[3, 4]]), LinearHead(np.array([1.0, 2.0]), 0.5)).tolist()
    [2.700000047683716]
    """
    rows = embeddings.astype(np.float64)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(length == 0, 1.0, length)
    # einsum, not a matrix product: each row rounds alike whatever the batch.
    ratings: npt.NDArray[np.float32] = (np.einsum("nd,d->n", rows, head.weight) + head.bias).astype(np.float32)
    return ratings


def load_head(path: Path) -> LinearHead:
    """Read a head and fold its linear layers into one.

    Raises:
        DataError: If the file is missing or not a stack of linear layers ending in one output.
    """
    return fold(read_layers(path), path)


def read_layers(path: Path) -> list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Read the (weight, bias) pairs of a torch state dict in order, float64.

    Raises:
        DataError: If the file is missing, holds code instead of tensors, or has activations between its layers.
    """
    import pickle

    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        names = sorted((name for name in state if name.endswith("weight")), key=_layer_number)
        layers = [
            (state[name].double().numpy(), state[name.removesuffix("weight") + "bias"].double().numpy())
            for name in names
        ]
    except (
        OSError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        RuntimeError,
        EOFError,
        pickle.UnpicklingError,
    ) as error:
        raise DataError(f"{path}: not a readable linear head: {one_line(error)}") from error
    # Dropout alone leaves a gap of one number between two layers; the published reluMSE variants have ReLU as well.
    numbers = [_layer_number(name) for name in names]
    if any(after - before > 2 for before, after in pairwise(numbers)):
        raise DataError(f"{path}: has activations between its layers {numbers}; only heads without them are read")
    return layers


def fold(layers: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]], path: Path) -> LinearHead:
    """Fold W5(...(W1 x + b1)...) + b5 into w . x + b, exactly because there are no activations between.

    Raises:
        DataError: If the layers do not fit each other or do not end in one output.
    """
    if any(weight.ndim != 2 or bias.shape != weight.shape[:1] for weight, bias in layers):
        raise DataError(f"{path}: a head has linear layers; this is another kind of file")
    if not layers or layers[-1][0].shape[0] != 1:
        raise DataError(f"{path}: a head ends in one output; this is another kind of file")
    if any(after[0].shape[1] != before[0].shape[0] for before, after in pairwise(layers)):
        raise DataError(f"{path}: the layers do not fit each other")
    weight, bias = layers[-1]
    for inner_weight, inner_bias in reversed(layers[:-1]):
        weight, bias = weight @ inner_weight, weight @ inner_bias + bias
    return LinearHead(weight[0], float(bias[0]))


def _asset_for(encoder: Encoder, version: Version) -> str:
    facts = encoder.identity
    architecture = str(facts.get("architecture", facts.get("encoder"))).removesuffix("-quickgelu")
    if (version, architecture) not in ASSET_OF:
        known = ", ".join(sorted({name for kind, name in ASSET_OF if kind == version}))
        raise ConfigError(
            f"aesthetic {version}: no published head for the encoder {architecture}; they fit {known} "
            f"(set weights: to a path for your own)"
        )
    if facts.get("quick_gelu") is False:  # all of OpenAI's models have it; LAION's of the same names mostly do not
        raise ConfigError(
            f"aesthetic {version}: the published heads fit OpenAI's {architecture} (pretrained: openai), not other "
            f"weights of that architecture; set weights: to the path of a head trained on them"
        )
    return ASSET_OF[version, architecture]


def _layer_number(name: str) -> int:
    digits = "".join(character for character in name if character.isdigit())
    return int(digits) if digits else 0
