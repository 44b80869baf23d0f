"""The torch device on which a model runs, and the precision in which."""

from typing import Any, Literal

from diptych.errors import ConfigError, first_line

Precision = Literal["fp32", "fp16", "bf16"]


def torch_device(name: str) -> Any:
    """Return the ``torch.device`` of a name; ``auto`` takes a CUDA device if there is one.

    Raises:
        ConfigError: If there is no such device, or it cannot be used here.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # AssertionError: this torch has no CUDA
        raise ConfigError(f"device {name!r}: cannot be used here: {first_line(error)}") from error
    return device


def torch_dtype(precision: Precision) -> Any:
    """Return the ``torch.dtype`` of a precision."""
    import torch

    return {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[precision]
