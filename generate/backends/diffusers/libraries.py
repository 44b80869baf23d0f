"""Classes of the libraries of this backend by their names."""

import importlib
import inspect
from typing import Any

from diptych.pretrained.libraries import import_library

ROOMS = ("diffusers.pipelines", "diffusers.pipelines.deprecated")  # where classes of one pipeline alone live


def find_pipeline(name: str) -> type | None:
    """Return the class of a pipeline of diffusers; None where there is none of that name."""
    diffusers = import_library("diffusers")
    found = getattr(diffusers, name, None)
    return found if isinstance(found, type) and issubclass(found, diffusers.DiffusionPipeline) else None


def find_class(library: str, kind: str, pipeline: Any, component: str) -> Any:
    """Return the class of a component; None where no installed library has it.

    Args:
        library: As ``model_index.json`` says: ``diffusers``, ``transformers``, or a room of the pipelines of diffusers.
        kind: Name of the class.
        pipeline: The class of the pipeline; what its ``__init__`` says of the component counts where a class has moved
            to another room since, as that of Stable Cascade's VQGAN has.
        component: Its name.
    """
    if library in ("diffusers", "transformers"):
        found = getattr(import_library(library), kind, None)
    else:
        found = next((one for room in ROOMS if (one := _from_room(f"{room}.{library}", kind)) is not None), None)
    if found is None and pipeline is not None:
        parameter = inspect.signature(pipeline.__init__).parameters.get(component)
        said = parameter.annotation if parameter is not None else None
        found = said if isinstance(said, type) and said.__name__ == kind else None
    return found


def _from_room(room: str, kind: str) -> Any:
    try:
        return getattr(importlib.import_module(room), kind, None)
    except ImportError:
        return None
