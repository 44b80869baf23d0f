"""The executor ``ray``: in actors of a Ray cluster, of this machine or of many.

Decides how many workers there are and what each has of the cluster. Data stays in files: a task is a few words, and so
is its outcome. On several machines all have to see the same files, by the same paths.
"""

import importlib.util
import itertools
import math
import pickle
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from diptych.errors import ConfigError, MissingExtra
from diptych.jobs.contract import Executor, Job, Report, tasks_at_once
from diptych.jobs.ray_cluster import LOCAL, join
from diptych.jobs.ray_crew import Patience, RayCrew, Room
from diptych.processors import share_of_cpus

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


def ray_executor(
    *, address: str = LOCAL, cpus: float | None = None, gpus: float | None = None, tries: int = 3, wait_s: float = 600.0
) -> Executor:
    """Return the executor.

    Args:
        address: Of the cluster; ``local`` starts one of this machine that ends with the process.
        cpus: Processors of a worker; without it its share of them here, and on a cluster one, or a GPU's share.
        gpus: Of a worker, which may be a part of one; without it one where the job uses them, here a part where there
            are more workers than GPUs.
        tries: How often a task is begun whose worker ends.
        wait_s: How long to wait at most until the cluster has room for a worker.

    Raises:
        ConfigError: If a number makes no sense.
        MissingExtra: If Ray is not installed.
    """
    for name, value, least in (("cpus", cpus, 0), ("gpus", gpus, 0), ("tries", tries, 1), ("wait_s", wait_s, 0)):
        if value is not None and value < least:
            raise ConfigError(f"--engine-options {name}: at least {least}, got {value}")
    if importlib.util.find_spec("ray") is None:
        raise MissingExtra("ray", "ray")
    return RayExecutor(address, cpus, gpus, Patience(tries, wait_s))


@dataclass(frozen=True)
class RayExecutor:
    """Has a job done by Ray; see ``ray_executor``."""

    address: str
    cpus: float | None
    gpus: float | None
    patience: Patience

    def __call__(
        self, job: Job[Task, Outcome], tasks: Iterable[Task], *, workers: int | None, report: Report
    ) -> Iterator[Outcome]:
        """Yield the outcome of each task as it finishes, see ``Executor``."""
        remaining = iter(tasks)
        for first in remaining:
            ray = join(self.address, with_gpus=job.uses_gpu)
            room = self._room(ray, job.uses_gpu, workers)._replace(in_hand=tasks_at_once(job))
            crew = RayCrew(ray, pickle.dumps(job), room, self.patience, report)
            try:
                yield from crew.run(itertools.chain([first], remaining))
            finally:
                crew.end()

    def _room(self, ray: Any, uses_gpu: bool, workers: int | None) -> Room:
        """Return how many workers there are at most and what Ray puts aside for each."""
        there = ray.cluster_resources()
        total = there.get("GPU", 0.0) if uses_gpu else 0.0
        if self.address == LOCAL:
            count = workers or max(1, int(total if uses_gpu else there.get("CPU", 1.0)))
            gpus = self.gpus if self.gpus is not None else 1 / math.ceil(count / total) if total else 0.0
            return Room(count, 0.0, gpus, int(self.cpus or share_of_cpus(count)))
        gpus = self.gpus if self.gpus is not None else min(1.0, total)
        cpus = self.cpus if self.cpus is not None else _cpus_of_gpus(ray.nodes(), gpus)
        fits = [has / each for has, each in ((there.get("CPU", 1.0), cpus), (total, gpus)) if each]
        return Room(workers or max(1, int(min(fits, default=1.0))), cpus, gpus, max(1, int(cpus)))


def _cpus_of_gpus(nodes: Iterable[Mapping[str, Any]], gpus: float) -> float:
    """Return how many processors come with so many GPUs where there are fewest; one without a GPU."""
    resources = [node["Resources"] for node in nodes if node["Alive"]]
    shares = [found["CPU"] * gpus // found["GPU"] for found in resources if found.get("GPU") and found.get("CPU")]
    return max(1.0, min(shares, default=1.0)) if gpus else 1.0
