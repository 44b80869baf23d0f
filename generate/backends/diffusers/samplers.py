"""Sampler names: what each stands for on noise-predicting and on flow models, and how often it asks the denoiser.

A name overrides only the solver; noise schedule, prediction type and shift stay the checkpoint's. What a checkpoint
cannot do by a name is an error, never something similar. The table follows A1111's and ComfyUI's names. On noise
models euler, euler_a, heun and the two dpmpp_2m end where k-diffusion's methods of these names do
(tests/generate/backends/diffusers/test_sampler_reference.py); ddim, unipc and the flow rows are diffusers' own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from diptych.errors import ConfigError

# What is taken over from a checkpoint's scheduler: its noise schedule and what its denoiser predicts.
KEPT = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "prediction_type")

FLOW_CLASSES = ("FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler", "FlowMatchLCMScheduler")
FLOW = {"prediction_type": "flow_prediction", "use_flow_sigmas": True}
# What FLUX computes its shift from when the scheduler does not say otherwise (diffusers, FluxPipeline.__call__).
DYNAMIC_SHIFT = {"base_image_seq_len": 256, "max_image_seq_len": 4096, "base_shift": 0.5, "max_shift": 1.15}

# Two evaluations of the denoiser a step but for the last one, and one more than steps.
SECOND_ORDER = (
    "DPMSolverSDEScheduler",
    "FlowMatchHeunDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "KDPM2DiscreteScheduler",
)
ONE_MORE = ("PNDMScheduler",)


class SchedulerFacts(NamedTuple):
    """The scheduler that a checkpoint was saved with."""

    class_name: str
    config: Mapping[str, Any]

    @property
    def is_flow(self) -> bool:
        """Whether the checkpoint is a flow-matching model."""
        return self.class_name in FLOW_CLASSES or self.config.get("prediction_type") == "flow_prediction"

    @property
    def is_trailing(self) -> bool:
        """Whether it samples from the very last timestep on, as distilled and zero-SNR checkpoints do."""
        return self.config.get("timestep_spacing") == "trailing"


@dataclass(frozen=True)
class SamplerRecipe:
    """How to build a scheduler: a diffusers class, its options, and the timesteps to pass where they are explicit."""

    class_name: str
    options: Mapping[str, Any]
    timesteps: tuple[int, ...] | None = None

    def nfe(self, steps: int) -> int:
        """Return how often an image of ``steps`` steps asks the denoiser, guidance not counted twice."""
        if self.class_name in SECOND_ORDER:
            return 2 * steps - 1
        return steps + (self.class_name in ONE_MORE)


@dataclass(frozen=True)
class Sampler:
    """One name.

    Attributes:
        class_name: The diffusers class for noise-predicting models.
        options: Its options beside those of the checkpoint.
        spacing: Its timestep spacing, unless the checkpoint's is trailing; None leaves the class's default.
        even_timesteps: Whether round(linspace(last, 0, steps)) is passed, as no spacing gives it.
        own_sigmas: Whether it brings a noise schedule of its own, which no trailing checkpoint was made for.
        flow: The diffusers class for flow models; None where there is no such sampler.
        flow_options: Its options.
        flow_without: Pipeline classes that refuse it on flow models.
    """

    class_name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    spacing: str | None = "linspace"
    even_timesteps: bool = False
    own_sigmas: bool = False
    flow: str | None = None
    flow_options: Mapping[str, Any] = field(default_factory=dict)
    flow_without: tuple[str, ...] = ()


_MULTISTEP = {"algorithm_type": "dpmsolver++", "solver_order": 2}

# To add one: a line here (alphabetical), a line in docs/generate.md, a test that compares it with its reference.
SAMPLERS: dict[str, Sampler] = {
    "ddim": Sampler(
        "DDIMScheduler", {"clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}, spacing="leading"
    ),
    "dpmpp_2m": Sampler(
        "DPMSolverMultistepScheduler",
        _MULTISTEP,
        spacing=None,
        even_timesteps=True,
        flow="DPMSolverMultistepScheduler",
        flow_options=_MULTISTEP | FLOW,
    ),
    "dpmpp_2m_karras": Sampler(
        "DPMSolverMultistepScheduler", _MULTISTEP | {"use_karras_sigmas": True}, own_sigmas=True
    ),
    "euler": Sampler("EulerDiscreteScheduler", flow="FlowMatchEulerDiscreteScheduler"),
    "euler_a": Sampler(
        "EulerAncestralDiscreteScheduler",
        flow="FlowMatchEulerDiscreteScheduler",
        flow_options={"stochastic_sampling": True},
    ),
    "heun": Sampler("HeunDiscreteScheduler", flow="FlowMatchHeunDiscreteScheduler", flow_without=("FluxPipeline",)),
    "unipc": Sampler(
        "UniPCMultistepScheduler",
        {"solver_type": "bh2"},
        flow="UniPCMultistepScheduler",
        flow_options={"solver_type": "bh2"} | FLOW,
    ),
}


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
    return build(name, steps, own, pipeline)


def build_scheduler(recipe: SamplerRecipe) -> Any:
    """Return a new diffusers scheduler.

    Raises:
        ConfigError: If diffusers has no such class or does not take the options.
    """
    try:
        return _scheduler_class(recipe.class_name)(**recipe.options)
    except (TypeError, ValueError, NotImplementedError, ImportError) as error:
        raise ConfigError(f"{recipe.class_name} cannot be built: {error}") from error


def reads_eta(class_name: str) -> bool:
    """Return whether a step of a scheduler takes ``eta``; a pipeline drops it silently for any other."""
    import inspect

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
    if own.config.get("rescale_betas_zero_snr"):
        if "rescale_betas_zero_snr" not in known:
            raise ConfigError(f"sampler {name}: {sampler.class_name} does not know this checkpoint's zero-SNR schedule")
        options["rescale_betas_zero_snr"] = True
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
        able = ", ".join(
            other for other, entry in SAMPLERS.items() if entry.flow and pipeline not in entry.flow_without
        )
        raise ConfigError(f"sampler {name}: there is none for flow models such as {pipeline}; known there: {able}")
    if pipeline in sampler.flow_without:
        raise ConfigError(f"sampler {name}: {pipeline} does not take it (it passes sigmas that {sampler.flow} refuses)")
    is_dynamic = bool(own.config.get("use_dynamic_shifting"))
    if sampler.flow in FLOW_CLASSES:
        options = _known_options(sampler.flow, own.config) | dict(sampler.flow_options)
        if is_dynamic and "use_dynamic_shifting" not in options:
            raise ConfigError(f"sampler {name}: {sampler.flow} does not know this checkpoint's dynamic shifting")
        return SamplerRecipe(sampler.flow, options)
    return SamplerRecipe(sampler.flow, dict(sampler.flow_options) | _shift(name, own, pipeline, is_dynamic=is_dynamic))


def _shift(name: str, own: SchedulerFacts, pipeline: str, *, is_dynamic: bool) -> dict[str, Any]:
    """Return the options that give a solver of another class the checkpoint's own shift."""
    if is_dynamic:
        ordinary = all(own.config.get(key, value) == value for key, value in DYNAMIC_SHIFT.items())
        if not ordinary or own.config.get("time_shift_type", "exponential") != "exponential":
            raise ConfigError(f"sampler {name}: this checkpoint's dynamic shifting cannot be handed to it; take euler")
        return {"use_dynamic_shifting": True, "time_shift_type": "exponential"}
    if pipeline == "FluxPipeline":
        raise ConfigError(f"sampler {name}: FluxPipeline needs dynamic shifting for it, which this checkpoint lacks")
    return {"flow_shift": float(own.config.get("shift", 1.0))}


def _even_timesteps(steps: int, train_timesteps: int) -> tuple[int, ...]:
    """Return round(linspace(last, 0, steps)): k-diffusion's schedule in whole timesteps."""
    import numpy as np

    return tuple(np.linspace(train_timesteps - 1, 0, steps).round().astype(int).tolist())


def _known_options(class_name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    known = _parameters(class_name)
    return {key: value for key, value in config.items() if key in known}


def _parameters(class_name: str) -> set[str]:
    import inspect

    return set(inspect.signature(_scheduler_class(class_name).__init__).parameters) - {"self", "kwargs"}


def _scheduler_class(class_name: str) -> Callable[..., Any]:
    import diffusers

    found = getattr(diffusers, class_name, None)
    if not class_name.endswith("Scheduler") or found is None:
        raise ConfigError(f"diffusers {diffusers.__version__} has no scheduler {class_name!r}")
    return found  # type: ignore[no-any-return]
