"""The machine: disk and accelerators, and what of them this process may use."""

import importlib.util
import os
import platform
import shutil
from pathlib import Path
from typing import Any


def inspect_disk(name: str, path: Path) -> dict[str, Any]:
    """Return the free space where a folder is or would be made."""
    existing = next((place for place in (path, *path.parents) if os.path.isdir(place)), Path.cwd())
    try:
        free = shutil.disk_usage(existing).free
    except OSError:
        free = None
    return {"name": name, "path": str(path), "free_bytes": free}


def inspect_devices() -> dict[str, Any]:
    """Return the accelerators that torch sees, and why none can be seen where that is so."""
    if importlib.util.find_spec("torch") is None:
        return {"checked": False, "problem": "torch is not installed", "found": []}
    try:
        import torch

        found = []
        for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
            device = torch.cuda.get_device_properties(index)
            found.append({"device": f"cuda:{index}", "name": device.name, "memory_bytes": device.total_memory})
        if torch.backends.mps.is_available():
            found.append({"device": "mps", "name": platform.processor() or "Apple GPU", "memory_bytes": None})
    except (ImportError, OSError, RuntimeError) as error:  # a torch that does not fit the machine's libraries or driver
        return {"checked": False, "problem": f"torch does not work: {error}", "found": []}
    return {"checked": True, "problem": None, "found": found}
