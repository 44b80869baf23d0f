"""A model's folder to a pipeline in memory, whole or not at all, and the device that it runs on."""

import inspect
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diptych.devices import seen_as
from diptych.errors import ConfigError, DataError, one_line
from diptych.generate.backends.diffusers.components import LEFT_OUT, absent, is_component
from diptych.generate.backends.diffusers.libraries import find_class
from diptych.generate.backends.diffusers.models import ModelFolder, pipeline_class
from diptych.pretrained.libraries import import_library
from diptych.shortage import what_ran_out

LIBRARIES = ("diffusers", "transformers")  # whose classes components have


def load_pipeline(folder: ModelFolder) -> Any:
    """Return a model's pipeline in main memory, ready to be called: no safety checker, no watermark, no progress bars.

    Raises:
        DataError: If its files are damaged, do not fit its classes, or lack a weight that a class needs.
    """
    import torch

    kind = pipeline_class(folder)
    known = inspect.signature(kind.__init__).parameters
    dtype = getattr(torch, folder.choice.dtype)
    given = {name: value for name, value in folder.index.items() if name in known and not is_component(value)}
    given |= {name: None for name in absent(folder.index, folder.components) if name in known}
    left_out = {name: value for name, value in LEFT_OUT.items() if name in known}
    for name in (name for name in folder.components if name not in left_out):
        is_module = name in folder.modules
        given[name] = _load_module(folder, name, dtype) if is_module else _load_other(folder, name, kind)
    try:
        pipe = kind(**given | left_out)
    except Exception as error:  # whatever its code throws at parts that are no sound pipeline
        raise DataError(f"{folder.where}: {folder.path} cannot be loaded: {one_line(error)}") from error
    pipe.set_progress_bar_config(disable=True)
    return pipe


def choose_device(wanted: str) -> str:
    """Return the torch device that ``auto`` or a name stands for, set up so that it gives the same bits again.

    Raises:
        ConfigError: If this machine does not have it.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read once, when the GPU is first used
    import torch

    has_mps = torch.backends.mps.is_available()
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu"
    index = int(wanted.partition(":")[2] or 0)
    if wanted.startswith("cuda") and index >= torch.cuda.device_count():
        raise ConfigError(f"device: {wanted}, but torch sees {torch.cuda.device_count()} GPUs; write auto or cpu")
    if wanted == "mps" and not has_mps:
        raise ConfigError("device: mps, but torch sees none here; write auto or cpu")
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    return seen_as(wanted)


def _load_other(folder: ModelFolder, name: str, pipeline: Any) -> Any:
    """Return a component without weights: a tokenizer, a scheduler, a processor, a guider."""
    part = folder.components[name]
    kind = folder.installed(name, find_class(part.library, folder.class_name(part), pipeline, name))
    return _loaded(folder, kind, part.path, {})


def _load_module(folder: ModelFolder, name: str, dtype: Any) -> Any:
    """Return a component with weights; those that its files lack would be random, and are an error."""
    import torch

    kind = folder.installed(name, folder.modules[name])
    path = folder.components[name].path
    variant = folder.variant_of(name)
    how = {"dtype": dtype, "variant": variant, "use_safetensors": True, "output_loading_info": True}
    module, info = _loaded(folder, kind, path, how)
    missing = sorted(str(key) for key in [*info["missing_keys"], *info["mismatched_keys"]])
    if missing:
        raise DataError(
            f"{folder.where}: {path} lacks {len(missing)} of the weights of {kind.__name__}, {missing[0]} among them; "
            f"its files belong to something else, fetch the model again"
        )
    # Convolutions are a tenth to a third faster on channels that lie side by side, on CPUs and on GPUs.
    is_flat = max((parameter.dim() for parameter in module.parameters()), default=0) == 4
    return module.to(memory_format=torch.channels_last) if is_flat else module


def _loaded(folder: ModelFolder, kind: Any, path: Path, how: Mapping[str, Any]) -> Any:
    library = str(kind.__module__).partition(".")[0]
    if library in LIBRARIES:  # in a worker nobody else has switched its bars off
        import_library(library)
    try:
        return kind.from_pretrained(path, local_files_only=True, **how)
    except Exception as error:  # whatever libraries throw at a folder that is no sound component
        if what_ran_out(error):
            raise
        raise DataError(f"{folder.where}: {path} cannot be loaded: {one_line(error)}") from error
