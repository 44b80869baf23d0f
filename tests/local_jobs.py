"""Small jobs for the tests of executors; in a module of their own, because worker processes have to import them."""

import copy
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from diptych.errors import DecodeError
from diptych.jobs.contract import Report
from diptych.jobs.local import run_local


@dataclass(frozen=True)
class Square:
    """Notes each opening in ``opened`` and returns (task, its square, process id); a task below 0 is refused."""

    opened: Path
    wait_s: float = 0.0
    uses_gpu: ClassVar[bool] = False

    def open(self, report: Report) -> Callable[[int], tuple[int, int, int]]:
        with self.opened.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return self._square

    def _square(self, task: int) -> tuple[int, int, int]:
        time.sleep(self.wait_s)
        if task < 0:
            raise DecodeError("corrupt", f"task {task}")
        return task, task * task, os.getpid()


@dataclass(frozen=True)
class Sharing:
    """Has three tasks in hand and waits a moment until as many have begun; notes in ``closed`` that it was ended.

    Reports whether they had; a task below 0 is refused; one above 99 waits until it is broken off.
    """

    closed: Path

    at_once = 3
    uses_gpu: ClassVar[bool] = False

    def open(self, report: Report) -> "SharingWork":
        return SharingWork(self.closed, report)


class SharingWork:
    """What a ``Sharing`` job opens."""

    def __init__(self, closed: Path, report: Report) -> None:
        self._closed, self._report = closed, report
        self._begun: list[int] = []
        self._are_together = threading.Event()
        self._is_over = threading.Event()

    def __call__(self, task: int) -> tuple[int, int]:
        if task > 99:
            self._is_over.wait()
            raise DecodeError("corrupt", "broken off")
        self._begun.append(task)
        if len(self._begun) == Sharing.at_once:
            self._are_together.set()
        told = "together" if self._are_together.wait(1.0) else "alone"
        if task < 0:
            raise DecodeError("corrupt", f"task {task}")
        self._report(1, {told: 1})
        return task, os.getpid()

    def telling(self, report: Report) -> "SharingWork":
        other = copy.copy(self)
        other._report = report
        return other

    def close(self) -> None:
        with self._closed.open("a") as file:
            file.write(f"{os.getpid()}\n")
        self._is_over.set()


@dataclass(frozen=True)
class Reporting:
    """Reports each task ``times`` times before it is done."""

    times: int
    uses_gpu: ClassVar[bool] = False

    def open(self, report: Report) -> Callable[[int], int]:
        def work(task: int) -> int:
            for _ in range(self.times):
                report(1, {f"task {task}": 1})
            return task

        return work


@dataclass(frozen=True)
class Placed:
    """Returns the part of the machine that its worker is told it has, by the names of variables."""

    opened: Path
    uses_gpu: bool
    names: tuple[str, ...] = ("CUDA_VISIBLE_DEVICES", "DIPTYCH_CPUS")

    def open(self, report: Report) -> Callable[[int], tuple[str | None, ...]]:
        with self.opened.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return self._part

    def _part(self, task: int) -> tuple[str | None, ...]:
        """Wait until all workers have begun, so that each does a task."""
        deadline = time.monotonic() + 60
        while len(self.opened.read_text().splitlines()) < task and time.monotonic() < deadline:
            time.sleep(0.01)
        return tuple(os.environ.get(name) for name in self.names)


@dataclass(frozen=True)
class DyingOnce:
    """Kills its worker at the task 1, once, after it has reported; notes each task that it begins in ``begun``."""

    begun: Path
    uses_gpu: ClassVar[bool] = False

    def open(self, report: Report) -> Callable[[int], int]:
        def work(task: int) -> int:
            begun = self.begun.read_text().split() if self.begun.exists() else []
            with self.begun.open("a") as file:
                file.write(f"{task}\n")
            report(10, {"ok": 10})
            if task == 1 and "1" not in begun:
                time.sleep(0.5)  # so that somebody hears of the ten
                os.kill(os.getpid(), signal.SIGKILL)
            return task

        return work


@dataclass(frozen=True)
class SeveralDyingOnce:
    """Has two tasks in hand; task 1 kills their worker, once, after it has reported, and while the other waits for it.

    Notes each task that it begins in ``begun``.
    """

    begun: Path

    at_once = 2
    uses_gpu: ClassVar[bool] = False

    def open(self, report: Report) -> "SeveralDyingOnceWork":
        return SeveralDyingOnceWork(self.begun, report)


@dataclass(frozen=True)
class SeveralDyingOnceWork:
    """What a ``SeveralDyingOnce`` job opens."""

    begun: Path
    report: Report

    def telling(self, report: Report) -> "SeveralDyingOnceWork":
        return replace(self, report=report)

    def close(self) -> None: ...

    def __call__(self, task: int) -> int:
        is_first = not self.begun.exists() or str(task) not in self.begun.read_text().split()
        with self.begun.open("a") as file:
            file.write(f"{task}\n")
        self.report(10, {"ok": 10})
        if task == 0 and is_first:
            time.sleep(30)
        if task == 1 and is_first:
            time.sleep(0.7)  # so that somebody hears of both
            os.kill(os.getpid(), signal.SIGKILL)
        return task


@dataclass(frozen=True)
class Unopenable:
    """Cannot be opened."""

    uses_gpu: ClassVar[bool] = False

    def open(self, report: Report) -> Callable[[int], int]:
        raise DecodeError("unsupported", "no model here")


@dataclass(frozen=True)
class Dying:
    """Ends its worker by a signal, as the system does when memory runs out, or with an exit code."""

    way: str
    uses_gpu: ClassVar[bool] = False

    def open(self, report: Report) -> Callable[[int], int]:
        return self._die

    def _die(self, task: int) -> int:
        if self.way == "exit":
            os._exit(3)
        os.kill(os.getpid(), signal.Signals[self.way])
        return task


class SeveralDying(Dying):
    """Has two tasks in hand."""

    at_once = 2


def run_square() -> None:
    """Run a job with two workers; a script without a guard calls it."""
    list(run_local(Square(Path("opened")), range(3), workers=2))


def run_for_ever(opened: Path) -> None:
    """Keep two workers busy until somebody kills this process."""
    for _ in run_local(Square(opened, wait_s=0.05), range(10**9), workers=2):
        pass


def counted(count: int, taken: list[int]) -> Iterator[int]:
    """Yield the numbers from 0 on, and note each that is taken."""
    for task in range(count):
        taken.append(task)
        yield task


def is_alive(process: int) -> bool:
    """Return whether a process has not ended."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # A zombie has ended; only its parent has not looked yet.
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
