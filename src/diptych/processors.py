"""The processors of this machine: how many this process may use, and how many of them are its own beside others."""

import math
import os
from pathlib import Path

SHARE = "DIPTYCH_CPUS"  # what one worker may take of them, set by who starts it


def own_cpus() -> int:
    """Return how many processors this process should use: its share where it is one of several workers, else all."""
    given = os.environ.get(SHARE, "")
    return max(1, int(given)) if given.isdecimal() else usable_cpus()


def share_of_cpus(workers: int) -> int:
    """Return how many processors each of several workers has: their part, rounded down, and one at least."""
    return max(1, own_cpus() // workers)


def usable_cpus(root: Path = Path("/")) -> int:
    """Return how many processors this process may use: affinity and control group, rounded up."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for folder in control_groups(root, "cpu"):
        words = (read_fact(folder / "cpu.max") or "").split()
        words = words or [read_fact(folder / f"cpu.cfs_{part}_us") or "" for part in ("quota", "period")]
        if all(word.isdigit() for word in words):  # "max" or -1 where there is no limit
            quota, period = map(int, words)
            count = min(count, max(1, math.ceil(quota / period)))
    return count


def control_groups(root: Path, controller: str) -> list[Path]:
    """Return the folders of this process's control group and its parents, version 2 and version 1, innermost first."""
    folders = []
    for line in (read_fact(root / "proc/self/cgroup") or "").splitlines():
        _, names, group = line.split(":", 2)
        if names and controller not in names.split(","):
            continue
        base = root / "sys/fs/cgroup" / (controller if names else "")
        own = base / group.strip("/")
        folders += [own, *(parent for parent in own.parents if parent.is_relative_to(base))]
    return folders


def read_fact(path: Path) -> str | None:
    """Return what a small file of the system says; None where it is not there or cannot be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
