"""Sampler names: what each stands for on noise-predicting and on flow models, and how often it asks the denoiser.

A name overrides only the solver (``recipes`` takes the rest over from the checkpoint). The table follows A1111's and
ComfyUI's names. On noise models euler, euler_a, heun and the two dpmpp_2m end where k-diffusion's methods of these
names do (tests/generate/backends/diffusers/test_sampler_reference.py); ddim, unipc and the flow rows are those of
diffusers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

FLOW_CLASSES = ("FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler", "FlowMatchLCMScheduler")
FLOW = {"prediction_type": "flow_prediction", "use_flow_sigmas": True}


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
    """

    class_name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    spacing: str | None = "linspace"
    even_timesteps: bool = False
    own_sigmas: bool = False
    flow: str | None = None
    flow_options: Mapping[str, Any] = field(default_factory=dict)


_MULTISTEP = {"algorithm_type": "dpmsolver++", "solver_order": 2}

# To add one: a line here (alphabetical), a line in docs/models.md, a test that compares it with its reference.
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
    "heun": Sampler("HeunDiscreteScheduler", flow="FlowMatchHeunDiscreteScheduler"),
    "unipc": Sampler(
        "UniPCMultistepScheduler",
        {"solver_type": "bh2"},
        flow="UniPCMultistepScheduler",
        flow_options={"solver_type": "bh2"} | FLOW,
    ),
}
