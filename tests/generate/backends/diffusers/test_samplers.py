"""Sampler names against diffusers' schedulers: class, options, timesteps, evaluations, and what is refused."""

from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from diptych.errors import ConfigError
from diptych.generate.backends.diffusers.recipes import SamplerRecipe, build_scheduler, recipe_for
from diptych.generate.backends.diffusers.samplers import SAMPLERS, SchedulerFacts

NOISE = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
SD = SchedulerFacts("PNDMScheduler", NOISE | {"prediction_type": "epsilon", "skip_prk_steps": True, "steps_offset": 1})
V = SchedulerFacts("DDIMScheduler", NOISE | {"prediction_type": "v_prediction", "timestep_spacing": "leading"})
ZERO_SNR = SchedulerFacts("DDIMScheduler", {**V.config, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"})
SD3 = SchedulerFacts("FlowMatchEulerDiscreteScheduler", {"num_train_timesteps": 1000, "shift": 3.0})
FLUX = SchedulerFacts(SD3.class_name, {**SD3.config, "use_dynamic_shifting": True})
SCHNELL = SchedulerFacts(SD3.class_name, {"num_train_timesteps": 1000, "shift": 1.0, "use_dynamic_shifting": False})

NOISE_NAMES = ["ddim", "dpmpp_2m", "dpmpp_2m_karras", "euler", "euler_a", "heun", "unipc"]
FLOW_NAMES = ["dpmpp_2m", "euler", "euler_a", "heun", "unipc"]


def schedule(recipe: SamplerRecipe, steps: int, **more: Any) -> Any:
    scheduler = build_scheduler(recipe)
    if recipe.timesteps is not None:
        scheduler.set_timesteps(timesteps=list(recipe.timesteps))
    else:
        scheduler.set_timesteps(steps, **more)
    return scheduler


def test_the_table_has_the_seven_names_in_order() -> None:
    assert list(SAMPLERS) == NOISE_NAMES
    assert [name for name, sampler in SAMPLERS.items() if sampler.flow] == FLOW_NAMES


@pytest.mark.parametrize(
    ("name", "class_name", "options"),
    [
        ("ddim", "DDIMScheduler", {"clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}),
        ("dpmpp_2m", "DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++", "solver_order": 2}),
        ("dpmpp_2m_karras", "DPMSolverMultistepScheduler", {"use_karras_sigmas": True, "timestep_spacing": "linspace"}),
        ("euler", "EulerDiscreteScheduler", {"timestep_spacing": "linspace", "use_karras_sigmas": False}),
        ("euler_a", "EulerAncestralDiscreteScheduler", {"timestep_spacing": "linspace"}),
        ("heun", "HeunDiscreteScheduler", {"timestep_spacing": "linspace", "use_karras_sigmas": False}),
        ("unipc", "UniPCMultistepScheduler", {"solver_type": "bh2", "timestep_spacing": "linspace"}),
    ],
)
def test_a_name_on_a_noise_model_is_a_class_with_options_and_the_models_own_schedule(
    name: str, class_name: str, options: dict[str, Any]
) -> None:
    for own in (SD, V):
        recipe = recipe_for(name, 10, own, "StableDiffusionPipeline")
        built = build_scheduler(recipe)
        assert type(built).__name__ == recipe.class_name == class_name
        kept = {"prediction_type": own.config["prediction_type"], **NOISE}
        assert {key: built.config[key] for key in options | kept} == options | kept


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 25, 50, 999])
def test_dpmpp_2m_runs_through_k_diffusions_timesteps(steps: int) -> None:
    recipe = recipe_for("dpmpp_2m", steps, SD, "StableDiffusionPipeline")
    expected = np.linspace(999, 0, steps).round().astype(int).tolist()
    assert list(recipe.timesteps or ()) == expected
    scheduler = schedule(recipe, steps)
    assert scheduler.timesteps.tolist() == expected
    if steps > 1:
        assert float(scheduler.sigmas[-2]) == pytest.approx(0.0292, abs=1e-4)  # any spacing would end at 0.2


def test_karras_sigmas_are_those_of_karras_with_rho_7() -> None:
    sigmas = schedule(recipe_for("dpmpp_2m_karras", 10, SD, "StableDiffusionPipeline"), 10).sigmas.numpy()
    low, high = sigmas[-2] ** (1 / 7), sigmas[0] ** (1 / 7)
    assert sigmas[:-1] == pytest.approx((high + np.linspace(0, 1, 10) * (low - high)) ** 7, rel=1e-3)


def test_euler_ends_in_zero_from_the_models_largest_sigma() -> None:
    sigmas = schedule(recipe_for("euler", 10, SD, "StableDiffusionPipeline"), 10).sigmas
    alphas = torch.cumprod(1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2, 0)
    largest = ((1 - alphas[-1]) / alphas[-1]) ** 0.5
    assert float(sigmas[0]) == pytest.approx(float(largest), rel=1e-5)
    assert float(sigmas[-1]) == 0


@pytest.mark.parametrize("name", [*NOISE_NAMES, None])
def test_evaluations_are_counted_as_the_scheduler_makes_them(name: str | None) -> None:
    for steps in (1, 2, 7):
        recipe = recipe_for(name, steps, SD, "StableDiffusionPipeline")
        if (name, steps) != (None, 1):  # PNDM has no single step
            assert len(schedule(recipe, steps).timesteps) == recipe.nfe(steps)
    assert recipe_for("heun", 7, SD, "StableDiffusionPipeline").nfe(7) == 13
    assert recipe_for(None, 7, SD, "StableDiffusionPipeline").nfe(7) == 8


@pytest.mark.parametrize("name", FLOW_NAMES)
def test_a_name_on_sd3_keeps_the_shift_of_the_checkpoint(name: str) -> None:
    recipe = recipe_for(name, 8, SD3, "StableDiffusion3Pipeline")
    own = build_scheduler(recipe_for(None, 8, SD3, "StableDiffusion3Pipeline"))
    own.set_timesteps(8)
    scheduler = schedule(recipe, 8)
    assert len(scheduler.timesteps) == recipe.nfe(8)
    assert scheduler.config.get("shift", scheduler.config.get("flow_shift")) == 3.0
    assert float(scheduler.sigmas[0]) == pytest.approx(float(own.sigmas[0]), abs=2e-3)
    assert (scheduler.config.get("stochastic_sampling", False)) == (name == "euler_a")


def test_a_solver_on_flux_shifts_with_the_size_of_the_image_as_its_own_scheduler_does() -> None:
    own = build_scheduler(recipe_for(None, 8, FLUX, "FluxPipeline"))
    own.set_timesteps(sigmas=np.linspace(1.0, 1 / 8, 8), mu=0.9)
    for name in ("dpmpp_2m", "unipc"):
        scheduler = schedule(recipe_for(name, 8, FLUX, "FluxPipeline"), 8, mu=0.9)
        assert float(scheduler.sigmas[1]) == pytest.approx(float(own.sigmas[1]), abs=2e-2)


def test_no_name_is_the_checkpoints_own_scheduler_unchanged() -> None:
    built = build_scheduler(recipe_for(None, 10, SD, "StableDiffusionPipeline"))
    saved = diffusers.PNDMScheduler(**SD.config)
    assert dict(built.config) == dict(saved.config)


def test_trailing_checkpoints_keep_their_spacing_and_zero_snr_its_schedule() -> None:
    for name in ("ddim", "dpmpp_2m", "euler", "euler_a", "unipc"):
        recipe = recipe_for(name, 5, ZERO_SNR, "StableDiffusionPipeline")
        scheduler = schedule(recipe, 5)
        assert scheduler.config.timestep_spacing == "trailing"
        assert scheduler.config.rescale_betas_zero_snr
        assert int(scheduler.timesteps[0]) == 999
        assert recipe.timesteps is None


@pytest.mark.parametrize(
    ("name", "own", "pipeline", "message"),
    [
        ("dpmpp_2m_karras", ZERO_SNR, "StableDiffusionPipeline", "trailing timesteps, where Karras sigmas"),
        ("heun", ZERO_SNR, "StableDiffusionPipeline", "HeunDiscreteScheduler does not know .* zero-SNR"),
        (
            "ddim",
            SD3,
            "StableDiffusion3Pipeline",
            "none for flow models .* known there: dpmpp_2m, euler, euler_a, heun",
        ),
        ("dpmpp_2m_karras", FLUX, "FluxPipeline", "known there: dpmpp_2m, euler, euler_a, heun, unipc$"),
        ("heun", FLUX, "FluxPipeline", "does not know this checkpoint's dynamic shifting"),
        ("heun", SCHNELL, "FluxPipeline", r"FluxPipeline does not take it \(it passes sigmas that FlowMatchHeun"),
        ("unipc", SCHNELL, "FluxPipeline", "needs dynamic shifting"),
        ("heun", FLUX, "StableDiffusion3Pipeline", "does not know this checkpoint's dynamic shifting"),
        ("euler", SchedulerFacts("IPNDMScheduler", {}), "SomePipeline", "no noise schedule that could be taken over"),
        (
            "dpmpp_2m",
            SchedulerFacts(FLUX.class_name, {**FLUX.config, "max_shift": 2.0}),
            "FluxPipeline",
            "dynamic shifting cannot be handed to it; take euler",
        ),
    ],
)
def test_what_a_checkpoint_cannot_do_is_refused_never_replaced(
    name: str, own: SchedulerFacts, pipeline: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        recipe_for(name, 10, own, pipeline)


def test_a_scheduler_that_diffusers_lacks_or_that_refuses_is_named() -> None:
    with pytest.raises(ConfigError, match="has no scheduler 'NopeScheduler'"):
        build_scheduler(SamplerRecipe("NopeScheduler", {}))
    with pytest.raises(ConfigError, match="has no scheduler 'StableDiffusionPipeline'"):
        build_scheduler(SamplerRecipe("StableDiffusionPipeline", {}))
    with pytest.raises(ConfigError, match="DDIMScheduler cannot be built"):
        build_scheduler(SamplerRecipe("DDIMScheduler", {"beta_schedule": "nope"}))


SANA = SchedulerFacts(  # of Sana's checkpoints, with a shift that is easy to check
    "DPMSolverMultistepScheduler",
    {
        "algorithm_type": "dpmsolver++",
        "solver_order": 2,
        "flow_shift": 3.0,
        "prediction_type": "flow_prediction",
        "use_flow_sigmas": True,
        "num_train_timesteps": 1000,
    },
)
WAN = SchedulerFacts(
    "UniPCMultistepScheduler", {"flow_shift": 5.0, "prediction_type": "flow_prediction", "use_flow_sigmas": True}
)


@pytest.mark.parametrize("name", [None, "dpmpp_2m", "euler", "euler_a", "unipc"])
@pytest.mark.parametrize("own", [SANA, WAN], ids=["Sana", "Wan"])
def test_a_name_keeps_the_shift_of_a_checkpoint_whose_own_solver_calls_it_flow_shift(
    name: str | None, own: SchedulerFacts
) -> None:
    shift = own.config["flow_shift"]
    even = np.array([1.0, 0.75, 0.5, 0.25])
    sigmas = schedule(recipe_for(name, 4, own, "SanaPipeline"), 4).sigmas[:4]
    assert sigmas.numpy() == pytest.approx(shift * even / (1 + (shift - 1) * even), abs=2e-3)


@pytest.mark.parametrize("name", FLOW_NAMES)
@pytest.mark.parametrize(
    "bent",
    [
        {"shift_terminal": 0.1},
        {"use_karras_sigmas": True},
        {"use_exponential_sigmas": True},
        {"use_beta_sigmas": True},
        {"invert_sigmas": True},
    ],
)
def test_what_else_bends_the_sigmas_of_a_flow_is_kept_or_refused(name: str, bent: dict[str, Any]) -> None:
    own = SchedulerFacts(SD3.class_name, {**SD3.config, **bent})
    try:
        sigmas = schedule(recipe_for(name, 8, own, "StableDiffusion3Pipeline"), 8).sigmas
    except ConfigError as error:
        assert f"sampler {name}: " in str(error)  # noqa: PT017 -- one or the other, for each name
        assert "does not take this checkpoint's" in str(error)  # noqa: PT017
        return
    own_sigmas = schedule(recipe_for(None, 8, own, "StableDiffusion3Pipeline"), 8).sigmas
    if name in ("euler", "euler_a"):
        assert torch.equal(sigmas, own_sigmas)
    else:
        assert (name, bent) == ("unipc", {"shift_terminal": 0.1})
        assert (float(sigmas[-2]), float(own_sigmas[-2])) == pytest.approx((0.1, 0.1))


def test_a_solver_that_cannot_run_through_a_checkpoints_sigmas_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot run through the sigmas of this checkpoint's DPMSolverMultistep"):
        recipe_for("heun", 4, SANA, "SanaPipeline")


@pytest.mark.parametrize(
    ("name", "own", "pipeline", "message"),
    [
        ("euler", SD, "Kandinsky3Pipeline", "does not scale what its denoiser gets, as EulerDiscreteScheduler"),
        ("unipc", SD, "Kandinsky3Pipeline", "passes a generator that a step of UniPCMultistepScheduler refuses"),
        ("euler", SD, "IFPipeline", "reads variance_type, which EulerDiscreteScheduler lacks"),
        ("dpmpp_2m", SD3, "QwenImagePipeline", "passes sigmas that DPMSolverMultistepScheduler refuses"),
        ("unipc", SD3, "ZImagePipeline", "needs dynamic shifting for it"),
        ("heun", SD3, "HiDreamImagePipeline", "passes a shift that FlowMatchHeunDiscreteScheduler refuses"),
        ("euler", SchedulerFacts("CogVideoXDDIMScheduler", {**NOISE, "snr_shift_scale": 3.0}), "X", "signal-to-noise"),
        ("euler", SchedulerFacts("DDPMScheduler", {**NOISE, "thresholding": True}), "X", "this checkpoint's threshold"),
    ],
)
def test_a_sampler_that_a_pipeline_would_drive_to_garbage_is_refused(
    name: str, own: SchedulerFacts, pipeline: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        recipe_for(name, 4, own, pipeline)
