"""How pipelines drive their schedulers: what they pass, read and leave out, so that a sampler fits or is refused."""

import inspect
from dataclasses import dataclass, field
from typing import Any, Literal

from diptych.errors import ConfigError
from diptych.generate.backends.diffusers.samplers import FLOW_CLASSES, SchedulerFacts

# When a pipeline passes sigmas of its own: never, always, or unless the scheduler makes flow sigmas itself.
OwnSigmas = Literal["never", "always", "unless_flow"]


@dataclass(frozen=True)
class Scheduling:
    """What a pipeline does with its scheduler.

    Attributes:
        sigmas: When it passes sigmas of its own.
        passes_mu: Whether it passes a shift computed from the size, asked for or not.
        scales_input: Whether it scales what the denoiser gets, as samplers in the space of sigmas need it.
        passes: Further arguments with which it sets the timesteps, which not every scheduler takes.
        passes_generator: Whether every step gets a generator, which not every scheduler takes.
        reads: Options of the scheduler that it reads, which not every one has.
        refused: Samplers that it fails with for another reason: that reason.
    """

    sigmas: OwnSigmas = "never"
    passes_mu: bool = False
    scales_input: bool = True
    passes: tuple[str, ...] = ()
    passes_generator: bool = False
    reads: tuple[str, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)


_FLUX = Scheduling(sigmas="unless_flow", passes_mu=True)
_SIGMAS_AND_SHIFT = Scheduling(sigmas="always", passes_mu=True)
_SIGMAS = Scheduling(sigmas="always")

# Pipelines that do more than set steps and take them. To add one: a line here (alphabetical), a test.
SCHEDULING: dict[str, Scheduling] = {
    "BriaPipeline": _SIGMAS,
    "ChromaPipeline": _SIGMAS_AND_SHIFT,
    "CogView4Pipeline": _SIGMAS_AND_SHIFT,
    "Flux2KleinPipeline": _FLUX,
    "FluxPipeline": _FLUX,
    "HiDreamImagePipeline": Scheduling(passes_mu=True),
    "HunyuanImagePipeline": _SIGMAS,
    "IFPipeline": Scheduling(reads=("variance_type",)),
    "Kandinsky3Pipeline": Scheduling(
        scales_input=False,
        passes_generator=True,
        refused={"dpmpp_2m_karras": "its steps meet on one whole timestep, where the pipeline loses count"},
    ),
    "KandinskyV22CombinedPipeline": Scheduling(scales_input=False, passes_generator=True),
    "Krea2Pipeline": _SIGMAS_AND_SHIFT,
    "LatentConsistencyModelPipeline": Scheduling(scales_input=False, passes=("original_inference_steps",)),
    "Lumina2Pipeline": _SIGMAS_AND_SHIFT,
    "OmniGenPipeline": _SIGMAS,
    "OvisImagePipeline": _FLUX,
    "QwenImagePipeline": _SIGMAS_AND_SHIFT,
    "ZImagePipeline": _SIGMAS_AND_SHIFT,
}


def refuse_undriven(name: str, scheduler: Any, own: SchedulerFacts, pipeline: str) -> None:
    """Refuse a sampler that a pipeline cannot drive, or would drive to garbage.

    Args:
        name: Of the sampler.
        scheduler: What it stands for.
        own: The checkpoint's scheduler.
        pipeline: The class of its pipeline.

    Raises:
        ConfigError: With the reason.
    """
    how, kind = SCHEDULING.get(pipeline, Scheduling()), type(scheduler).__name__
    taken = inspect.signature(scheduler.set_timesteps).parameters
    is_dynamic, makes_sigmas = own.config.get("use_dynamic_shifting"), scheduler.config.get("use_flow_sigmas")
    reason = how.refused.get(name, "")
    if how.sigmas == "always" or (how.sigmas == "unless_flow" and not makes_sigmas):
        reason = reason or _unless("sigmas" in taken, f"it passes sigmas that {kind} refuses")
    if how.passes_mu and kind in FLOW_CLASSES:
        reason = reason or _unless("mu" in taken, f"it passes a shift that {kind} refuses")
    elif how.passes_mu:
        reason = reason or _unless(is_dynamic, "it needs dynamic shifting for it, which this checkpoint lacks")
    for argument in how.passes:
        reason = reason or _unless(argument in taken, f"it passes {argument}, which {kind} refuses")
    if not how.scales_input:
        unscaled = float(scheduler.init_noise_sigma) == 1.0
        reason = reason or _unless(unscaled, f"it does not scale what its denoiser gets, as {kind} needs it")
    if how.passes_generator:
        takes = "generator" in inspect.signature(scheduler.step).parameters
        reason = reason or _unless(takes, f"it passes a generator that a step of {kind} refuses")
    lacking = [option for option in how.reads if option not in scheduler.config]
    reason = reason or _unless(not lacking, f"it reads {', '.join(lacking)}, which {kind} lacks")
    if reason:
        raise ConfigError(f"sampler {name}: {pipeline} does not take it ({reason})")


def _unless(holds: Any, reason: str) -> str:
    return "" if holds else reason
