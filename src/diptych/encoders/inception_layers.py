"""The three layers of Inception that its users look at, and how long their vectors are.

``pool3`` is the mean over positions of the last block, of FID. ``logits`` are those of the classifier without its bias,
as the Inception score takes them (``logits_unbiased`` of torch-fidelity). ``spatial`` keeps positions, for sFID: the
first seven channels of ``mixed_6/conv`` at 17 x 17 places (``evaluator.py`` of openai/guided-diffusion).
"""

from typing import Literal, NamedTuple

Layer = Literal["logits", "pool3", "spatial"]

SPATIAL_CHANNELS = 7


class LayerFacts(NamedTuple):
    """What the identity of the encoder says of a layer, and the length of its vector."""

    said: str
    dim: int


LAYERS: dict[Layer, LayerFacts] = {
    "logits": LayerFacts("logits without bias", 1008),
    "pool3": LayerFacts("pool3", 2048),
    "spatial": LayerFacts(f"mixed_6/conv, {SPATIAL_CHANNELS} channels", SPATIAL_CHANNELS * 17 * 17),
}
