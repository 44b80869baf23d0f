"""Samplers on checkpoints: how to build the scheduler that a name stands for, or why there is none.

A name overrides only the solver; noise schedule, prediction type and shift stay the checkpoint's. What a checkpoint
cannot do by a name is an error, never something similar.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from diptych.errors import ConfigError, one_line
from diptych.generate.backends.diffusers.samplers import FLOW_CLASSES, SAMPLERS, SchedulerFacts
from diptych.generate.backends.diffusers.scheduling import refuse_undriven

# What is taken over from a checkpoint's scheduler: its noise schedule and what its denoiser predicts.
KEPT = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "prediction_type")

# What else belongs to a checkpoint's schedule, where it is set: a class that does not know it would lose it.
NEVER_LOST = ("rescale_betas_zero_snr", "snr_shift_scale", "thresholding")
_SAID = {
    "rescale_betas_zero_snr": "zero-SNR schedule",
    "snr_shift_scale": "shift of its signal-to-noise ratio",
    "thresholding": "thresholding",
}
# What bends the sigmas of a flow. Classes of one kind mean the same by it; of a solver of another kind that holds for
# the terminal alone, the others it computes on sigmas of noise models (diffusers, UniPC and DPM-Solver, set_timesteps).
FLOW_SIGMAS = {
    "shift_terminal": "terminal of its shift",
    "invert_sigmas": "inverted sigmas",
    "use_karras_sigmas": "Karras sigmas",
    "use_exponential_sigmas": "exponential sigmas",
    "use_beta_sigmas": "beta sigmas",
}
THRESHOLDING = ("dynamic_thresholding_ratio", "sample_max_value")
# What FLUX computes its shift from when the scheduler does not say otherwise (diffusers, FluxPipeline.__call__).
DYNAMIC_SHIFT: dict[str, Any] = {
    "base_image_seq_len": 256,
    "max_image_seq_len": 4096,
    "base_shift": 0.5,
    "max_shift": 1.15,
}

# Two evaluations of the denoiser a step but for the last one, and one more than steps.
SECOND_ORDER = (
    "DPMSolverSDEScheduler",
    "FlowMatchHeunDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "KDPM2DiscreteScheduler",
)
ONE_MORE = ("PNDMScheduler",)


@dataclass(frozen=True)
class SamplerRecipe:
    """How to build a scheduler.

    Attributes:
        class_name: The diffusers class.
        options: Its options.
        timesteps: Those to pass to the pipeline, where they are explicit.
        sigmas: Those that the scheduler runs through whatever it is told, where the checkpoint's own are of a kind that
            the class does not make.
    """

    class_name: str
    options: Mapping[str, Any]
    timesteps: tuple[int, ...] | None = None
    sigmas: tuple[float, ...] | None = None

    def nfe(self, steps: int) -> int:
        """Return how often an image of ``steps`` steps asks the denoiser, guidance not counted twice."""
        if self.class_name in SECOND_ORDER:
            return 2 * steps - 1
        return steps + (self.class_name in ONE_MORE)


def recipe_for(name: str | None, steps: int, own: SchedulerFacts, pipeline: str) -> SamplerRecipe:
    """Return how to build the scheduler that a name stands for on a checkpoint.

    Args:
        name: One of ``SAMPLERS``; None is the checkpoint's own scheduler, unchanged.
        steps: Of the denoising.
        own: The checkpoint's scheduler.
        pipeline: The class of its pipeline.

    Raises:
        ConfigError: If the checkpoint cannot be sampled by that name; says why.
    """
    if name is None:
        return SamplerRecipe(own.class_name, _known_options(own.class_name, own.config))
    build = _flow_recipe if own.is_flow else _noise_recipe
    recipe = build(name, steps, own, pipeline)
    refuse_undriven(name, build_scheduler(recipe), own, pipeline)
    return recipe


def build_scheduler(recipe: SamplerRecipe) -> Any:
    """Return a new diffusers scheduler.

    Raises:
        ConfigError: If diffusers has no such class, or cannot build one of the options.
    """
    try:
        built = _scheduler_class(recipe.class_name)(**recipe.options)
        if recipe.sigmas is not None:
            built.set_timesteps = functools.partial(_with_sigmas, built.set_timesteps, list(recipe.sigmas))
        return built
    except ConfigError:
        raise
    except Exception as error:  # whatever its code throws at options that are none
        raise ConfigError(f"{recipe.class_name} cannot be built: {one_line(error)}") from error


def reads_eta(class_name: str) -> bool:
    """Return whether a step of a scheduler takes ``eta``; a pipeline drops it silently for any other."""
    scheduler: Any = _scheduler_class(class_name)
    return "eta" in inspect.signature(scheduler.step).parameters


def _noise_recipe(name: str, steps: int, own: SchedulerFacts, pipeline: str) -> SamplerRecipe:
    sampler = SAMPLERS[name]
    if "beta_schedule" not in own.config and own.config.get("trained_betas") is None:
        raise ConfigError(
            f"sampler {name}: {own.class_name} of this checkpoint has no noise schedule that could be taken over; "
            f"leave the sampler out"
        )
    options = {key: own.config[key] for key in KEPT if key in own.config} | dict(sampler.options)
    known = _parameters(sampler.class_name)
    for key in (key for key in NEVER_LOST if own.config.get(key) not in (None, False)):
        if key not in known:
            raise ConfigError(f"sampler {name}: {sampler.class_name} does not know this checkpoint's {_SAID[key]}")
        options |= {
            one: own.config[one] for one in (key, *(THRESHOLDING if key == "thresholding" else ())) if one in own.config
        }
    if own.is_trailing:
        if sampler.own_sigmas:
            raise ConfigError(
                f"sampler {name}: this checkpoint samples with trailing timesteps, where Karras sigmas are another "
                f"schedule than it was made for; take dpmpp_2m, or leave the sampler out"
            )
        return SamplerRecipe(sampler.class_name, options | {"timestep_spacing": "trailing"})
    if sampler.spacing is not None:
        options["timestep_spacing"] = sampler.spacing
    timesteps = (
        _even_timesteps(steps, int(options.get("num_train_timesteps", 1000))) if sampler.even_timesteps else None
    )
    return SamplerRecipe(sampler.class_name, options, timesteps)


def _flow_recipe(name: str, steps: int, own: SchedulerFacts, pipeline: str) -> SamplerRecipe:
    sampler = SAMPLERS[name]
    if sampler.flow is None:
        able = ", ".join(other for other, entry in SAMPLERS.items() if entry.flow)
        raise ConfigError(f"sampler {name}: there is none for flow models such as {pipeline}; known there: {able}")
    if sampler.flow in FLOW_CLASSES:
        return _flow_match_recipe(name, steps, own)
    is_dynamic = bool(own.config.get("use_dynamic_shifting"))
    bent = _bent_sigmas(name, sampler.flow, own)
    shift = _shift(name, own, pipeline, is_dynamic=is_dynamic)
    return SamplerRecipe(sampler.flow, dict(sampler.flow_options) | bent | shift)


def _flow_match_recipe(name: str, steps: int, own: SchedulerFacts) -> SamplerRecipe:
    """Return a recipe of a flow-match class: with the checkpoint's options, or through the sigmas of its own solver."""
    flow, options = str(SAMPLERS[name].flow), dict(SAMPLERS[name].flow_options)
    is_dynamic = bool(own.config.get("use_dynamic_shifting"))
    if own.class_name in FLOW_CLASSES:
        _bent_sigmas(name, flow, own)
        options = _known_options(flow, own.config) | options
        if is_dynamic and "use_dynamic_shifting" not in options:
            raise ConfigError(f"sampler {name}: {flow} does not know this checkpoint's dynamic shifting")
        return SamplerRecipe(flow, options)
    if is_dynamic or "sigmas" not in inspect.signature(_scheduler_class(flow).set_timesteps).parameters:  # type: ignore[attr-defined]
        raise ConfigError(f"sampler {name}: {flow} cannot run through the sigmas of this checkpoint's {own.class_name}")
    built = build_scheduler(SamplerRecipe(own.class_name, _known_options(own.class_name, own.config)))
    built.set_timesteps(steps)
    sigmas = tuple(float(sigma) for sigma in built.sigmas[:-1])  # shifted already, so that nothing shifts them again
    trained = int(own.config.get("num_train_timesteps", 1000))
    return SamplerRecipe(flow, options | {"shift": 1.0, "num_train_timesteps": trained}, sigmas=sigmas)


def _bent_sigmas(name: str, class_name: str, own: SchedulerFacts) -> dict[str, Any]:
    """Return the options by which a class bends the sigmas of a flow as the checkpoint's own scheduler does.

    Raises:
        ConfigError: If it cannot.
    """
    is_same_kind = (class_name in FLOW_CLASSES) == (own.class_name in FLOW_CLASSES)
    able = _parameters(class_name) & (set(FLOW_SIGMAS) if is_same_kind else {"shift_terminal"})
    found = {key: own.config[key] for key in FLOW_SIGMAS if own.config.get(key) not in (None, False)}
    for key in found:
        if key not in able:
            raise ConfigError(f"sampler {name}: {class_name} does not take this checkpoint's {FLOW_SIGMAS[key]}")
    return found


def _shift(name: str, own: SchedulerFacts, pipeline: str, *, is_dynamic: bool) -> dict[str, Any]:
    """Return the options that give a solver of another class the checkpoint's own shift."""
    if is_dynamic:
        ordinary = all(own.config.get(key, value) == value for key, value in DYNAMIC_SHIFT.items())
        if not ordinary or own.config.get("time_shift_type", "exponential") != "exponential":
            raise ConfigError(f"sampler {name}: this checkpoint's dynamic shifting cannot be handed to it; take euler")
        return {"use_dynamic_shifting": True, "time_shift_type": "exponential"}
    # A flow-match class calls it shift, a solver of another kind flow_shift.
    return {"flow_shift": float(own.config.get("flow_shift", own.config.get("shift", 1.0)))}


def _with_sigmas(set_timesteps: Callable[..., None], sigmas: list[float], *args: Any, **named: Any) -> None:
    """Set the timesteps of a scheduler to those of some sigmas; of what a pipeline passes only the device counts."""
    device = named.get("device", args[1] if len(args) > 1 else None)
    set_timesteps(sigmas=sigmas, device=device)


def _even_timesteps(steps: int, train_timesteps: int) -> tuple[int, ...]:
    """Return round(linspace(last, 0, steps)): k-diffusion's schedule in whole timesteps."""
    import numpy as np

    return tuple(np.linspace(train_timesteps - 1, 0, steps).round().astype(int).tolist())


def _known_options(class_name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    known = _parameters(class_name)
    return {key: value for key, value in config.items() if key in known}


def _parameters(class_name: str) -> set[str]:
    return set(inspect.signature(_scheduler_class(class_name).__init__).parameters) - {"self", "kwargs"}


def _scheduler_class(class_name: str) -> Callable[..., Any]:
    import diffusers

    found = getattr(diffusers, class_name, None)
    if not class_name.endswith("Scheduler") or found is None:
        raise ConfigError(f"diffusers {diffusers.__version__} has no scheduler {class_name!r}")
    return found  # type: ignore[no-any-return]
