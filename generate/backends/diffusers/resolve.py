"""How a setting is bound to one model, and what the program has to know of a kind of pipeline for it.

A family resolves a setting for a model or refuses it; nothing that was asked for is ever dropped in silence.
"""

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from diptych.config.identity import fingerprint
from diptych.errors import ConfigError
from diptych.generate.backends.asked import ResolvedSetting, Setting, Size
from diptych.generate.backends.diffusers.models import ModelFolder, pipeline_class
from diptych.generate.backends.diffusers.recipes import SamplerRecipe, build_scheduler, reads_eta, recipe_for

Tensors = tuple[Any, ...]

NOT_OPTIONS = {"self", "args", "kwargs"}


class Binding(NamedTuple):
    """How a setting is bound to the call of a pipeline.

    Attributes:
        sampler: How to build the scheduler.
        guidance: The argument that guidance is passed as.
        fixed: Further arguments that are always passed, so that what was asked for is what is made.
        is_known: Whether it is known what the arguments do; else that is tried before an image counts.
    """

    sampler: SamplerRecipe
    guidance: str = "guidance_scale"
    fixed: Mapping[str, Any] = {}
    is_known: bool = True


def with_identity(folder: ModelFolder, resolved: ResolvedSetting) -> ResolvedSetting:
    """Return a setting with the hash of what decides pixels, text, seed and model apart."""
    binding: Binding = resolved.recipe
    recipe = binding.sampler
    built = dict(build_scheduler(recipe).config)
    if built.get("timestep_spacing") != "leading" or recipe.timesteps is not None:
        built.pop("steps_offset", None)  # read for no other spacing
    if recipe.timesteps is not None:
        built.pop("timestep_spacing", None)
    # repr: an infinity is no JSON, and a default of the library may be anything.
    known = {key: repr(value) for key, value in built.items() if not key.startswith("_")}
    identity = fingerprint(
        {
            "scheduler": [recipe.class_name, known, recipe.timesteps, recipe.sigmas],
            "steps": resolved.steps,
            "guidance": resolved.guidance if resolved.counts else None,
            "guides": resolved.guides,
            "size": resolved.size,
            "options": {**binding.fixed, **folder.choice.options},
            "noise": "one CPU generator per image",
        }
    )
    return replace(resolved, identity=identity)


class PipelineFamily(Protocol):
    """What the program has to know of a kind of pipeline."""

    batches: bool  # whether the images of a batch are known to be kept apart

    def resolve(self, folder: ModelFolder, setting: Setting) -> ResolvedSetting:
        """Return the setting as this model takes it.

        Raises:
            ConfigError: If the model cannot do what the setting asks for.
        """
        ...

    def width(self, folder: ModelFolder) -> int:
        """Return how many numbers the denoiser keeps of an image where they are fewest."""
        ...

    def token_ids(self, folder: ModelFolder, tokenizers: Mapping[str, Any], text: str) -> Mapping[str, Any]:
        """Return what the text encoders read of a text."""
        ...

    def text_lengths(self, folder: ModelFolder, tokenizers: Mapping[str, Any]) -> Mapping[str, int]:
        """Return how many ids are read of a text, by tokenizer, where that is known."""
        ...

    def negative_ids(self, folder: ModelFolder, tokenizers: Mapping[str, Any], text: str | None) -> Any:
        """Return what the text encoders read of a negative prompt."""
        ...

    def encode(self, pipe: Any, text: str, options: Mapping[str, Any]) -> Tensors:
        """Return the tensors of a prompt, each with a first axis of one."""
        ...

    def encode_negative(self, pipe: Any, text: str | None, options: Mapping[str, Any]) -> Tensors:
        """Return the tensors of a negative prompt."""
        ...

    def arguments(self, texts: list[Tensors], negatives: list[Tensors] | None) -> dict[str, Any]:
        """Return the arguments of the pipeline's call for a batch of texts."""
        ...


def call_defaults(folder: ModelFolder) -> dict[str, Any]:
    """Return the parameters of the pipeline's call with their defaults."""
    parameters = inspect.signature(pipeline_class(folder).__call__).parameters
    return {name: parameter.default for name, parameter in parameters.items() if name not in NOT_OPTIONS}


def check_sides(folder: ModelFolder, size: Size, multiple: int) -> None:
    """Raise a ConfigError for a size of which a side is no multiple of what the pipeline makes."""
    if size.width % multiple or size.height % multiple:
        raise ConfigError(
            f"{folder.where}: {folder.pipeline} makes sides that are multiples of {multiple}, "
            f"not {size.width}x{size.height}"
        )


def resolve_recipe(folder: ModelFolder, sampler: str | None, steps: int) -> SamplerRecipe:
    """Return the recipe of a sampler on a model, after a trial with that many steps.

    Raises:
        ConfigError: If the model cannot be sampled by it, or an option of the model would be lost on it.
    """
    try:
        recipe = recipe_for(sampler, steps, folder.scheduler, folder.pipeline)
        built = build_scheduler(recipe)
    except ConfigError as error:
        raise ConfigError(f"{folder.where}: {error}") from error
    if recipe.timesteps is not None and "timesteps" not in call_defaults(folder):
        raise ConfigError(f"{folder.where}: {folder.pipeline} takes no timesteps, which {sampler} needs")
    if "mu" in folder.choice.options and not built.config.get("use_dynamic_shifting"):
        raise ConfigError(
            f"{folder.where}.options: mu is read only with use_dynamic_shifting in the scheduler's config; leave it out"
        )
    if "eta" in folder.choice.options and not reads_eta(recipe.class_name):
        raise ConfigError(
            f"{folder.where}.options: {recipe.class_name} ({sampler or 'its own sampler'}) reads no eta; "
            f"it is for the sampler ddim: leave it out, or give it to a label of its own with settings of ddim alone"
        )
    trained = int(recipe.options.get("num_train_timesteps") or 1000)
    if steps > trained and not folder.scheduler.is_flow:  # the time of a flow is continuous
        raise ConfigError(f"{folder.where}: {steps} steps; its schedule has {trained}")
    if recipe.class_name == "DDIMScheduler":  # its first step lies an offset beyond the others
        built.set_timesteps(steps)
        if int(max(built.timesteps)) >= trained:
            raise ConfigError(f"{folder.where}: {steps} steps begin beyond its schedule of {trained}; take fewer")
    return recipe
