"""How likely a picture is unsafe, from the CLIP embedding. By LAION's CLIP-based NSFW detector.

The head is an AutoKeras classifier (LAION-AI/CLIP-based-NSFW-Detector d6bb8fe): Normalization, Dense layers with ReLU,
one sigmoid output; for OpenAI's ViT-L/14 and ViT-B/32. LAION-aesthetic and NeMo Curator kept < 0.5.

AutoKeras took a few input dimensions for categories (ViT-L/14: 180, 316, 413, 440, 644). The published graph formats
their values with ``tf.strings.as_string`` and looks them up in vocabularies of float16 values; the index replaces the
value. The port to torch that NeMo Curator uses (issue 7 of the detector) feeds the value itself, which lies where an
index of 0 or 1 lies. Both are in use and give different numbers, so they have different columns: ``punsafe`` for the
port, ``punsafe_laion`` for the published graph. Decides nothing about thresholds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.encoders import Encoder
from diptych.errors import ConfigError, DataError
from diptych.scores import Column, Reads
from diptych.scores.batches import Batch
from diptych.scores.weight_formats.keras_savedmodel import read_savedmodel

# By the length of the encoder's vectors: the asset, and the architecture it was trained on.
PUBLISHED = {512: ("laion-nsfw-b32", "ViT-B-32"), 768: ("laion-nsfw-l14", "ViT-L-14")}
NORMALIZATION_EPSILON = np.float32(1e-7)  # the constant of the graph's node normalization/Maximum

PUNSAFE = Column(
    "punsafe",
    "Probability of unsafe content by LAION's CLIP-based NSFW detector, all inputs as numbers (as NeMo Curator has it)",
    low=0.0,
    high=1.0,
    better_for_data="lower",
    better_for_models="lower",
)
PUNSAFE_LAION = Column(
    "punsafe_laion",
    "Probability of unsafe content by LAION's CLIP-based NSFW detector, some inputs as categories (as published)",
    low=0.0,
    high=1.0,
    better_for_data="lower",
    better_for_models="lower",
)


class Head(NamedTuple):
    """The classifier as arrays.

    Attributes:
        mean: float32 (D,), subtracted from the input.
        deviation: float32 (D,), divides it; positive.
        layers: Kernel float32 (inputs, outputs) and bias float32 (outputs,) of each Dense layer; the last has 1 output.
        vocabularies: By input dimension that the published graph takes for a category: its values as text with six
            decimals, in the order of their indices, which start at 1.
    """

    mean: npt.NDArray[np.float32]
    deviation: npt.NDArray[np.float32]
    layers: tuple[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]], ...]
    vocabularies: Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, eq=False)
class Nsfw:
    """One head over one encoder.

    Attributes:
        index_tables: By categorical dimension: see ``index_by_float16``; None feeds the values themselves.
    """

    encoder: Encoder
    head: Head
    weights_sha256: str
    index_tables: Mapping[int, npt.NDArray[np.float32]] | None
    reads: frozenset[Reads] = frozenset({"embedding"})

    @property
    def columns(self) -> tuple[Column, ...]:
        """``punsafe`` or ``punsafe_laion``."""
        return (PUNSAFE if self.index_tables is None else PUNSAFE_LAION,)

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, mode, weights and the encoder's identity."""
        mode = "values" if self.index_tables is None else "vocabulary"
        facts = {"score": "nsfw", "version": 1, "mode": mode, "weights_sha256": self.weights_sha256}
        return {**facts, "encoder": dict(self.encoder.identity)}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the probability, float32 (N,) in [0, 1]; NaN without an image."""
        embeddings = batch.embeddings(self.encoder)
        if self.index_tables is not None:
            embeddings = replace_by_indices(embeddings, self.index_tables)
        return {self.columns[0].name: punsafe(embeddings, self.head)}


def nsfw(*, encoder: Encoder, weights: str | None = None, vocabulary: bool = False) -> Nsfw:
    """Return the score.

    Args:
        encoder: OpenAI's CLIP ViT-L/14 or ViT-B/32, L2-normalised vectors; other encoders need a head of their own.
        weights: Path of a zipped Keras SavedModel as LAION publishes it; None takes the published one for the length
            of the encoder's vectors, a verified download.
        vocabulary: Whether the categorical inputs go through the vocabularies, as in the published graph.

    Raises:
        ConfigError: If no published head fits the encoder, the head takes vectors of another length, or it has no
            vocabularies and ``vocabulary`` is set.
        DataError: If the weights cannot be had or read.
    """
    from diptych.assets import fetch, file_sha256, named_path

    path = named_path(weights) if weights is not None else fetch(_asset_for(encoder))
    head = load_head(path)
    if head.mean.size != encoder.dim:
        raise ConfigError(
            f"nsfw: the head {path} takes vectors of {head.mean.size} numbers and the encoder gives {encoder.dim}; "
            f"use the encoder it was trained on"
        )
    if vocabulary and not head.vocabularies:
        raise ConfigError(f"nsfw: the head {path} has no vocabularies; leave out 'vocabulary'")
    tables = {dim: index_by_float16(values) for dim, values in head.vocabularies.items()} if vocabulary else None
    return Nsfw(encoder, head, file_sha256(path), tables)


def punsafe(embeddings: npt.NDArray[np.float32], head: Head) -> npt.NDArray[np.float32]:
    """Return the probability of unsafe content of each embedding, float32 (N,); NaN where a row is not finite.

    Args:
        embeddings: float32 (N, D), L2-normalised CLIP image embeddings, or what ``replace_by_indices`` made of them.
        head: For vectors of length D.

    >>> head = Head(np.float32([0]), np.float32([1]), ((np.float32([[1]]), np.float32([0])),), {})
    >>> punsafe(np.float32([[0], [2], [np.nan]]), head).round(4).tolist()
    [0.5, 0.8808000087738037, nan]
    """
    finite = np.isfinite(embeddings).all(axis=1)
    values: npt.NDArray[np.float32] = (embeddings[finite] - head.mean) / head.deviation
    *hidden, (kernel, bias) = head.layers
    for hidden_kernel, hidden_bias in hidden:
        values = np.maximum(values @ hidden_kernel + hidden_bias, 0).astype(np.float32)
    probabilities = np.full(len(embeddings), np.nan, np.float32)
    probabilities[finite] = _sigmoid((values @ kernel + bias)[:, 0])
    return probabilities


def replace_by_indices(
    embeddings: npt.NDArray[np.float32], index_tables: Mapping[int, npt.NDArray[np.float32]]
) -> npt.NDArray[np.float32]:
    """Return a copy of float32 (N, D) embeddings, the values of categorical dimensions replaced by their indices.

    Args:
        embeddings: float32 (N, D), in the range of float16; rounded to it for the lookup, as LAION's were.
        index_tables: By dimension: what ``index_by_float16`` gives.
    """
    replaced = embeddings.copy()
    for dim, table in index_tables.items():
        values = embeddings[:, dim]
        replaced[:, dim] = np.where(np.isnan(values), values, table[values.astype(np.float16).view(np.uint16)])
    return replaced


def index_by_float16(vocabulary: tuple[str, ...]) -> npt.NDArray[np.float32]:
    """Return the index of every float16 value by its bit pattern, float32 (65536,); 0 where it is not known.

    Source: the published graph. ``AsString`` with its defaults prints as C's ``%f``; ``StringLookup`` with one index
    for unknown strings and no mask token gives them 0 and counts the vocabulary from 1.

    >>> table = index_by_float16(("0.125488", "-0.250000"))
    >>> table[np.array([0.1255, -0.25, 0.3], np.float16).view(np.uint16)].tolist()
    [1.0, 2.0, 0.0]
    """
    index = {text: position for position, text in enumerate(vocabulary, start=1)}
    values = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    return np.array([index.get(f"{value:f}", 0) for value in values.tolist()], np.float32)


def load_head(path: Path) -> Head:
    """Read a zipped Keras SavedModel as LAION publishes it.

    Raises:
        DataError: If the file is missing, damaged, or not a classifier of that form.
    """
    model = read_savedmodel(path)
    names = sorted((name for name in model.variables if name.endswith("/kernel")), key=_layer_number)
    try:
        mean, variance = (model.variables[f"layer_with_weights-1/{name}"] for name in ("mean", "variance"))
        layers = tuple((model.variables[name], model.variables[name.removesuffix("kernel") + "bias"]) for name in names)
    except KeyError as error:
        raise DataError(f"{path}: not LAION's NSFW detector: it has no variable {error}") from error
    sizes = [mean.size, *(bias.size for _, bias in layers)]
    shapes = list(pairwise(sizes))
    if not layers or sizes[-1] != 1 or mean.shape != variance.shape or shapes != [kernel.shape for kernel, _ in layers]:
        raise DataError(
            f"{path}: not LAION's NSFW detector: its layers do not fit each other or give more than one number"
        )
    return Head(mean, np.maximum(np.sqrt(variance), NORMALIZATION_EPSILON), layers, model.vocabularies)


def _sigmoid(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    small = np.exp(-np.abs(logits))  # never overflows
    return np.where(logits >= 0, 1 / (1 + small), small / (1 + small)).astype(np.float32)


def _asset_for(encoder: Encoder) -> str:
    asset, architecture = PUBLISHED.get(encoder.dim, ("", ""))
    named = str(encoder.identity.get("architecture", architecture or "of unknown name")).removesuffix("-quickgelu")
    if named != architecture:
        known = " and ".join(f"{name} ({dim} numbers)" for dim, (_, name) in sorted(PUBLISHED.items()))
        raise ConfigError(
            f"nsfw: no published head for the encoder {named} ({encoder.dim} numbers); they fit {known} "
            f"(set weights: to a path for your own)"
        )
    return asset


def _layer_number(name: str) -> int:
    digits = name.partition("/")[0].rpartition("-")[2]
    return int(digits) if digits.isdecimal() else -1
