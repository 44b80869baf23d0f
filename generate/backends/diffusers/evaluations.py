"""How often the denoisers of a pipeline are asked for an image: guidance, perturbed attention and priors counted."""

from collections.abc import Mapping
from typing import Any

PRIOR_GUIDANCE = "prior_guidance_scale"
PRIOR_STEPS = "prior_num_inference_steps"


def nfe_in_all(
    nfe: int, arguments: Mapping[str, Any], *, guidance: str, guides: bool, has_negative: bool = False
) -> int:
    """Return how often an image asks the denoisers of a pipeline, in rows of their batches.

    >>> nfe_in_all(20, {}, guidance="guidance_scale", guides=True)
    40
    >>> nfe_in_all(20, {"pag_scale": 3.0}, guidance="guidance_scale", guides=True)
    60

    Args:
        nfe: Evaluations of the last stage, guidance not counted twice.
        arguments: What the pipeline's call is given or takes by default, apart from the axes of a setting.
        guidance: The argument that guidance is bound to.
        guides: Whether guidance asks twice.
        has_negative: Whether there is a negative prompt, of which Kandinsky's prior makes an embedding of its own.
    """
    perturbed = _number(arguments, "pag_scale") > 0  # a further row, without attention (Ahn et al. 2024)
    prior = int(_number(arguments, PRIOR_STEPS))
    if guidance == PRIOR_GUIDANCE:  # as of Cascade, whose last stage has guidance of its own
        return prior * (1 + guides) + nfe * (1 + (_number(arguments, "decoder_guidance_scale") > 1))
    of_prior = prior * (1 + (_number(arguments, PRIOR_GUIDANCE) > 1)) * (1 + has_negative)
    return of_prior + nfe * (1 + guides + perturbed)


def _number(arguments: Mapping[str, Any], name: str) -> float:
    value = arguments.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
