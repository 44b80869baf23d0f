"""Jobs: do the same work for each of many tasks, such as the shards of a dataset, by an engine that is named.

Decides nothing about what the work is, and nothing about how an executor does it.
"""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from diptych.jobs.contract import Job, Report, ignore_report
from diptych.jobs.engine import HERE, Engine

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


def run_job(
    job: Job[Task, Outcome], tasks: Iterable[Task], *, engine: Engine = HERE, report: Report = ignore_report
) -> Iterator[Outcome]:
    """Yield the outcome of each task as it finishes; the outcomes do not depend on the engine, their order may.

    Args:
        job: What to do; picklable where it is done elsewhere.
        tasks: What to do it to.
        engine: Who does it.
        report: Called here with what the job reports while it works.

    Raises:
        ConfigError: If there is no such engine.
        DataError: If a worker dies.
    """
    return engine.executor()(job, tasks, workers=engine.workers, report=report)
