"""A picture is prepared once and seen once for all questions about it, where a model of transformers allows it.

What the vision tower says of a picture is handed to the model as ``mm_encoder_outputs``, transformers' own argument for
it, in the place of the pixels. A model that does not take it, or whose tower says it in another form, sees the picture
again with every question; ``why_not_shared`` says why.
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

PIXELS = "pixel"  # how the names of a processor's arrays begin that only the vision tower reads


class PreparesOnce:
    """An image processor that gives what it made of a picture again, until it is told to forget it."""

    def __init__(self, real: Any) -> None:
        """Stand before an image processor of transformers."""
        self._real = real
        self._made: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the processor makes of a picture."""
        if self._made is None:
            self._made = self._real(*args, **kwargs)
        return self._made.copy()

    def __getattr__(self, name: str) -> Any:
        """Be the processor in everything else."""
        return getattr(self._real, name)

    def forget(self) -> None:
        """Make the next picture anew."""
        self._made = None


def why_not_shared(network: Any) -> str | None:
    """Return why a model cannot be handed what its vision tower said; None where it can."""
    name = type(network).__name__
    if "mm_encoder_outputs" not in inspect.signature(network.forward).parameters:
        return f"{name} takes no mm_encoder_outputs"
    if not hasattr(network.base_model, "get_image_features"):
        return f"{name} has no get_image_features"
    return None


def seen(network: Any, given: Mapping[str, Any]) -> Any:
    """Return what the vision tower says of one picture, an output of transformers.

    Args:
        network: The model.
        given: What a processor made of the picture and a question, on the model's device.
    """
    tower = network.base_model.get_image_features
    taken = inspect.signature(tower).parameters
    return tower(**{name: value for name, value in given.items() if name in taken}, return_dict=True)


def can_be_joined(output: Any) -> bool:
    """Return whether an output of a vision tower has a form that ``joined`` knows."""
    layers = getattr(output, "deepstack_features", None)
    return _is_known(getattr(output, "pooler_output", None)) and (
        layers is None or (isinstance(layers, list | tuple) and all(_is_known(layer) for layer in layers))
    )


def joined(outputs: Sequence[Any]) -> Any:
    """Return what the vision tower said of some pictures as if it had seen them together."""
    first = outputs[0]
    parts = {**first, "pooler_output": _one_after_another([output.pooler_output for output in outputs])}
    if getattr(first, "deepstack_features", None) is not None:
        layers = zip(*(output.deepstack_features for output in outputs), strict=True)
        parts["deepstack_features"] = [_one_after_another(layer) for layer in layers]
    return type(first)(**parts)


def _is_known(value: Any) -> bool:
    import torch

    if isinstance(value, list | tuple):
        return all(isinstance(one, torch.Tensor) for one in value)
    return isinstance(value, torch.Tensor)


def _one_after_another(values: Sequence[Any]) -> Any:
    import torch

    if isinstance(values[0], torch.Tensor):
        return torch.cat(list(values))
    return [one for value in values for one in value]
