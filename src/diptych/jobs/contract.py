"""What a job and an executor owe each other.

A job is a small picklable object; ``open`` is called once per worker, loads what the work needs (models, connections)
and returns the function that does one task. Every executor runs the same object unchanged: it opens the job once in
each worker and gives the returned function the tasks. Nothing here knows what a task is.
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

    def open(self, report: Report) -> Callable[[TaskContra], OutcomeCo]:
        """Load what the work needs, once per worker, and return the function that does one task.

        Args:
            report: May be called while a task is done, with a number of rows and how they fared (reason -> rows), for
                whoever watches; it changes no result.
        """
        ...


class Executor(Protocol):
    """Has a job done somewhere."""

    def __call__(
        self, job: Job[Task, Outcome], tasks: Iterable[Task], *, workers: int, report: Report
    ) -> Iterator[Outcome]:
        """Yield the outcome of each task as it finishes, in any order: an outcome says what it belongs to.

        Nothing is opened when there is no task. Tasks are taken a few ahead of the workers, so that few are held. An
        exception of a task ends the run with it; outcomes that were already yielded stay valid.

        Args:
            job: What to do.
            tasks: What to do it to.
            workers: How many do it at once at most, at least 1.
            report: Called with what the job reports, in the process and the thread that take the outcomes.

        Raises:
            DataError: If a worker dies.
        """
        ...
