"""A command of diptych in a process of its own, with what it takes: seconds, processor, memory, bytes in and out.

Linux alone tells all of it, in /proc.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

EVERY_S = 0.05  # how often the memory is looked at
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Measured:
    """What a command took.

    Attributes:
        said: What it printed, from JSON.
        seconds: As they went by.
        processor_s: Of all its processes.
        peak_bytes: Resident memory of all its processes together, where that was largest.
        read_bytes: Asked of files, whether they lay in memory or not.
        written_bytes: Given to files.
    """

    said: Any
    seconds: float
    processor_s: float
    peak_bytes: int
    read_bytes: int
    written_bytes: int

    def __str__(self) -> str:
        """Return it in words."""
        moved = f"read {self.read_bytes / 1e9:,.2f} GB, wrote {self.written_bytes / 1e9:,.2f} GB"
        taken = f"{self.seconds:,.0f} s ({self.processor_s:,.0f} s of a processor)"
        return f"{taken}, peak {self.peak_bytes / 2**30:.2f} GiB, {moved}"


@dataclass
class _Watch:
    """What is known of the processes of a command so far."""

    peak_bytes: int = 0
    io: dict[int, tuple[int, int]] = field(default_factory=dict)

    def look(self, process: int) -> None:
        resident = 0
        for one in _tree(process):
            resident += _resident(one)
            self.io[one] = _io(one) or self.io.get(one, (0, 0))
        self.peak_bytes = max(self.peak_bytes, resident)


def run_measured(arguments: Sequence[str], env: Mapping[str, str]) -> Measured:
    """Run ``python -m diptych ... `` and wait for its end.

    Raises:
        RuntimeError: If it fails, with what it said.
    """
    watch, started = _Watch(), time.perf_counter()
    command = [sys.executable, "-m", "diptych", "--progress", "none", *arguments]
    with subprocess.Popen(command, env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        # It says little, so that it never waits for a reader; looked at once more before its numbers are gone with it.
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            watch.look(process.pid)
            time.sleep(EVERY_S)
        watch.look(process.pid)
        seconds = time.perf_counter() - started
        before = os.times()
        out, err = process.communicate()
        after = os.times()
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{err.decode()}")
    processor_s = after.children_user + after.children_system - before.children_user - before.children_system
    read, written = (sum(each) for each in zip(*watch.io.values(), strict=True))
    return Measured(json.loads(out), seconds, processor_s, watch.peak_bytes, read, written)


def _tree(process: int) -> Iterator[int]:
    yield process
    for task in Path(f"/proc/{process}/task").glob("*"):
        for child in _text(task / "children").split():
            yield from _tree(int(child))


def _resident(process: int) -> int:
    words = _text(Path(f"/proc/{process}/statm")).split()
    return int(words[1]) * PAGE_BYTES if words else 0


def _io(process: int) -> tuple[int, int] | None:
    told = dict(line.split(": ") for line in _text(Path(f"/proc/{process}/io")).splitlines())
    return (int(told["rchar"]), int(told["wchar"])) if told else None


def _text(place: Path) -> str:
    try:
        return place.read_text()
    except OSError:  # it has ended
        return ""
