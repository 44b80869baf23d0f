"""The workers of one job on a Ray cluster: who does which task, and what is done again because a worker ended.

Ray places the workers and starts one anew that ended. Its task is begun again from its start, so often and no oftener;
how far it was is taken back from whoever watches.
"""

import contextlib
import itertools
import os
import pickle
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from diptych.errors import DataError, one_line
from diptych.jobs.contract import Report
from diptych.jobs.ending import KEPT
from diptych.jobs.ray_worker import Done, RayWorker, Reported
from diptych.processors import SHARE

POLL_S = 0.2
NOTHING = Reported(0, {})
THREADS = "OMP_NUM_THREADS"  # as here: last bits of what a processor computes may depend on it
REPORTS = "reports"  # calls that are answered while a task is done


class Room(NamedTuple):
    """How much of a cluster a job takes.

    Attributes:
        workers: At most.
        cpus: That Ray puts aside for each.
        gpus: The same.
        threads: How many processors each uses.
    """

    workers: int
    cpus: float
    gpus: float
    threads: int


class Patience(NamedTuple):
    """How often a task is begun whose worker ends, and how many seconds nobody may work before the run is given up."""

    tries: int
    wait_s: float


@dataclass(eq=False)
class _Hand:
    """A worker, and the task that it has."""

    actor: Any
    task: bytes | None = None
    has_begun: bool = False
    failures: int = 0
    reported: Reported = NOTHING
    asked: Any = None  # how far it is


class RayCrew:
    """The workers of one job."""

    def __init__(self, ray: Any, job: bytes, room: Room, patience: Patience, report: Report) -> None:
        """Ask for the workers; each begins when the cluster has room for it."""
        self._ray, self._room, self._patience, self._report = ray, room, patience, report
        self._job = ray.put(job)
        self._kind = ray.remote(
            num_cpus=room.cpus, num_gpus=room.gpus, max_restarts=-1, max_task_retries=0, concurrency_groups={REPORTS: 1}
        )(RayWorker)
        self._busy: dict[Any, _Hand] = {}
        self._waiting: dict[Any, _Hand] = {}
        self._has_more = True
        self._worked_s = self._asked_s = time.monotonic()
        self._hands = [_Hand(self._kind.remote()) for _ in range(room.workers)]
        for hand in self._hands:
            self._begin(hand)

    def run(self, tasks: Iterator[Any]) -> Iterator[Any]:
        """Yield the outcome of each task as it finishes.

        Raises:
            DataError: If workers end again and again, or the cluster has no room for one.
        """
        while self._busy or any(self._has_more or hand.task is not None for hand in self._waiting.values()):
            done, _ = self._ray.wait([*self._busy, *self._waiting], timeout=POLL_S)
            for call in done:
                hand = self._waiting.pop(call, None)
                if hand is not None:
                    hand.has_begun = self._answer(call, hand) is not None
                    if hand.has_begun:
                        self._give(hand, tasks)
                    continue
                hand = self._busy.pop(call)
                answer = self._answer(call, hand)
                if answer is not None:
                    yield self._outcome(pickle.loads(answer), hand, tasks)
            self._look_after()

    def end(self) -> None:
        """End the workers where they stand: what they write is there whole or not at all."""
        for hand in self._hands:
            with contextlib.suppress(Exception):  # the cluster may be gone
                self._ray.kill(hand.actor)

    def _begin(self, hand: _Hand) -> None:
        hand.has_begun = False
        part = {SHARE: str(self._room.threads), THREADS: os.environ.get(THREADS)}
        self._waiting[hand.actor.begin.remote(self._job, part, os.getcwd())] = hand

    def _give(self, hand: _Hand, tasks: Iterator[Any]) -> None:
        """Give a worker the task that it had, or the next one."""
        if hand.task is None:
            hand.task = next((pickle.dumps(task) for task in itertools.islice(tasks, 1)), None)
            hand.failures = 0
        if hand.task is None:
            self._has_more = False
            return
        hand.asked = None
        self._busy[hand.actor.work.remote(hand.task)] = hand

    def _answer(self, call: Any, hand: _Hand) -> Any:
        """Return what a worker answered; None where it ended, and begins anew.

        Raises:
            DataError: If it ended too often.
        """
        errors = self._ray.exceptions
        try:
            return self._ray.get(call)
        except errors.RayTaskError:  # our own mistake, or an outcome that cannot travel
            raise
        except errors.RayError as error:
            self._tell(hand, NOTHING)
            if hand.has_begun or isinstance(error, errors.ActorDiedError):
                hand.failures += 1
            else:  # Ray has not seen yet that it has to place it elsewhere
                time.sleep(POLL_S)
            if hand.failures >= self._patience.tries:
                raise DataError(self._ended(hand, error)) from error
            if isinstance(error, errors.ActorDiedError):  # for good
                hand.actor = self._kind.remote()
            self._begin(hand)
            return None

    def _ended(self, hand: _Hand, error: Exception) -> str:
        if hand.task is None:
            return f"no worker of Ray could begin: {one_line(error)}"
        why = "as a library that crashes or memory that runs out does"
        if isinstance(error, self._ray.exceptions.OutOfMemoryError):
            why = "since the memory of its machine ran out"
        times = "once" if hand.failures == 1 else f"{hand.failures} times"
        advice = "run again with fewer workers or smaller batches, or with --engine local, which tells how one ends"
        return f"a worker of Ray ended {times} in the same task, {why}; {KEPT}: {advice}"

    def _outcome(self, done: Done, hand: _Hand, tasks: Iterator[Any]) -> Any:
        self._tell(hand, done.reported)
        hand.task, hand.reported = None, NOTHING
        if done.error is not None:
            done.error.add_note(done.traceback)
            raise done.error
        self._give(hand, tasks)  # before its outcome is looked at, so that it does not wait
        return done.outcome

    def _tell(self, hand: _Hand, now: Reported) -> None:
        """Report what a worker has reported since it was last told of."""
        before, hand.reported = hand.reported, now
        reasons = Counter(now.reasons)
        reasons.subtract(before.reasons)
        if now != before:
            self._report(now.rows - before.rows, {reason: count for reason, count in reasons.items() if count})

    def _look_after(self) -> None:
        """Ask workers how far they are, and see that somebody works.

        Raises:
            DataError: If nobody does.
        """
        now = time.monotonic()
        self._worked_s = now if self._busy else self._worked_s
        if now - self._worked_s > self._patience.wait_s and self._has_more:
            wants = f"{self._room.cpus:g} CPUs and {self._room.gpus:g} GPUs"
            there = {name: self._ray.cluster_resources().get(name, 0.0) for name in ("CPU", "GPU")}
            raise DataError(
                f"the Ray cluster gave no worker within {self._patience.wait_s:g} s: each asks for {wants}, and it has "
                f"{there['CPU']:g} and {there['GPU']:g} in all; give --engine-options cpus=..., gpus=... or wait_s=..."
            )
        if now - self._asked_s < POLL_S:
            return
        self._asked_s = now
        asked = {hand.asked: hand for hand in self._busy.values() if hand.asked is not None}
        for call in self._ray.wait([*asked], num_returns=len(asked), timeout=0)[0] if asked else ():
            asked[call].asked = None
            with contextlib.suppress(self._ray.exceptions.RayError):  # it has ended, as its task will say
                self._tell(asked[call], self._ray.get(call))
        for hand in self._busy.values():
            if hand.asked is None:
                hand.asked = hand.actor.reported.options(concurrency_group=REPORTS).remote()
