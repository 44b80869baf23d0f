"""Where downloads are kept, and how large that has become."""

import os
import time
from pathlib import Path
from typing import Any

SIZE_TIME_S = 1.0  # a hub cache can hold millions of files; nobody waits minutes for its size


def hub_cache_dir() -> Path:
    """Return where Hugging Face models are cached, whether or not the folder exists.

    The order of the variables is that of ``huggingface_hub/constants.py``, read here without importing that package.
    """
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or f"{base}/huggingface"
    hub = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or f"{home}/hub"
    return Path(os.path.expanduser(hub))  # as it stands where there is no home


def inspect_cache(name: str, path: Path) -> dict[str, Any]:
    """Return the size of a folder; ``complete`` is false where counting took too long and the size is a lower bound."""
    size, complete, until = 0, True, time.monotonic() + SIZE_TIME_S
    for folder, _, files in os.walk(path):
        for file in files:
            try:
                size += os.lstat(os.path.join(folder, file)).st_size
            except OSError:  # removed meanwhile by whoever else uses the cache
                continue
        if time.monotonic() > until:
            complete = False
            break
    return {"name": name, "path": str(path), "exists": os.path.isdir(path), "bytes": size, "complete": complete}
