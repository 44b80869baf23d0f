"""Which weights judges, encoders and scores will hold, so that their memory is known before the first picture."""

from collections.abc import Iterator
from typing import Any

from diptych.pretrained.folder import PretrainedFolder
from diptych.pretrained.memory import HeldWeights

PARTS = ("detector", "encoder", "colours")  # of a maker, which may have weights of their own


def weights_of(maker: Any) -> Iterator[HeldWeights]:
    """Yield what a judge, an encoder or a score will load: of itself, and of those that it asks."""
    yield from own_weights(maker)
    for name in PARTS:
        if (part := getattr(maker, name, None)) is not None:
            yield from weights_of(part)


def own_weights(maker: Any) -> Iterator[HeldWeights]:
    """Yield what one will load itself.

    It says so by ``held_weights``, or has a ``model`` of transformers with ``precision`` and ``device``.
    """
    if isinstance(held := getattr(maker, "held_weights", None), HeldWeights):
        yield held
    elif isinstance(model := getattr(maker, "model", None), PretrainedFolder):
        yield model.held(maker.precision, maker.device)


def files_sha256_of(maker: Any) -> Iterator[str]:
    """Yield what the identity of a judge or an encoder names that is known without reading weights.

    That is the sha256 of the files beside the weights of each model of transformers which it has.
    """
    if not hasattr(maker, "held_weights") and isinstance(model := getattr(maker, "model", None), PretrainedFolder):
        yield model.described["files_sha256"]
    for name in PARTS:
        if (part := getattr(maker, name, None)) is not None:
            yield from files_sha256_of(part)
