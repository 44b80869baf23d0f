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


def generators_of(seeds: Sequence[int]) -> list[Any]:
    """Return one CPU generator for each image."""
    import torch

    return [torch.Generator("cpu").manual_seed(seed) for seed in seeds]


@contextlib.contextmanager
def seeded(scheduler: Any, generators: Sequence[Any], seeds: Sequence[int]) -> Iterator[None]:
    """Let every step of a scheduler draw the noise of row i from ``generators[i]``, or from ``seeds[i]``.

    Rows beyond them, which some pipelines step and discard, draw from generators of their own.
    """
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
