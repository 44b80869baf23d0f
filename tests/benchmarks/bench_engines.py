"""What an engine costs beside the work: seconds until the first outcome, and per task. Run by ``make bench``.

The job does nothing, so that all of its time is the engine's: worker processes of this machine, and actors of Ray on a
cluster that it starts for itself. They take turns, and medians are compared; the first turn of Ray, which starts the
cluster, is told apart. A shard of a thousand pictures takes seconds, so that milliseconds per task are no matter.
"""

import statistics
import time

from empty_job import EmptyJob

from diptych.errors import MissingExtra
from diptych.jobs import run_job
from diptych.jobs.engine import Engine

TASKS = 1000
TURNS = 3
WORKERS = 2


def timed(engine: Engine) -> tuple[float, float]:
    """Return the seconds until the first outcome, and those from there to the last, per task."""
    began = time.perf_counter()
    outcomes = run_job(EmptyJob(), range(TASKS), engine=engine)
    done = [next(outcomes)]
    first = time.perf_counter()
    done += outcomes
    ended = time.perf_counter()
    assert sorted(done) == list(range(TASKS))
    return first - began, (ended - first) / (TASKS - 1)


def main() -> None:
    """Time both, and print the medians and their ratio."""
    engines = {name: Engine(WORKERS, name) for name in ("local", "ray")}
    try:
        start_s, _ = timed(engines["ray"])
    except MissingExtra as error:
        print(f"left out: {error}")
        return
    print(f"ray, the cluster to be started: {start_s:.1f} s to the first outcome")
    turns = [{name: timed(engine) for name, engine in engines.items()} for _ in range(TURNS)]
    medians = {}
    for name in engines:
        first_s, task_s = (statistics.median(turn[name][part] for turn in turns) for part in (0, 1))
        medians[name] = task_s
        print(f"{name}, {WORKERS} workers: {first_s:.2f} s to the first outcome, {1000 * task_s:.2f} ms per task")
    print(f"ray / local, per task: {medians['ray'] / medians['local']:.1f}")


if __name__ == "__main__":
    main()
