"""The libraries that load such models: imported when they are needed, their chatter off."""

import importlib
from typing import Any

from diptych.errors import MissingExtra


def import_library(name: str, *, extra: str = "generate") -> Any:
    """Return one of the libraries, its chatter switched off.

    Args:
        name: ``diffusers`` or ``transformers``.
        extra: With which part of diptych it comes.

    Raises:
        MissingExtra: If it is not installed.
    """
    try:
        module = importlib.import_module(name)
        logging = importlib.import_module(f"{name}.utils.logging")
    except ModuleNotFoundError as error:
        raise MissingExtra(extra, (error.name or name).partition(".")[0]) from error
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    return module


def import_hub(*, extra: str = "generate") -> Any:
    """Return the library that knows the hub's cache.

    Raises:
        MissingExtra: If it is not installed.
    """
    try:
        import huggingface_hub
    except ModuleNotFoundError as error:
        raise MissingExtra(extra, "huggingface_hub") from error
    return huggingface_hub
