"""The torch device that a model of an encoder or a detector runs on."""

from typing import Any

from diptych.errors import ConfigError, first_line


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
