"""Random numbers: a generator per image, and samplers that draw from nothing else.

Noise is drawn on the CPU, where a seed means the same on every machine; on a GPU it would depend on the model of the
GPU. Several pipelines of diffusers never hand the generators to the scheduler, which then draws from the global state:
``seeded`` binds them for one call, and ``global_state_untouched`` refuses whatever still draws from there.
"""

import contextlib
import functools
import inspect
from collections.abc import Iterator, Sequence
from typing import Any

from diptych.errors import DataError

FIRST_STEPS = 2  # with fewer, pipelines that take the last timestep for an end would make none


def generators_of(seeds: Sequence[int]) -> list[Any]:
    """Return one CPU generator for each image."""
    import torch

    return [torch.Generator("cpu").manual_seed(seed) for seed in seeds]


def put_scheduler(pipe: Any, scheduler: Any) -> None:
    """Let a pipeline, and the pipelines that it is made of, sample by another scheduler."""
    before = pipe.scheduler
    pipe.scheduler = scheduler
    for part in vars(pipe).values():
        if getattr(part, "scheduler", None) is before:
            part.scheduler = scheduler


@contextlib.contextmanager
def seeded(pipe: Any, generators: Sequence[Any], seeds: Sequence[int]) -> Iterator[None]:
    """Let every step of each scheduler of a pipeline draw the noise of row i from ``generators[i]`` or ``seeds[i]``.

    Rows beyond them, which some pipelines step and discard, draw from generators of their own.
    """
    with contextlib.ExitStack() as stack:
        for scheduler in _schedulers(pipe):
            stack.enter_context(_seeded(scheduler, generators, seeds))
        yield


@contextlib.contextmanager
def first_steps_only(pipe: Any) -> Iterator[None]:
    """Let each scheduler of a pipeline end after its first steps, so that a call goes all the way in no time."""
    changed = [(scheduler, vars(scheduler).get("set_timesteps")) for scheduler in _schedulers(pipe)]
    for scheduler, _ in changed:
        scheduler.set_timesteps = functools.partial(_set_first, scheduler, scheduler.set_timesteps)
        functools.update_wrapper(scheduler.set_timesteps, scheduler.set_timesteps.args[1])
    try:
        yield
    finally:
        for scheduler, own in changed:
            del scheduler.set_timesteps
            if own is not None:
                scheduler.set_timesteps = own


def was_used(scheduler: Any) -> bool:
    """Return whether a pipeline has set the steps of a new scheduler, as it does before it samples by it."""
    return getattr(scheduler, "num_inference_steps", None) is not None


def _set_first(scheduler: Any, set_timesteps: Any, *args: Any, **named: Any) -> None:
    set_timesteps(*args, **named)
    scheduler.timesteps = scheduler.timesteps[:FIRST_STEPS]


def _schedulers(pipe: Any) -> list[Any]:
    found = {name: part for name, part in pipe.components.items() if hasattr(part, "set_timesteps")}
    return list({id(part): part for part in found.values()}.values())


@contextlib.contextmanager
def _seeded(scheduler: Any, generators: Sequence[Any], seeds: Sequence[int]) -> Iterator[None]:
    import torch

    step = scheduler.step
    if hasattr(scheduler, "noise_sampler_seed"):  # a Brownian tree, whose seeds lie in the scheduler
        scheduler.noise_sampler_seed, scheduler.noise_sampler = list(seeds), None

    @functools.wraps(step)
    def seeded_step(model_output: Any, timestep: Any, sample: Any, *rest: Any, **named: Any) -> Any:
        if named.get("generator") is None:
            surplus = sample.shape[0] - len(generators)
            named["generator"] = [*generators, *(torch.Generator("cpu").manual_seed(0) for _ in range(surplus))]
        return step(model_output, timestep, sample, *rest, **named)

    takes_generator = "generator" in inspect.signature(step).parameters
    if takes_generator:
        scheduler.step = seeded_step
    try:
        yield
    finally:
        if takes_generator:
            del scheduler.step  # the method of its class shows again


@contextlib.contextmanager
def global_state_untouched(what: str) -> Iterator[None]:
    """Make sure that nothing in the block draws from the global random state of the CPU or of a GPU.

    Raises:
        DataError: If something did, naming ``what``; the image would not be the same again.
    """
    before = _global_state()
    yield
    if any(not old.equal(new) for old, new in zip(before, _global_state(), strict=True)):
        raise DataError(
            f"{what}: the pipeline draws from the global random state, so the same image could not be made again; "
            f"take another sampler"
        )


def _global_state() -> list[Any]:
    import torch

    on_gpu = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]  # torch does not annotate it
    return [torch.get_rng_state(), *(torch.cuda.get_rng_state_all() if on_gpu else [])]
