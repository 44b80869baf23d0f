"""The executor ``local``: in this process, or in a few worker processes of this machine."""

import contextlib
import errno
import functools
import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, TypeVar

from diptych.errors import DataError, Shortage
from diptych.jobs.contract import Job, Report, ignore_report
from diptych.jobs.ending import what_ended
from diptych.shortage import telling_shortage

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

PARENT_POLL_S = 1.0
REPORT_POLL_S = 0.2
SEMAPHORES = "/dev/shm"  # where the system keeps those by which processes wait for each other
NO_SEMAPHORES = (errno.EACCES, errno.ENOENT, errno.ENOSPC, errno.ENOSYS, errno.EPERM, errno.EROFS)


def run_local(
    job: Job[Task, Outcome], tasks: Iterable[Task], *, workers: int = 1, report: Report = ignore_report
) -> Iterator[Outcome]:
    """Yield the outcome of each task as it finishes.

    One worker runs in this process, in order; more run in spawned processes, so outcomes come in any order and must
    say what they belong to. Nothing is opened when there is no task. An exception of a task ends the run with it;
    outcomes that were already yielded stay valid.

    Args:
        job: What to do; picklable if ``workers`` is more than 1.
        tasks: What to do it to; taken one by one, a few ahead of the workers.
        workers: Processes at most, at least 1.
        report: Called here with what the job reports while it works.

    Raises:
        DataError: If a worker process ends by itself, or does not even begin, and says how it ended; or if there can
            be none, since the system gives no semaphores.
        Shortage: If there can be none, since there is no room for semaphores.
    """
    remaining = iter(tasks)
    for first in remaining:
        tasks = itertools.chain([first], remaining)
        if workers > 1:
            yield from _run_in_processes(job, tasks, workers, report)
            return
        work = job.open(report)
        for task in tasks:
            yield work(task)


def _run_in_processes(
    job: Job[Task, Outcome], tasks: Iterator[Task], workers: int, report: Report
) -> Iterator[Outcome]:
    context = _NotingContext()
    with _naming_semaphores(), _deaf():  # multiprocessing starts a process that looks after semaphores
        reports: Any = context.SimpleQueue()
        begun = context.Event()
        begin = (job, os.getpid(), reports, begun)
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker, initargs=begin)
    pending: set[Future[Outcome]] = set()
    is_interrupted = False
    try:
        # One more in flight than workers: none idles, and few tasks are held in memory.
        for task in itertools.islice(tasks, workers + 1):
            pending.add(pool.submit(_run_in_worker, task))
        while pending:
            done, pending = wait(pending, timeout=REPORT_POLL_S, return_when=FIRST_COMPLETED)
            _pass_on(reports, report)
            for future in done:
                yield future.result()
                for task in itertools.islice(tasks, 1):
                    pending.add(pool.submit(_run_in_worker, task))
    except BrokenProcessPool as error:
        pool.shutdown(wait=True, cancel_futures=True)  # then it is known how each ended
        raise DataError(what_ended([process.exitcode for process in context.made], begun.is_set())) from error
    except KeyboardInterrupt:
        is_interrupted = True
        raise
    finally:
        if is_interrupted:
            _end(pool, context.made)
        else:
            _wait_for(pool, reports)


def _end(pool: ProcessPoolExecutor, processes: Iterable[SpawnProcess]) -> None:
    """End workers where they stand: what they write is there whole or not at all."""
    for process in processes:
        process.terminate()
    pool.shutdown(wait=False, cancel_futures=True)  # a worker may have ended while it held what others wait for


def _wait_for(pool: ProcessPoolExecutor, reports: Any) -> None:
    """Let workers end the tasks that they have; they must not wait for ever until somebody takes their reports."""
    ended = threading.Event()
    taker = threading.Thread(target=_take_until, args=(reports, ended), daemon=True)
    taker.start()
    pool.shutdown(wait=True, cancel_futures=True)
    ended.set()
    taker.join()


@contextlib.contextmanager
def _naming_semaphores() -> Iterator[None]:
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
def _deaf() -> Iterator[None]:
    """Let no Ctrl-C and no closed terminal reach a process that begins meanwhile: the parent ends it."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})  # which a new process inherits
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


class _DeafProcess(SpawnProcess):
    """A worker that hears its parent alone, also while it imports."""

    def start(self) -> None:
        with _deaf():
            super().start()


class _NotingContext(SpawnContext):
    """Starts worker processes anew, and knows those that it made."""

    def __init__(self) -> None:
        self.made: list[SpawnProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: N802 -- a class there
        process = _DeafProcess(*args, **kwargs)
        self.made.append(process)
        return process


def _pass_on(reports: Any, report: Report) -> None:
    while not reports.empty():
        report(*reports.get())


def _take_until(reports: Any, ended: threading.Event) -> None:
    while not ended.wait(REPORT_POLL_S / 4):
        _pass_on(reports, ignore_report)


_job: Job[Any, Any] | None = None  # one per worker process, set once by the initializer
_reports: Any = None


def _begin_worker(job: Job[Any, Any], parent: int, reports: Any, begun: Any) -> None:
    global _job, _reports
    begun.set()
    threading.Thread(target=_exit_with_parent, args=(parent,), daemon=True).start()
    _job, _reports = job, reports


@functools.cache
def _open_in_worker() -> Callable[[Any], Any]:
    # With the first task, not in the initializer, where an exception would only break the pool.
    assert _job is not None
    return _job.open(lambda rows, reasons: _reports.put((rows, dict(reasons))))


def _run_in_worker(task: Any) -> Any:
    with telling_shortage():  # while it is known what an error was raised from, which does not travel
        return _open_in_worker()(task)


def _exit_with_parent(parent: int) -> None:
    # A killed parent cannot stop its pool; without this its workers would wait for tasks forever.
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_S)
    os._exit(1)
