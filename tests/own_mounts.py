"""A shell that may mount what it likes, seen by nobody else: root in name spaces of its own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import diptych

SRC = Path(diptych.__file__).resolve().parents[1]


def can_mount() -> bool:
    """Return whether there can be such a shell here."""
    tool = shutil.which("unshare")
    return bool(tool) and subprocess.run([str(tool), "-rm", "true"], capture_output=True).returncode == 0


NEEDS_MOUNT = pytest.mark.skipif(not can_mount(), reason="no file system can be mounted here")


def run_with_mounts(script: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a script of such a shell in a folder, with the code that is tested."""
    return subprocess.run(
        ["unshare", "-rm", "bash", "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        timeout=200,
    )
