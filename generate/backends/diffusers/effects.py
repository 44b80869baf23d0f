"""Whether the axes of a setting do anything in a pipeline that nobody has looked into: tried by a few steps."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from diptych.errors import ConfigError
from diptych.generate.backends.asked import ImageGroup
from diptych.generate.backends.diffusers.resolve import Binding

FURTHER = 10.0  # added to guidance, so that one of the two values is above any threshold
OTHER_TEXT = "something else altogether"


def refuse_without_effect(
    group: ImageGroup, arguments: Mapping[str, Any], first_steps: Callable[[Mapping[str, Any]], Any]
) -> None:
    """Refuse a setting of which an axis changes no pixel.

    Args:
        group: What is asked for.
        arguments: Of the pipeline's call.
        first_steps: Returns the pictures of a call that ends after its first steps, as the pipeline gives them.

    Raises:
        ConfigError: If another value of an axis gives the same pictures; names it.
    """
    others = dict(_others(group, arguments))
    if not others:
        return
    given = first_steps(arguments)
    for axis, other in others.items():
        if np.array_equal(given, first_steps(other), equal_nan=True):
            raise ConfigError(f"{group.label}: {axis} has no effect in this pipeline; leave it out of its settings")


def _others(group: ImageGroup, arguments: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    binding: Binding = group.resolved.recipe
    setting = group.resolved.setting
    if setting.guidance is not None:
        yield f"guidance {setting.guidance:g}", {**arguments, binding.guidance: setting.guidance + FURTHER}
    if setting.negative is not None:
        texts = [OTHER_TEXT] * group.batch_size
        yield "the negative prompt", {**arguments, "negative_prompt": texts}
