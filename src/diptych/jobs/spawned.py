"""Worker processes of this machine as they are started: deaf to what stops their parent, each with its part."""

import contextlib
import errno
import os
import signal
from collections.abc import Iterator, Mapping
from multiprocessing.context import SpawnContext, SpawnProcess
from types import MappingProxyType
from typing import Any

from diptych.devices import gpu_first
from diptych.errors import DataError, Shortage
from diptych.processors import SHARE

SEMAPHORES = "/dev/shm"  # where the system keeps those by which processes wait for each other
NO_SEMAPHORES = (errno.EACCES, errno.ENOENT, errno.ENOSPC, errno.ENOSYS, errno.EPERM, errno.EROFS)


@contextlib.contextmanager
def naming_semaphores() -> Iterator[None]:
    """Say where a system keeps semaphores, of which its own error tells nothing, where there can be none."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_SEMAPHORES:
            raise
        said = f"{SEMAPHORES}: {os.strerror(error.errno).lower()}, and worker processes have their semaphores there"
        if error.errno == errno.ENOSPC:
            raise Shortage(f"{said}; make room there, or run with --workers 1") from error
        raise DataError(f"{said}; let it be written to, or run with --workers 1") from error


@contextlib.contextmanager
def deaf() -> Iterator[None]:
    """Let no Ctrl-C and no closed terminal reach a process that begins meanwhile: the parent ends it."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})  # which a new process inherits
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


class _DeafProcess(SpawnProcess):
    """A worker that hears its parent alone, also while it imports, and is told which part of the machine it has."""

    part: Mapping[str, str] = MappingProxyType({})  # variables of its environment

    def start(self) -> None:
        with deaf(), _set_in_environment(self.part):
            super().start()


@contextlib.contextmanager
def _set_in_environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    for name, value in variables.items():
        os.environ[name] = value
    try:
        yield
    finally:
        for name, former in before.items():
            if former is None:
                del os.environ[name]
            else:
                os.environ[name] = former


class NotingContext(SpawnContext):
    """Starts worker processes anew, each with its part of the machine, and knows those that it made."""

    def __init__(self, gpus: int, cpus: int) -> None:
        """Know how many GPUs there are, and how many processors each process has."""
        self.made: list[SpawnProcess] = []
        self._gpus, self._cpus = gpus, cpus

    def Process(self, *args: Any, **kwargs: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: N802 -- a class there
        """Return a process that is not started yet."""
        process = _DeafProcess(*args, **kwargs)
        process.part = {**gpu_first(len(self.made), self._gpus), SHARE: str(self._cpus)}
        self.made.append(process)
        return process
