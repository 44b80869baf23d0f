"""What made a result: versions, source revision, platform. No times, paths, host names or environment values.

Times are left out so that the same inputs give the same bytes; they are printed while a job runs.
"""

import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Any

import diptych

# Packages whose version can change a number or a file.
PACKAGES = (
    "diffusers",
    "duckdb",
    "lingua-language-detector",
    "numpy",
    "open-clip-torch",
    "pillow",
    "pillow-heif",
    "pyarrow",
    "torch",
    "torchvision",
    "transformers",
)


def package_versions(names: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """Return the installed version of each named package; what is not installed is left out. Imports nothing."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def source_revision() -> str | None:
    """Return the git revision of the checkout that runs, with ``+changes`` if it is not clean; None when installed."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        revision = _git(root, "rev-parse", "HEAD")
        return revision + ("+changes" if _git(root, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def collect() -> dict[str, Any]:
    """Return what made a result, as JSON-able values."""
    return {
        "diptych": diptych.__version__,
        "revision": source_revision(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": package_versions(),
    }


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
