"""How likely a picture is of a kind of your own. From a linear head that you fitted over an embedding.

sigmoid(w . x + b) with x the L2-normalised image embedding: logistic regression as torch, scikit-learn and CLIP's own
linear probes have it (Radford et al. 2021, arXiv 2103.00020, section 3.2). The head is a torch state dict of one linear
layer with one output, or of several without activations between them, which fold into one. It gives the probability
among pictures mixed as those that it was fitted on; where the kind is rarer, the true one is lower, the order the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from diptych.assets import file_sha256, named_path
from diptych.config.such_as import SuchAs
from diptych.encoders import Encoder
from diptych.errors import ConfigError
from diptych.scores import Column, Reads
from diptych.scores.aesthetic import LinearHead, load_head, rate
from diptych.scores.batches import Batch

COLUMN_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
TAKEN = frozenset({"key", "reason"})  # columns that every score has


@dataclass(frozen=True)
class LinearProbe:
    """One head over one encoder."""

    encoder: Encoder
    column: str
    head: LinearHead
    weights_sha256: str
    reads: frozenset[Reads] = frozenset({"embedding"})

    @property
    def columns(self) -> tuple[Column, ...]:
        """The probability, under the name that it was given."""
        text = f"Probability by a linear probe over the image embedding (weights {self.weights_sha256[:8]})"
        return (Column(self.column, text, low=0.0, high=1.0),)

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, column, weights and the encoder's identity."""
        facts = {"score": "linear_probe", "version": 1, "column": self.column, "weights_sha256": self.weights_sha256}
        return {**facts, "encoder": dict(self.encoder.identity)}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the probability, float32 (N,) in [0, 1]; NaN without an image."""
        return {self.column: sigmoid(rate(batch.embeddings(self.encoder), self.head))}


def linear_probe(
    *, encoder: Encoder, weights: Annotated[str, SuchAs("head.npz")], column: str = "probability"
) -> LinearProbe:
    """Return the score.

    Args:
        encoder: The image encoder that the head was fitted on.
        weights: Path of the head, see ``assets.named_path``.
        column: Name of the column to write, such as ``flagged``.

    Raises:
        ConfigError: If the column's name is none, or the head is for another dimension.
        DataError: If the weights cannot be read.
    """
    if not COLUMN_NAME.fullmatch(column) or column in TAKEN:
        raise ConfigError(
            f"linear_probe: column {column!r}: give a name of up to 41 small letters, digits and underscores that "
            f"begins with a letter and is not one of {', '.join(sorted(TAKEN))}"
        )
    path = named_path(weights)
    head = load_head(path)
    if head.weight.shape != (encoder.dim,):
        raise ConfigError(
            f"linear_probe: the head {path.name} takes {head.weight.size} dimensions and the encoder has "
            f"{encoder.dim}; use the encoder it was fitted on"
        )
    return LinearProbe(encoder, column, head, file_sha256(path))


def sigmoid(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return 1 / (1 + exp(-x)): float32 in [0, 1]; NaN for NaN.

    >>> sigmoid(np.float32([0.0, -1000.0, 1000.0])).tolist()
    [0.5, 0.0, 1.0]
    """
    # By tanh, which does not overflow.
    return (0.5 * (1.0 + np.tanh(0.5 * logits.astype(np.float64)))).astype(np.float32)
