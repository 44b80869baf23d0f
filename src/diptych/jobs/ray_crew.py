"""The workers of one job on a Ray cluster: who does which task, and what is done again because a worker ended.

Ray places the workers and starts one anew that ended, where there is room. What it had in hand is begun again from the
start by whoever is free, so often and no oftener; how far that was is taken back from whoever watches.
"""

import contextlib
import itertools
import os
import pickle
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
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
        in_hand: How many tasks each has at a time.
    """

    workers: int
    cpus: float
    gpus: float
    threads: int
    in_hand: int = 1


class Patience(NamedTuple):
    """How often a task is begun whose worker ends, and how many seconds nobody may work before the run is given up."""

    tries: int
    wait_s: float


@dataclass(eq=False)
class _Given:
    """A task, packed, how often a worker ended that had it, and what was told of it."""

    task: bytes
    number: int
    failures: int = 0
    reported: Reported = NOTHING


@dataclass(eq=False)
class _Hand:
    """A worker, the tasks that it has by their number, and how often in succession it ended before it had begun.

    Attributes:
        actor: The worker.
        given: The tasks.
        life: How often it began.
        failures: See above.
        asked: The question how far it is, while it has not answered.
    """

    actor: Any
    given: dict[int, _Given] = field(default_factory=dict)
    life: int = 0
    failures: int = 0
    asked: Any = None


class _Errand(NamedTuple):
    """A task in the hands of a worker, and in which of its lives."""

    hand: _Hand
    given: _Given
    life: int


class RayCrew:
    """The workers of one job."""

    def __init__(self, ray: Any, job: bytes, room: Room, patience: Patience, report: Report) -> None:
        """Ask for the workers; each begins when the cluster has room for it."""
        self._ray, self._room, self._patience, self._report = ray, room, patience, report
        self._job = ray.put(job)
        self._kind = ray.remote(
            num_cpus=room.cpus,
            num_gpus=room.gpus,
            max_restarts=-1,
            max_task_retries=0,
            max_concurrency=room.in_hand,
            concurrency_groups={REPORTS: 1},
        )(RayWorker)
        self._busy: dict[Any, _Errand] = {}
        self._waiting: dict[Any, _Hand] = {}
        self._working: list[_Hand] = []  # those that have begun
        self._again: list[_Given] = []
        self._numbers = itertools.count()
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
        while self._busy or self._again or (self._waiting and self._has_more):
            done, _ = self._ray.wait([*self._busy, *self._waiting], timeout=POLL_S)
            for call in done:
                hand = self._waiting.pop(call, None)
                if hand is not None:
                    self._see_begin(call, hand)
                    continue
                errand = self._busy.pop(call)
                answer = self._answer(call, errand)
                if answer is not None:
                    yield self._outcome(answer, errand, tasks)
            self._give_out(tasks)
            self._look_after()

    def end(self) -> None:
        """End the workers where they stand: what they write is there whole or not at all."""
        for hand in self._hands:
            with contextlib.suppress(Exception):  # the cluster may be gone
                self._ray.kill(hand.actor)

    def _begin(self, hand: _Hand) -> None:
        part = {SHARE: str(self._room.threads), THREADS: os.environ.get(THREADS)}
        self._waiting[hand.actor.begin.remote(self._job, part, os.getcwd())] = hand

    def _see_begin(self, call: Any, hand: _Hand) -> None:
        """Take a worker that has begun for one that is free, and let one begin again that has not.

        Raises:
            DataError: If it ended too often.
        """
        errors = self._ray.exceptions
        try:
            self._ray.get(call)
        except errors.ActorDiedError as error:  # for good
            hand.failures += 1
            if hand.failures >= self._patience.tries:
                raise DataError(f"no worker of Ray could begin: {one_line(error)}") from error
            hand.actor = self._kind.remote()
            self._begin(hand)
        except errors.RayError:  # Ray has not seen yet that it has to place it elsewhere
            time.sleep(POLL_S)
            self._begin(hand)
        else:
            hand.failures = 0
            self._working.append(hand)

    def _give_out(self, tasks: Iterator[Any]) -> None:
        """Give the workers that have a hand free what is to be done again, or the next tasks, in turns."""
        while self._again or self._has_more:
            hand = min(self._working, key=lambda one: len(one.given), default=None)
            if hand is None or len(hand.given) == self._room.in_hand:
                return
            if self._again:
                given = self._again.pop()
            else:
                found = [_Given(pickle.dumps(task), next(self._numbers)) for task in itertools.islice(tasks, 1)]
                if not found:
                    self._has_more = False
                    return
                given = found[0]
            hand.given[given.number] = given
            self._busy[hand.actor.work.remote(given.number, given.task)] = _Errand(hand, given, hand.life)

    def _answer(self, call: Any, errand: _Errand) -> Done | None:
        """Return how a task ended; None where its worker did, and begins anew.

        Raises:
            DataError: If that happened too often with the task.
        """
        errors = self._ray.exceptions
        hand, given = errand.hand, errand.given
        hand.given.pop(given.number, None)
        try:
            done: Done = pickle.loads(self._ray.get(call))
        except errors.RayTaskError:  # our own mistake, or an outcome that cannot travel
            raise
        except errors.RayError as error:
            self._tell(given, NOTHING)
            given.failures += 1
            if given.failures >= self._patience.tries:
                raise DataError(_what_ended(given.failures, isinstance(error, errors.OutOfMemoryError))) from error
            self._again.append(given)
            if errand.life == hand.life:  # what else it had in hand tells the same
                self._begin_anew(hand, is_gone=isinstance(error, errors.ActorDiedError))
            return None
        return done

    def _begin_anew(self, hand: _Hand, *, is_gone: bool) -> None:
        """Let a worker that ended begin again.

        Args:
            hand: The worker.
            is_gone: Whether it ended for good, as where somebody has killed it.
        """
        hand.life += 1
        hand.asked = None
        self._working.remove(hand)
        if is_gone:
            hand.actor = self._kind.remote()
        self._begin(hand)

    def _outcome(self, done: Done, errand: _Errand, tasks: Iterator[Any]) -> Any:
        self._tell(errand.given, done.reported)
        if done.error is not None:
            done.error.add_note(done.traceback)
            raise done.error
        self._give_out(tasks)  # before the outcome is looked at, so that nobody waits for that
        return done.outcome

    def _tell(self, given: _Given, now: Reported) -> None:
        """Report what a task has reported since it was last told of."""
        before, given.reported = given.reported, now
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
        if now - self._worked_s > self._patience.wait_s and (self._has_more or self._again):
            wants = f"{self._room.cpus:g} CPUs and {self._room.gpus:g} GPUs"
            there = {name: self._ray.cluster_resources().get(name, 0.0) for name in ("CPU", "GPU")}
            raise DataError(
                f"the Ray cluster gave no worker within {self._patience.wait_s:g} s: each asks for {wants}, and it has "
                f"{there['CPU']:g} and {there['GPU']:g} in all; give --engine-options cpus=..., gpus=... or wait_s=..."
            )
        if now - self._asked_s < POLL_S:
            return
        self._asked_s = now
        asked = {hand.asked: hand for hand in self._working if hand.asked is not None}
        for call in self._ray.wait([*asked], num_returns=len(asked), timeout=0)[0] if asked else ():
            hand = asked[call]
            hand.asked = None
            with contextlib.suppress(self._ray.exceptions.RayError):  # it has ended, as its tasks will say
                for number, reported in self._ray.get(call).items():
                    if number in hand.given:
                        self._tell(hand.given[number], reported)
        for hand in self._working:
            if hand.given and hand.asked is None:
                hand.asked = hand.actor.reported.options(concurrency_group=REPORTS).remote()


def _what_ended(times: int, is_out_of_memory: bool) -> str:
    why = "as a library that crashes or memory that runs out does"
    if is_out_of_memory:
        why = "since the memory of its machine ran out"
    often = "once" if times == 1 else f"{times} times"
    advice = "run again with fewer workers or smaller batches, or with --engine local, which tells how one ends"
    return f"a worker of Ray ended {often} in the same task, {why}; {KEPT}: {advice}"
