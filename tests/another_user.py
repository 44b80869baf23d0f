"""Another user, whom the system has no name for, as in a container: a folder of their own, and how they run a command.

Where the interpreter lies in a folder that is closed to others, as that of root is, they see it in an open one.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from surroundings import SRC, Surroundings

USER = 54321
PREFIX = Path(sys.executable).resolve().parents[1]
CLOSED = next((folder for folder in reversed(PREFIX.parents) if not folder.stat().st_mode & 0o001), None)
OPEN = f"""
set -e
mount --bind {PREFIX} "$0"; mount -t tmpfs -o mode=755 none {CLOSED}; mkdir -p {PREFIX}; mount --bind "$0" {PREFIX}
"""
BECOME = f'{OPEN if CLOSED else ""} exec setpriv --reuid={USER} --regid={USER} --clear-groups "$@"'


@contextlib.contextmanager
def folder_of_another_user(filled: Path) -> Iterator[Path]:
    """Yield a copy of a folder that is theirs, outside those of the tests, which are closed to others.

    Skips where nobody can become them.
    """
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        here = Path(shutil.copytree(filled, Path(folder, "here")))
        for path in (here, *here.rglob("*")):
            os.chown(path, USER, USER)
        Path(folder, "closed").mkdir(mode=0o700)
        Path(folder, "kept").mkdir()
        trial = "import subprocess, sys, diptych; subprocess.run([sys.executable, '-c', ''], check=True)"
        done = subprocess.run(
            [*as_another_user(here, "").before, sys.executable, "-c", trial],
            env={**os.environ, "PYTHONPATH": str(SRC)},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.skip(f"nobody else can run this here: {done.stderr.strip()[-200:]}")
        yield here


def as_another_user(here: Path, home: str) -> Surroundings:
    """Return how they run a command in their folder.

    Args:
        here: The folder that ``folder_of_another_user`` yields.
        home: What HOME is: ``none`` or ``closed``, one that they may not look into.
    """
    environment = {"HOME": str(here.parent / "closed") if home == "closed" else None, "XDG_CACHE_HOME": None}
    return Surroundings(environment, before=("unshare", "-m", "bash", "-c", BECOME, str(here.parent / "kept")))
