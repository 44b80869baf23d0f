"""The machine's memory: how much there is, how much this process may have, and how much of that is free."""

import os
import sys
from pathlib import Path

from diptych.processors import control_groups, read_fact

# What a control group uses, in version 2 and version 1, and how its statistics call what of that it gives back.
USED = (("memory.current", "inactive_file"), ("memory.usage_in_bytes", "total_inactive_file"))
LIMITS = ("memory.max", "memory.limit_in_bytes")


def inspect_memory(root: Path = Path("/")) -> dict[str, int | None]:
    """Return the machine's memory, what is free of it, and the control group's limit, in bytes.

    None stands for no limit, or no way to know.
    """
    table = _table(root / "proc/meminfo")
    total = table.get("MemTotal")
    if total is None and hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [limit for folder in control_groups(root, "memory") if (limit := _limit(folder, total)) is not None]
    return {
        "total_bytes": total,
        "available_bytes": table.get("MemAvailable"),
        "limit_bytes": min(limits, default=None),
    }


def free_main_memory(root: Path = Path("/")) -> int | None:
    """Return how many bytes this process may still take; None where nobody knows.

    The least of what the machine has free, what each of its control groups leaves, and what the limit of its addresses
    (``ulimit -v``) does.
    """
    facts = inspect_memory(root)
    free = [facts["available_bytes"], _free_addresses(root)]
    for folder in control_groups(root, "memory"):
        limit = _limit(folder, facts["total_bytes"])
        free.append(None if limit is None else max(0, limit - _used(folder)))
    return min((one for one in free if one is not None), default=None)


def _table(file: Path) -> dict[str, int]:
    """Return the numbers of a file of ``/proc`` in bytes, by their names."""
    lines = (line.split() for line in (read_fact(file) or "").splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if len(words) > 1 and words[1].isdigit()}


def _limit(folder: Path, total: int | None) -> int | None:
    text = next((told for name in LIMITS if (told := read_fact(folder / name))), "")
    is_one = text.isdigit() and (total is None or int(text) < total)  # version 1 writes a huge number for "no limit"
    return int(text) if is_one else None


def _used(folder: Path) -> int:
    """Return what a control group uses, without the files that it may forget at once."""
    for name, forgotten in USED:
        if (text := read_fact(folder / name) or "").isdigit():
            told = dict(line.split(" ", 1) for line in (read_fact(folder / "memory.stat") or "").splitlines())
            return max(0, int(text) - int(told.get(forgotten, 0)))
    return 0


def _free_addresses(root: Path) -> int | None:
    if sys.platform == "win32":  # which has no such limit
        return None
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return (
        None if limit == resource.RLIM_INFINITY else max(0, limit - _table(root / "proc/self/status").get("VmSize", 0))
    )
