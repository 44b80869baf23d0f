"""What several recipes do with their weights: decay the matrices alone, keep a running mean of them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn import Parameter

DECAY = 0.999  # of the running mean


def decaying_adamw(
    named: Iterable[tuple[str, Parameter]], weight_decay: float, *, betas: tuple[float, float]
) -> torch.optim.Optimizer:
    """Return AdamW that decays matrices: no gains, biases or embeddings."""
    decayed: list[Parameter] = []
    others: list[Parameter] = []
    for name, weight in named:
        (decayed if weight.ndim > 1 and "embedding" not in name else others).append(weight)
    groups: list[dict[str, Any]] = [{"params": decayed, "weight_decay": weight_decay}, {"params": others}]
    return torch.optim.AdamW(groups, lr=0.0, betas=betas, weight_decay=0.0)


def running_mean(weights: Sequence[Parameter]) -> Any:
    """Return diffusers' ``EMAModel`` of weights; early ones are forgotten sooner."""
    from diffusers.training_utils import EMAModel

    return EMAModel(weights, decay=DECAY, use_ema_warmup=True)


@contextmanager
def standing_in(mean: Any, weights: Sequence[Parameter]) -> Iterator[None]:
    """Let the running mean stand in for the weights while the context lasts."""
    mean.store(weights)
    mean.copy_to(weights)
    try:
        yield
    finally:
        mean.restore(weights)
