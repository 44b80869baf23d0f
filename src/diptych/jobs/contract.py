"""What a job and an executor owe each other.

A job is a small picklable object; ``open`` is called once per worker, loads what the work needs (models, connections)
and returns the function that does one task. Every executor runs the same object unchanged: it opens the job once in
each worker and gives the returned function the tasks. Nothing here knows what a task is.

Some work waits more than it computes. A job may then have an attribute ``at_once``: how many tasks a worker should have
in hand. Its function is then called from that many threads at once, and has two methods. ``close`` breaks off the calls
that are still under way: an executor calls it at the end, whatever happened, or ends the process that made them.
``telling`` is for an executor that has to know of which task it hears. It may as well do one task after the other.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

Task = TypeVar("Task")
TaskContra = TypeVar("TaskContra", contravariant=True)
Outcome = TypeVar("Outcome")
OutcomeCo = TypeVar("OutcomeCo", covariant=True)

Report = Callable[[int, Mapping[str, int]], None]


def ignore_report(rows: int, reasons: Mapping[str, int]) -> None:
    """Tell nobody."""


class Job(Protocol[TaskContra, OutcomeCo]):
    """Small, picklable, the same wherever it runs."""

    @property
    def uses_gpu(self) -> bool:
        """Whether a worker takes a GPU for itself where there are some."""
        ...

    def open(self, report: Report) -> Callable[[TaskContra], OutcomeCo]:
        """Load what the work needs, once per worker, and return the function that does one task.

        Args:
            report: May be called while a task is done, with a number of rows and how they fared (reason -> rows), for
                whoever watches; it changes no result.
        """
        ...


class SharedWork(Protocol[TaskContra, OutcomeCo]):
    """What ``open`` returns where a worker has several tasks in hand."""

    def __call__(self, task: TaskContra, /) -> OutcomeCo:
        """Do one task; called from several threads at a time."""
        ...

    def telling(self, report: Report) -> Callable[[TaskContra], OutcomeCo]:
        """Return the same work, which reports of the tasks that it is given to another; ends with this one."""
        ...

    def close(self) -> None:
        """End it, from any thread: calls that are under way raise soon."""
        ...


def tasks_at_once(job: Job[Task, Outcome]) -> int:
    """Return how many tasks of a job a worker should have in hand at a time."""
    return int(getattr(job, "at_once", 1))


class Executor(Protocol):
    """Has a job done somewhere."""

    def __call__(
        self, job: Job[Task, Outcome], tasks: Iterable[Task], *, workers: int | None, report: Report
    ) -> Iterator[Outcome]:
        """Yield the outcome of each task as it finishes, in any order: an outcome says what it belongs to.

        Nothing is opened when there is no task. Tasks are taken a few ahead of the workers, so that few are held. An
        exception of a task ends the run with it; outcomes that were already yielded stay valid.

        Args:
            job: What to do.
            tasks: What to do it to.
            workers: How many do it at once at most, at least 1; None for as many as there are GPUs for a job that uses
                them, and what the executor finds right for another.
            report: Called with what the job reports, in the process and the thread that take the outcomes.

        Raises:
            DataError: If a worker dies.
        """
        ...
