"""Everything that there is to say about this machine, as values."""

import os
import platform
import sys
from pathlib import Path
from typing import Any

from diptych import __version__
from diptych.assets import TRUTHY, cache_dir
from diptych.doctor.caches import hub_cache_dir, inspect_cache
from diptych.doctor.installed import BASE, EXTRAS, SUPPORTED_PYTHON, inspect_extra
from diptych.doctor.machine import inspect_devices, inspect_disk
from diptych.main_memory import inspect_memory
from diptych.processors import usable_cpus
from diptych.provenance import package_versions

# The version of the shape that `inspect_machine` returns: raised when a key is renamed, removed or changes its meaning.
SCHEMA_VERSION = 1

OFFLINE_FLAGS = ("DIPTYCH_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
TELEMETRY_FLAGS = ("DO_NOT_TRACK", "HF_HUB_DISABLE_TELEMETRY", "NO_ALBUMENTATIONS_UPDATE")
SECRETS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "OPENAI_API_KEY", "WANDB_API_KEY")


def inspect_machine(*, devices: bool = True, root: Path = Path("/")) -> dict[str, Any]:
    """Return what there is, as JSON-able values; what cannot be known is None.

    Args:
        devices: Whether to look for GPUs, which imports torch (seconds).
        root: Where ``proc`` and ``sys`` are.

    Returns:
        ``schema_version``, ``diptych``, ``python``, ``platform``, ``cpu``, ``memory``, ``disk``, ``devices``,
        ``caches``, ``offline``, ``telemetry``, ``secrets``, ``packages``, ``extras``. Sizes are in bytes.
    """
    folders = {"hub cache": hub_cache_dir(), "diptych cache": cache_dir()}
    names = tuple(sorted({*BASE, *(name for part in EXTRAS.values() for name in part)}))
    versions = package_versions(names)
    return {
        "schema_version": SCHEMA_VERSION,
        "diptych": __version__,
        "python": {
            "version": platform.python_version(),
            "implementation": platform.python_implementation(),
            "supported": sys.version_info[:2] in SUPPORTED_PYTHON,
        },
        "platform": {"system": platform.system(), "release": platform.release(), "machine": platform.machine()},
        "cpu": {"count": os.cpu_count(), "usable": usable_cpus(root)},
        "memory": inspect_memory(root),
        "disk": [inspect_disk(name, path) for name, path in {"working folder": Path.cwd(), **folders}.items()],
        "devices": inspect_devices() if devices else {"checked": False, "problem": None, "found": []},
        "caches": [inspect_cache(name, path) for name, path in folders.items()],
        "offline": {name: _is_on(name) for name in OFFLINE_FLAGS},
        "telemetry": {"diptych": False, **{name: _is_on(name) for name in TELEMETRY_FLAGS}},
        "secrets": {name: bool(os.environ.get(name)) for name in SECRETS},
        "packages": {name: versions.get(name) for name in names},
        "extras": {name: inspect_extra(name, versions) for name in EXTRAS},
    }


def _is_on(flag: str) -> bool:
    return os.environ.get(flag, "").lower() in TRUTHY
