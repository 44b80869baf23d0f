"""Several tasks in the hands of one worker, each in a thread of its own."""

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar, cast

from diptych.jobs.contract import Job, Report, SharedWork, tasks_at_once

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


class TasksInHand(Generic[Task, Outcome]):
    """The tasks of a job that is open, up to as many as it says that a worker should have at once."""

    def __init__(self, job: Job[Task, Outcome], report: Report) -> None:
        """Open the job; ``report`` is called from several threads."""
        self._most = tasks_at_once(job)
        self._work = cast(SharedWork[Task, Outcome], job.open(report))
        self._threads = ThreadPoolExecutor(self._most, "task")
        self._pending: set[Future[Outcome]] = set()

    @property
    def free(self) -> int:
        """How many more can be taken."""
        return self._most - len(self._pending)

    @property
    def is_empty(self) -> bool:
        """Whether there is none."""
        return not self._pending

    def take(self, task: Task) -> None:
        """Begin with one more."""
        self._pending.add(self._threads.submit(self._work, task))

    def finished(self, timeout_s: float | None = None) -> list[Outcome]:
        """Return the outcome of one that is finished, once there is one; none if there is none in time.

        What a task raises is raised here.
        """
        done, _ = wait(self._pending, timeout=timeout_s, return_when=FIRST_COMPLETED)
        first = list(done)[:1]
        self._pending.difference_update(first)
        return [future.result() for future in first]

    def close(self) -> None:
        """Break off what is not finished."""
        self._work.close()
        self._threads.shutdown(wait=True, cancel_futures=True)
