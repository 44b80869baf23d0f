"""Jobs: do the same work for each of many tasks, such as the shards of a dataset, by an executor that is named.

Decides nothing about what the work is, and nothing about how an executor does it.
"""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from diptych.jobs.contract import Executor, Job, Report, ignore_report
from diptych.lookup import resolve

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

# To add one: a module with a function of the contract ``Executor``, a line here (alphabetical), a test.
EXECUTORS: dict[str, str] = {
    "local": "diptych.jobs.local:run_local",
}


def run_job(
    job: Job[Task, Outcome],
    tasks: Iterable[Task],
    *,
    executor: str = "local",
    workers: int = 1,
    report: Report = ignore_report,
) -> Iterator[Outcome]:
    """Yield the outcome of each task as it finishes; the outcomes do not depend on the executor, their order may.

    Args:
        job: What to do; picklable where it is done elsewhere.
        tasks: What to do it to.
        executor: Name in ``EXECUTORS``.
        workers: How many do it at once at most, at least 1.
        report: Called here with what the job reports while it works.

    Raises:
        ConfigError: If there is no executor of that name.
        DataError: If a worker dies.
    """
    run: Executor = resolve(EXECUTORS, "executor", executor)
    return run(job, tasks, workers=workers, report=report)
