"""``diptych doctor``: what this machine offers and what is installed.

Reads, measures and prints; changes nothing, opens no network connection and prints no secret (of a token it says only
whether it is set). Package versions come from metadata; only the device check imports anything, namely torch.
"""

import importlib.util
import math
import os
import platform
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from diptych import __version__
from diptych.assets import TRUTHY, cache_dir
from diptych.command_line import AS_JSON, print_json
from diptych.provenance import package_versions

# The version of the shape that `inspect_machine` returns: raised when a key is renamed, removed or changes its meaning.
SCHEMA_VERSION = 1

SUPPORTED_PYTHON = ((3, 11), (3, 12))

BASE = ("click", "pydantic", "pyyaml")

# What each extra of pyproject.toml installs; a test compares the two.
EXTRAS: dict[str, tuple[str, ...]] = {
    "curate": (
        "duckdb",
        "img2dataset",
        "lingua-language-detector",
        "numpy",
        "open-clip-torch",
        "pillow",
        "pooch",
        "pyarrow",
        "rich",
        "torch",
        "torchvision",
    ),
    "evaluate": (
        "duckdb",
        "numpy",
        "open-clip-torch",
        "pillow",
        "pooch",
        "pyarrow",
        "rich",
        "scikit-learn",
        "scipy",
        "torch",
        "torchmetrics",
        "torchvision",
    ),
    "generate": ("accelerate", "diffusers", "numpy", "pillow", "pooch", "pyarrow", "rich", "torch", "transformers"),
    "heic": ("pillow-heif",),
    "reports": ("duckdb", "jinja2", "numpy", "pillow", "pyarrow", "rich"),
}

OFFLINE_FLAGS = ("DIPTYCH_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
TELEMETRY_FLAGS = ("DO_NOT_TRACK", "HF_HUB_DISABLE_TELEMETRY", "NO_ALBUMENTATIONS_UPDATE")
SECRETS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "OPENAI_API_KEY", "WANDB_API_KEY")

SIZE_TIME_S = 1.0  # a hub cache can hold millions of files; nobody waits minutes for its size


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


def inspect_extra(name: str, versions: Mapping[str, str]) -> dict[str, Any]:
    """Return whether an optional part is complete, what it lacks and the command that installs it."""
    missing = [package for package in EXTRAS[name] if package not in versions]
    return {"present": not missing, "missing": missing, "install": f"pip install 'diptych[{name}]'"}


def hub_cache_dir() -> Path:
    """Return where Hugging Face models are cached, whether or not the folder exists.

    The order of the variables is that of ``huggingface_hub/constants.py``, read here without importing that package.
    """
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or f"{base}/huggingface"
    hub = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or f"{home}/hub"
    return Path(hub).expanduser()


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
    return {"name": name, "path": str(path), "exists": path.is_dir(), "bytes": size, "complete": complete}


def inspect_disk(name: str, path: Path) -> dict[str, Any]:
    """Return the free space where a folder is or would be made."""
    existing = next((place for place in (path, *path.parents) if place.is_dir()), Path.cwd())
    try:
        free = shutil.disk_usage(existing).free
    except OSError:
        free = None
    return {"name": name, "path": str(path), "free_bytes": free}


def usable_cpus(root: Path) -> int:
    """Return how many processors this process may use: affinity and control group, rounded up."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for folder in _control_groups(root, "cpu"):
        words = (_read(folder / "cpu.max") or "").split()
        words = words or [_read(folder / f"cpu.cfs_{part}_us") or "" for part in ("quota", "period")]
        if all(word.isdigit() for word in words):  # "max" or -1 where there is no limit
            quota, period = map(int, words)
            count = min(count, max(1, math.ceil(quota / period)))
    return count


def inspect_memory(root: Path) -> dict[str, int | None]:
    """Return the machine's memory and the control group's limit in bytes; None for no limit or no way to know."""
    lines = (line.split() for line in (_read(root / "proc/meminfo") or "").splitlines())
    table = {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if len(words) > 1 and words[1].isdigit()}
    total = table.get("MemTotal")
    if total is None and hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = []
    for folder in _control_groups(root, "memory"):
        text = _read(folder / "memory.max") or _read(folder / "memory.limit_in_bytes") or ""
        if text.isdigit() and (total is None or int(text) < total):  # version 1 writes a huge number for "no limit"
            limits.append(int(text))
    return {
        "total_bytes": total,
        "available_bytes": table.get("MemAvailable"),
        "limit_bytes": min(limits, default=None),
    }


def _control_groups(root: Path, controller: str) -> list[Path]:
    """Return the folders of this process's control group and its parents, version 2 and version 1, innermost first."""
    folders = []
    for line in (_read(root / "proc/self/cgroup") or "").splitlines():
        _, names, group = line.split(":", 2)
        if names and controller not in names.split(","):
            continue
        base = root / "sys/fs/cgroup" / (controller if names else "")
        own = base / group.strip("/")
        folders += [own, *(parent for parent in own.parents if parent.is_relative_to(base))]
    return folders


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


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


def _is_on(flag: str) -> bool:
    return os.environ.get(flag, "").lower() in TRUTHY


def format_report(report: Mapping[str, Any]) -> str:
    """Return the result of ``inspect_machine`` as text."""
    sections = {"Machine": _machine_rows(report), "Caches": _cache_rows(report), "Settings": _setting_rows(report)}
    sections["Packages"] = [(name, version or "-") for name, version in report["packages"].items()]
    sections["Optional parts"] = [
        (name, "complete" if part["present"] else f"missing {', '.join(part['missing'])}: {part['install']}")
        for name, part in report["extras"].items()
    ]
    width = max(len(name) for rows in sections.values() for name, _ in rows)
    lines = [f"diptych {report['diptych']}"]
    for title, rows in sections.items():
        lines += ["", title, *(f"  {name:<{width}}  {value}" for name, value in rows)]
    return "\n".join(lines)


def _machine_rows(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    python, memory, devices = report["python"], report["memory"], report["devices"]
    wanted = "" if python["supported"] else f"; diptych needs {' or '.join(f'{a}.{b}' for a, b in SUPPORTED_PYTHON)}"
    limit = f", this process may use {format_bytes(memory['limit_bytes'])}" if memory["limit_bytes"] is not None else ""
    rows = [
        ("Python", f"{python['version']} ({python['implementation']}){wanted}"),
        ("platform", " ".join(report["platform"].values())),
        ("processors", f"{report['cpu']['usable']} usable of {report['cpu']['count']}"),
        (
            "memory",
            f"{format_bytes(memory['available_bytes'])} available of {format_bytes(memory['total_bytes'])}{limit}",
        ),
    ]
    for device in devices["found"]:
        rows.append((device["device"], f"{device['name']}, {format_bytes(device['memory_bytes'])}"))
    if not devices["found"]:
        rows.append(("GPU", "none" if devices["checked"] else devices["problem"] or "not looked for"))
    rows += [(f"disk, {disk['name']}", f"{format_bytes(disk['free_bytes'])} free") for disk in report["disk"]]
    return rows


def _cache_rows(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = []
    for cache in report["caches"]:
        at_least = "" if cache["complete"] else "at least "
        size = f"{at_least}{format_bytes(cache['bytes'])}" if cache["exists"] else "none yet"
        rows.append((cache["name"], f"{size} at {_shorten(cache['path'])}"))
    return rows


def _setting_rows(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    flags = report["offline"] | {name: on for name, on in report["telemetry"].items() if name != "diptych"}
    rows = [("telemetry", "diptych sends none; the flags below tell other packages")]
    rows += [(name, "on" if on else "off") for name, on in flags.items()]
    return rows + [(name, "set" if given else "not set") for name, given in report["secrets"].items()]


def _shorten(path: str) -> str:
    """Return the path with ``~`` for the home folder, whose name is nobody's business in a pasted report."""
    home = str(Path.home())
    return "~" + path[len(home) :] if path.startswith(home + os.sep) else path


def format_bytes(count: int | None) -> str:
    """Return a size in powers of 1024.

    >>> format_bytes(512), format_bytes(1536), format_bytes(16 * 1024**3), format_bytes(None)
    ('512 B', '1.5 KiB', '16.0 GiB', 'unknown')
    """
    if count is None:
        return "unknown"
    power = min(max(count.bit_length() - 1, 0) // 10, 4)
    size = count / 1024**power
    return f"{size:.1f} {('', 'Ki', 'Mi', 'Gi', 'Ti')[power]}B" if power else f"{count} B"


@click.command()
@AS_JSON
@click.option("--devices/--no-devices", default=True, help="Look for GPUs, which imports torch and takes seconds.")
def doctor(as_json: bool, devices: bool) -> None:
    """Show what this machine offers and what is installed.

    Changes nothing, opens no network connection and prints no secret.
    """
    report = inspect_machine(devices=devices)
    if as_json:
        print_json(report, indent=2)
    else:
        click.echo(format_report(report))
