"""Which family drives a pipeline: what is different between pipelines lies in a class of each family.

To add one: a module with a class, a line here, a test. Pipelines without one run through ``AnyPipeline``, one image at
a time, because nobody has checked that the images of a batch are kept apart.
"""

from diptych.generate.backends.diffusers.any_pipeline import AnyPipeline
from diptych.generate.backends.diffusers.flux import Flux
from diptych.generate.backends.diffusers.resolve import PipelineFamily
from diptych.generate.backends.diffusers.stable_diffusion import StableDiffusion, StableDiffusion3, StableDiffusionXL

# Pipelines whose images are known not to depend on their neighbours in a batch; any other runs through AnyPipeline.
FAMILIES: dict[str, type[PipelineFamily]] = {
    "FluxPipeline": Flux,
    "StableDiffusion3Pipeline": StableDiffusion3,
    "StableDiffusionPipeline": StableDiffusion,
    "StableDiffusionXLPipeline": StableDiffusionXL,
}


def family_of(pipeline: str) -> PipelineFamily:
    """Return the family of a pipeline class."""
    return FAMILIES.get(pipeline, AnyPipeline)()
