"""Noise: a generator per image, and samplers that draw from nothing else."""

import inspect
from typing import Any

import diffusers
import pytest
import torch

from diptych.errors import DataError
from diptych.generate.backends.diffusers.noise import first_steps_only, generators_of, global_state_untouched, seeded


class Pipeline:
    """As much of one as noise has to do with."""

    def __init__(self, scheduler: Any, **others: Any) -> None:
        self.components = {"scheduler": scheduler, **others}


def test_a_generator_of_each_image_draws_what_it_would_draw_alone() -> None:
    together = [torch.randn(4, generator=one) for one in generators_of([5, 2**63 - 1])]
    assert torch.equal(together[1], torch.randn(4, generator=generators_of([2**63 - 1])[0]))


def stochastic_step(rows: int, seeds: list[int]) -> torch.Tensor:
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(stochastic_sampling=True)
    scheduler.set_timesteps(4)
    zeros = torch.zeros(rows, 3)
    with seeded(Pipeline(scheduler), generators_of(seeds), seeds):
        found: torch.Tensor = scheduler.step(zeros, scheduler.timesteps[0], zeros).prev_sample
    assert "step" not in vars(scheduler), "the scheduler is as it was"
    return found


def test_a_step_that_is_given_no_generator_draws_each_row_from_its_own() -> None:
    before = torch.get_rng_state()
    pair, alone = stochastic_step(2, [1, 2]), stochastic_step(1, [2])
    assert torch.equal(pair[1:], alone)
    assert not torch.equal(pair[0], pair[1])
    assert torch.equal(before, torch.get_rng_state())


def test_rows_beyond_the_images_draw_from_generators_of_their_own() -> None:
    assert torch.equal(stochastic_step(4, [1, 2])[:2], stochastic_step(2, [1, 2]))


def test_a_step_that_is_given_generators_keeps_them() -> None:
    scheduler = diffusers.EulerAncestralDiscreteScheduler()
    scheduler.set_timesteps(4)
    zeros = torch.zeros(1, 3)
    with seeded(Pipeline(scheduler), generators_of([1]), [1]):
        found = scheduler.step(zeros, scheduler.timesteps[0], zeros, generator=generators_of([9])[0]).prev_sample
    scheduler.set_timesteps(4)
    again = scheduler.step(zeros, scheduler.timesteps[0], zeros, generator=generators_of([9])[0]).prev_sample
    assert torch.equal(found, again)


def test_a_scheduler_whose_seeds_lie_in_it_gets_one_for_each_row() -> None:
    class Brownian:
        set_timesteps = None
        noise_sampler_seed = None
        noise_sampler = "of the call before"

        def step(self, model_output: object, timestep: object, sample: object) -> object:
            return self.noise_sampler_seed

    scheduler = Brownian()
    with seeded(Pipeline(scheduler), generators_of([3, 4]), [3, 4]):
        assert scheduler.step(0, 0, 0) == [3, 4]
        assert scheduler.noise_sampler is None


def test_every_scheduler_of_a_pipeline_draws_from_the_generators() -> None:
    first, second = (diffusers.FlowMatchEulerDiscreteScheduler(stochastic_sampling=True) for _ in range(2))
    zeros, found = torch.zeros(1, 3), []
    for scheduler in (first, second):
        scheduler.set_timesteps(4)
    for seed in (1, 1, 2):
        with seeded(Pipeline(first, prior_scheduler=second), generators_of([seed]), [seed]):
            second._step_index = None
            found.append(second.step(zeros, second.timesteps[0], zeros).prev_sample)
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_a_call_can_end_after_its_first_steps_and_leaves_the_scheduler_as_it_was() -> None:
    scheduler = diffusers.HeunDiscreteScheduler()
    with first_steps_only(Pipeline(scheduler)):
        scheduler.set_timesteps(5)
        assert len(scheduler.timesteps) == 2
        assert "sigmas" not in inspect.signature(scheduler.set_timesteps).parameters, "the signature is the class's own"
    scheduler.set_timesteps(5)
    assert len(scheduler.timesteps) == 9


def test_what_draws_from_the_global_state_is_refused() -> None:
    with global_state_untouched("sd, euler"):
        torch.randn(3, generator=generators_of([1])[0])
    message = "sd, euler: the pipeline draws from the global random state"
    with (
        torch.random.fork_rng(devices=[]),
        pytest.raises(DataError, match=message),
        global_state_untouched("sd, euler"),
    ):
        torch.randn(3)
