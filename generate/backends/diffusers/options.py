"""Options of a model: arguments of its pipeline's call that the pipeline has, and that take part in a picture."""

from collections.abc import Mapping
from typing import Any

from diptych.errors import ConfigError
from diptych.generate.backends.diffusers.models import ModelFolder
from diptych.lookup import describe_unknown
from diptych.pretrained.libraries import import_library

# Options that a pipeline reads in steps that ask the denoiser twice, and drops silently in others.
GUIDED_OPTIONS = (
    "cfg_normalization",
    "cfg_trunc_ratio",
    "cfg_truncation",
    "guidance_rescale",
    "negative_crops_coords_top_left",
    "negative_original_size",
    "negative_target_size",
    "skip_guidance_layers",
    "skip_layer_guidance_scale",
    "skip_layer_guidance_start",
    "skip_layer_guidance_stop",
)

# Option -> those that it is read together with alone.
NEEDS = {
    "negative_crops_coords_top_left": ("negative_original_size", "negative_target_size"),
    "negative_original_size": ("negative_target_size",),
    "negative_target_size": ("negative_original_size",),
    "skip_layer_guidance_scale": ("skip_guidance_layers",),
    "skip_layer_guidance_start": ("skip_guidance_layers",),
    "skip_layer_guidance_stop": ("skip_guidance_layers",),
}

# What is read for something that no model here is given.
_ADAPTERS = "is for adapters, of which none is loaded"
_IMAGES = "is for input images, of which there are none"
FOR_OTHERS = {
    "attention_kwargs": _ADAPTERS,
    "cross_attention_kwargs": _ADAPTERS,
    "img_guidance_scale": _IMAGES,
    "joint_attention_kwargs": _ADAPTERS,
    "use_input_image_size_as_output": _IMAGES,
}

# Guidance of another stage or kind that is off unless it is above 1; where guidance itself is bound to one of these
# (Qwen-Image), its own rules hold.
ABOVE_ONE = ("decoder_guidance_scale", "true_cfg_scale")
CLEANING = "clean_caption"


def check_options(folder: ModelFolder, defaults: Mapping[str, Any], *, guidance: str = "guidance_scale") -> None:
    """Check that the pipeline's call has the options of a model, and that each takes part.

    Args:
        folder: The model.
        defaults: The parameters of the call with their defaults.
        guidance: The parameter that guidance is bound to.

    Raises:
        ConfigError: For an option that is unknown, or would change no picture.
    """
    options = folder.choice.options
    for name, value in options.items():
        if name not in defaults:
            raise ConfigError(f"{folder.where}.options: {describe_unknown('option', name, defaults)}")
        lacking = " and ".join(other for other in NEEDS.get(name, ()) if not options.get(other))
        if lacking:
            raise ConfigError(f"{folder.where}.options: {name} needs {lacking}, without which it is ignored")
        if name in FOR_OTHERS:
            raise ConfigError(f"{folder.where}.options: {name} {FOR_OTHERS[name]}; leave it out")
        if name in ABOVE_ONE and name != guidance and isinstance(value, int | float) and value <= 1:
            raise ConfigError(f"{folder.where}.options: {name} takes part only above 1, not with {value:g}")
    if options.get(CLEANING) and not can_clean():
        raise ConfigError(
            f"{folder.where}.options: {CLEANING} needs two packages, without which it is ignored; "
            f"run: pip install beautifulsoup4 ftfy"
        )


def can_clean() -> bool:
    """Return whether the packages are there by which pipelines clean captions; without them they do not, by default."""
    utils = import_library("diffusers").utils
    return bool(utils.is_bs4_available() and utils.is_ftfy_available())


def refuse_guided(folder: ModelFolder, guidance: float | None) -> None:
    """Refuse options that take no part without guidance.

    Raises:
        ConfigError: If there is one; names it.
    """
    for name in GUIDED_OPTIONS:
        if name in folder.choice.options:
            given = "" if guidance is None else f" {guidance:g}"
            raise ConfigError(
                f"{folder.where}.options: {name} takes part only in guided steps, and with guidance{given} there "
                f"are none; leave it out, or give it to a label of its own with settings of more guidance alone"
            )
