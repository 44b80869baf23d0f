"""Samplers against k-diffusion's functions of the same name, written down here from their papers.

The denoiser is exact: data are a mixture of two narrow Gaussians, so its posterior mean is known. Both sides start from
the same noise; what is compared is the finished sample. Sources: Karras et al. 2022 (arXiv:2206.00364), algorithms 1
(Euler, Heun) and equation 5 (sigmas); Song et al. 2020 (arXiv:2011.13456), appendix F (ancestral steps); Lu et al. 2022
(arXiv:2211.01095), algorithm 2 (DPM-Solver++ 2M).
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from diptych.generate.backends.diffusers.recipes import build_scheduler, recipe_for
from diptych.generate.backends.diffusers.samplers import SchedulerFacts

Floats = npt.NDArray[np.float64]

NOISE = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
STEPS = 20
CENTRES, SPREAD = np.array([-1.0, 1.5]), 0.25
BETAS = np.linspace(NOISE["beta_start"] ** 0.5, NOISE["beta_end"] ** 0.5, 1000) ** 2  # type: ignore[operator]
ALL_LOG_SIGMAS = 0.5 * np.log(1 / np.cumprod(1 - BETAS) - 1)
START = np.random.default_rng(0).normal(size=256)


def sigma_of(timestep: float) -> float:
    return float(np.exp(np.interp(timestep, np.arange(1000), ALL_LOG_SIGMAS)))


def denoised(x: Floats, sigma: float) -> Floats:
    """Return the mean of what was there before noise of ``sigma`` made it ``x``."""
    variance = SPREAD**2 + sigma**2
    logits = -((x[:, None] - CENTRES) ** 2) / (2 * variance)
    weights = np.exp(logits - logits.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    means: Floats = (weights * (CENTRES * sigma**2 + x[:, None] * SPREAD**2) / variance).sum(1)
    return means


def euler(sigmas: Floats) -> Floats:
    x = START * sigmas[0]
    for now, then in itertools.pairwise(sigmas):
        x = x + (x - denoised(x, now)) / now * (then - now)
    return x


def euler_a(sigmas: Floats) -> Floats:
    generator = torch.Generator().manual_seed(1)
    x = START * sigmas[0]
    for now, then in itertools.pairwise(sigmas):
        up = min(then, np.sqrt(then**2 * (now**2 - then**2) / now**2))
        down = np.sqrt(then**2 - up**2)
        x = x + (x - denoised(x, now)) / now * (down - now)
        x = x + up * torch.randn(x.shape, dtype=torch.float64, generator=generator).numpy()
    return x


def heun(sigmas: Floats) -> Floats:
    x = START * sigmas[0]
    for now, then in itertools.pairwise(sigmas):
        slope = (x - denoised(x, now)) / now
        guess = x + slope * (then - now)
        if then > 0:
            slope = (slope + (guess - denoised(guess, then)) / then) / 2
            guess = x + slope * (then - now)
        x = guess
    return x


def dpmpp_2m(sigmas: Floats) -> Floats:
    x, before = START * sigmas[0], None
    for number, (now, then) in enumerate(itertools.pairwise(sigmas)):
        here = denoised(x, now)
        target = here
        if before is not None and then > 0:
            step, last = np.log(now / then), np.log(sigmas[number - 1] / now)
            target = (1 + step / (2 * last)) * here - step / (2 * last) * before
        x = then / now * x - (then / now - 1) * target
        before = here
    return x


def even_sigmas() -> Floats:
    return np.array([*(sigma_of(t) for t in np.linspace(999, 0, STEPS)), 0.0])


def karras_sigmas() -> Floats:
    high, low = sigma_of(999) ** (1 / 7), sigma_of(0) ** (1 / 7)
    return np.array([*(high + np.linspace(0, 1, STEPS) * (low - high)) ** 7, 0.0])


def through_diffusers(name: str, first_sigma: float) -> Floats:
    own = SchedulerFacts("PNDMScheduler", NOISE | {"prediction_type": "epsilon"})
    recipe = recipe_for(name, STEPS, own, "StableDiffusionPipeline")
    scheduler: Any = build_scheduler(recipe)
    if recipe.timesteps is not None:
        scheduler.set_timesteps(timesteps=list(recipe.timesteps))
    else:
        scheduler.set_timesteps(STEPS)
    is_scaled = recipe.class_name == "DPMSolverMultistepScheduler"  # it works on x / sqrt(1 + sigma^2)
    generator = torch.Generator().manual_seed(1)
    x = torch.from_numpy(START * first_sigma / (np.sqrt(1 + first_sigma**2) if is_scaled else 1.0))
    for timestep in scheduler.timesteps:
        sigma = sigma_of(float(timestep))
        seen = scheduler.scale_model_input(x, timestep).numpy() * np.sqrt(1 + sigma**2)
        noise = torch.from_numpy((seen - denoised(seen, sigma)) / sigma)
        stochastic = {"generator": generator} if name == "euler_a" else {}
        x = scheduler.step(noise, timestep, x, **stochastic).prev_sample
    return np.asarray(x.numpy(), np.float64)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "reference", "sigmas", "tolerance"),
    [
        ("euler", euler, even_sigmas, 1e-5),
        ("euler_a", euler_a, even_sigmas, 1e-5),
        ("heun", heun, even_sigmas, 1e-5),
        ("dpmpp_2m", dpmpp_2m, even_sigmas, 1e-3),  # whole timesteps on their side, fractions on this one
        ("dpmpp_2m_karras", dpmpp_2m, karras_sigmas, 1e-3),
    ],
)
def test_a_sampler_ends_where_the_method_of_its_name_ends(
    name: str, reference: Callable[[Floats], Floats], sigmas: Callable[[], Floats], tolerance: float
) -> None:
    schedule = sigmas()
    expected, found = reference(schedule), through_diffusers(name, schedule[0])
    error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    print(f"{name}: relative error {error:.1e}")
    assert error < tolerance


@pytest.mark.reference
def test_the_methods_are_further_from_each_other_than_from_their_samplers() -> None:
    samples = [euler(even_sigmas()), heun(even_sigmas()), dpmpp_2m(even_sigmas())]
    for first, second in ((0, 1), (0, 2)):
        apart = np.linalg.norm(samples[first] - samples[second]) / np.linalg.norm(samples[first])
        assert apart > 1e-2
