"""The executor ``local``: in this process, or in a few worker processes of this machine."""

import functools
import itertools
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import SpawnProcess
from typing import Any, TypeVar

from diptych.devices import count_gpus
from diptych.errors import DataError
from diptych.jobs.contract import Executor, Job, Report, ignore_report, tasks_at_once
from diptych.jobs.ending import what_ended
from diptych.jobs.in_hand import TasksInHand
from diptych.jobs.spawned import NotingContext, deaf, naming_semaphores
from diptych.processors import share_of_cpus
from diptych.shortage import telling_shortage

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

PARENT_POLL_S = 1.0
REPORT_POLL_S = 0.2


def local_executor() -> Executor:
    """Return the executor; it has no options."""
    return run_local


def run_local(
    job: Job[Task, Outcome], tasks: Iterable[Task], *, workers: int | None = 1, report: Report = ignore_report
) -> Iterator[Outcome]:
    """Yield the outcome of each task as it finishes.

    One worker runs in this process, in order; more run in spawned processes, so outcomes come in any order and must
    say what they belong to. Nothing is opened when there is no task. An exception of a task ends the run with it;
    outcomes that were already yielded stay valid. Of several workers each has its share of the processors, and the next
    GPU for a job that uses them.

    Args:
        job: What to do; picklable if ``workers`` is more than 1.
        tasks: What to do it to; taken one by one, a few ahead of the workers.
        workers: Processes at most, at least 1; None for one per GPU if the job uses them, else one.
        report: Called here with what the job reports while it works.

    Raises:
        DataError: If a worker process ends by itself, or does not even begin, and says how it ended; or if there can
            be none, since the system gives no semaphores.
        Shortage: If there can be none, since there is no room for semaphores.
    """
    remaining = iter(tasks)
    for first in remaining:
        tasks = itertools.chain([first], remaining)
        gpus = count_gpus() if job.uses_gpu else 0
        workers = workers or max(1, gpus)
        if workers > 1:
            has_several = tasks_at_once(job) > 1
            yield from (_run_sharing if has_several else _run_in_processes)(job, tasks, workers, gpus, report)
        elif tasks_at_once(job) > 1:
            yield from _run_in_threads(job, tasks, report)
        else:
            work = job.open(report)
            for task in tasks:
                yield work(task)


def _run_in_threads(job: Job[Task, Outcome], tasks: Iterator[Task], report: Report) -> Iterator[Outcome]:
    """Do several tasks at a time in this process; threads report to a queue, and this thread alone to ``report``."""
    reports: Any = queue.SimpleQueue()
    hands = TasksInHand(job, lambda rows, reasons: reports.put((rows, dict(reasons))))
    try:
        while True:
            for task in itertools.islice(tasks, hands.free):
                hands.take(task)
            if hands.is_empty:
                return
            outcomes = hands.finished(REPORT_POLL_S)
            _pass_on(reports, report)
            yield from outcomes
    finally:
        hands.close()


def _run_sharing(
    job: Job[Task, Outcome], tasks: Iterator[Task], workers: int, gpus: int, report: Report
) -> Iterator[Outcome]:
    """Do several tasks at a time in each of some processes, each with a pool of its own, so that it can be addressed.

    A process is given a task at a time, and gives back what of those in its hands is finished.
    """
    shared = _Shared(gpus, share_of_cpus(workers))
    pools = [shared.pool(job, 1) for _ in range(workers)]
    in_hand = dict.fromkeys(pools, 0)
    steps: dict[Future[list[Outcome]], ProcessPoolExecutor] = {}

    def go_on(pool: ProcessPoolExecutor) -> None:
        given = list(itertools.islice(tasks, 1))
        in_hand[pool] += len(given)
        if in_hand[pool]:
            steps[pool.submit(_step_in_worker, given)] = pool

    is_over = False
    try:
        for pool in pools:
            go_on(pool)
        while steps:
            done, _ = wait(steps, timeout=REPORT_POLL_S, return_when=FIRST_COMPLETED)
            _pass_on(shared.reports, report)
            for future in done:
                pool, outcomes = steps.pop(future), future.result()
                in_hand[pool] -= len(outcomes)
                yield from outcomes
                go_on(pool)
        is_over = True
    except BrokenProcessPool as error:
        raise shared.ending(pools) from error
    finally:
        if is_over:
            _wait_for(pools, shared.reports)
        else:
            _end(pools, shared.context.made)


class _Shared:
    """What all worker processes of a run share with this one."""

    def __init__(self, gpus: int, cpus: int) -> None:
        self.context = NotingContext(gpus, cpus)
        with naming_semaphores(), deaf():  # multiprocessing starts a process that looks after semaphores
            self.reports: Any = self.context.SimpleQueue()
            self._begun = self.context.Event()

    def pool(self, job: Job[Any, Any], workers: int) -> ProcessPoolExecutor:
        begin = (job, os.getpid(), self.reports, self._begun)
        with naming_semaphores(), deaf():
            return ProcessPoolExecutor(workers, mp_context=self.context, initializer=_begin_worker, initargs=begin)

    def ending(self, pools: Iterable[ProcessPoolExecutor]) -> DataError:
        """End all where one has ended, and return how that was."""
        for process in self.context.made:
            process.terminate()
        for pool in pools:
            pool.shutdown(wait=True, cancel_futures=True)  # then it is known how each ended
        return DataError(what_ended([process.exitcode for process in self.context.made], self._begun.is_set()))


def _run_in_processes(
    job: Job[Task, Outcome], tasks: Iterator[Task], workers: int, gpus: int, report: Report
) -> Iterator[Outcome]:
    shared = _Shared(gpus, share_of_cpus(workers))
    pool = shared.pool(job, workers)
    pending: set[Future[Outcome]] = set()
    is_interrupted = False
    try:
        # One more in flight than workers: none idles, and few tasks are held in memory.
        for task in itertools.islice(tasks, workers + 1):
            pending.add(pool.submit(_run_in_worker, task))
        while pending:
            done, pending = wait(pending, timeout=REPORT_POLL_S, return_when=FIRST_COMPLETED)
            _pass_on(shared.reports, report)
            for future in done:
                yield future.result()
                for task in itertools.islice(tasks, 1):
                    pending.add(pool.submit(_run_in_worker, task))
    except BrokenProcessPool as error:
        raise shared.ending([pool]) from error
    except KeyboardInterrupt:
        is_interrupted = True
        raise
    finally:
        if is_interrupted:
            _end([pool], shared.context.made)
        else:
            _wait_for([pool], shared.reports)


def _end(pools: Iterable[ProcessPoolExecutor], processes: Iterable[SpawnProcess]) -> None:
    """End workers where they stand: what they write is there whole or not at all."""
    for process in processes:
        process.terminate()
    for pool in pools:
        pool.shutdown(wait=False, cancel_futures=True)  # a worker may have ended while it held what others wait for


def _wait_for(pools: Iterable[ProcessPoolExecutor], reports: Any) -> None:
    """Let workers end the tasks that they have; they must not wait for ever until somebody takes their reports."""
    ended = threading.Event()
    taker = threading.Thread(target=_take_until, args=(reports, ended), daemon=True)
    taker.start()
    for pool in pools:
        pool.shutdown(wait=True, cancel_futures=True)
    ended.set()
    taker.join()


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


def _report_from_worker(rows: int, reasons: Mapping[str, int]) -> None:
    _reports.put((rows, dict(reasons)))


@functools.cache
def _open_in_worker() -> Callable[[Any], Any]:
    # With the first task, not in the initializer, where an exception would only break the pool.
    assert _job is not None
    return _job.open(_report_from_worker)


@functools.cache
def _hands_of_worker() -> TasksInHand[Any, Any]:
    assert _job is not None
    return TasksInHand(_job, _report_from_worker)


def _run_in_worker(task: Any) -> Any:
    with telling_shortage():  # while it is known what an error was raised from, which does not travel
        return _open_in_worker()(task)


def _step_in_worker(given: list[Any]) -> list[Any]:
    """Take one more task in hand, or none; return an outcome once no more fit, or no more come."""
    with telling_shortage():
        hands = _hands_of_worker()
        for task in given:
            hands.take(task)
        return [] if given and hands.free else hands.finished()


def _exit_with_parent(parent: int) -> None:
    # A killed parent cannot stop its pool; without this its workers would wait for tasks forever.
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_S)
    os._exit(1)
