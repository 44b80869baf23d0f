"""The torch device on which a model runs, the precision in which, and which GPU each of several workers has.

A worker sees the GPU that is its own first, and the others behind it, so that whatever takes "the" GPU takes that one,
libraries too. A GPU that a config names by its number is the same one for every worker.
"""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from diptych.errors import ConfigError, first_line

if TYPE_CHECKING:
    import numpy.typing as npt

Precision = Literal["fp32", "fp16", "bf16"]

VISIBLE = "CUDA_VISIBLE_DEVICES"
FIRST = "DIPTYCH_FIRST_GPU"  # the number, in the order of who started a worker, of the GPU that it sees first


def torch_device(name: str) -> Any:
    """Return the ``torch.device`` of a name; ``auto`` takes a CUDA device if there is one, a worker its own.

    Raises:
        ConfigError: If there is no such device, or it cannot be used here.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(seen_as(name))
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # AssertionError: this torch has no CUDA
        raise ConfigError(f"device {name!r}: cannot be used here: {first_line(error)}") from error
    return device


def torch_dtype(precision: Precision) -> Any:
    """Return the ``torch.dtype`` of a precision."""
    import torch

    return {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[precision]


def stacked_on(device: Any, arrays: Sequence["npt.NDArray[Any]"], dtype: Any = None) -> Any:
    """Return arrays of one shape as one tensor on a device, by one copy; to a GPU from memory that is locked in place.

    Args:
        device: A ``torch.device``.
        arrays: At least one.
        dtype: That the tensor has in the end, made on the device; None for that of the arrays.
    """
    import numpy as np
    import torch

    like = torch.from_numpy(arrays[0])
    tensor = torch.empty((len(arrays), *like.shape), dtype=like.dtype, pin_memory=device.type == "cuda")
    np.stack(arrays, out=tensor.numpy())
    return tensor.to(device, non_blocking=True).to(dtype or like.dtype)


def count_gpus() -> int:
    """Return how many CUDA devices this process may use."""
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def gpu_first(worker: int, gpus: int) -> Mapping[str, str]:
    """Return the variables of the environment by which a worker sees its own GPU first; none where there is but one.

    Args:
        worker: Its number, from 0; there may be more workers than GPUs.
        gpus: How many there are.
    """
    if gpus < 2:
        return {}
    visible = os.environ.get(VISIBLE, "").split(",")
    names = visible[:gpus] if len(visible) >= gpus else [str(number) for number in range(gpus)]
    first = worker % gpus
    return {VISIBLE: ",".join([*names[first:], *names[:first]]), FIRST: str(first)}


def seen_as(device: str) -> str:
    """Return by which name this worker knows a device; only GPUs with a number have another one here."""
    kind, _, number = device.partition(":")
    first, gpus = int(os.environ.get(FIRST, "0")), os.environ.get(VISIBLE, "").count(",") + 1
    if kind != "cuda" or not number.isdecimal() or int(number) >= gpus:
        return device
    return f"cuda:{(int(number) - first) % gpus}"
