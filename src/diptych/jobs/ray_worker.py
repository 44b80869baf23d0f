"""What runs in an actor of Ray: the job, opened once, and a count of what it reports. Knows nothing of Ray.

All that travels is bytes: what Ray unpacks by itself would be unpacked before this can say how many threads there are,
and its arrays could not be written to.
"""

import contextlib
import os
import pickle
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from diptych.jobs.contract import tasks_at_once
from diptych.shortage import telling_shortage

Part = dict[str, str | None]  # variables of the environment; None unsets one


class Reported(NamedTuple):
    """How many rows of a task were reported so far, and how they fared."""

    rows: int
    reasons: Mapping[str, int]


class Done(NamedTuple):
    """How a task ended.

    Attributes:
        outcome: What the job returned; None where it raised.
        error: What it raised; None where it returned.
        traceback: Where, as text.
        reported: Of the whole task.
    """

    outcome: Any
    error: BaseException | None
    traceback: str
    reported: Reported


class _Count:
    """What is reported of one task."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows, self._reasons = 0, Counter[str]()

    def add(self, rows: int, reasons: Mapping[str, int]) -> None:
        with self._lock:
            self._rows += rows
            self._reasons.update(reasons)

    def so_far(self) -> Reported:
        with self._lock:
            return Reported(self._rows, dict(self._reasons))


class RayWorker:
    """Does the tasks of one job, as many at once as the job says; tells meanwhile how far each is."""

    def __init__(self) -> None:
        """Wait for a job."""
        self._job, self._part, self._at_once = b"", dict[str, str | None](), 1
        self._work: Any = None
        self._lock = threading.Lock()
        self._counts: dict[int, _Count] = {}  # of the tasks in hand

    def begin(self, job: bytes, part: Part, folder: str) -> int:
        """Keep the job, which is opened with the first task, whose failure can be told; return the id of the process.

        Args:
            job: Packed.
            part: Which part of the machine it has.
            folder: Where who asks works, to which relative paths belong.
        """
        self._job, self._part = job, part
        with contextlib.suppress(OSError):  # on another machine it need not be there
            os.chdir(folder)
        return os.getpid()

    def work(self, number: int, task: bytes) -> bytes:
        """Do a task; return ``Done``, packed.

        Args:
            number: By which it is told how far it is; of no other task in hand.
            task: Packed.
        """
        self._set_part()
        count = self._counts[number] = _Count()
        try:
            with telling_shortage():
                outcome = self._opened(count)(pickle.loads(task))
            return pickle.dumps(Done(outcome, None, "", count.so_far()))
        except Exception as error:  # raised again where the outcome would have been taken
            said = f"In a worker of Ray:\n{traceback.format_exc()}"
            return pickle.dumps(Done(None, error, said, count.so_far()))
        finally:
            del self._counts[number]

    def reported(self) -> Mapping[int, Reported]:
        """Return what the tasks in hand have reported so far; called while it works."""
        return {number: count.so_far() for number, count in list(self._counts.items())}

    def _opened(self, count: _Count) -> Callable[[Any], Any]:
        """Return the work that reports to a count."""
        with self._lock:
            if self._work is None:
                job = pickle.loads(self._job)
                self._at_once = tasks_at_once(job)
                self._work = job.open(self._report)
        found: Callable[[Any], Any] = self._work if self._at_once == 1 else self._work.telling(count.add)
        return found

    def _set_part(self) -> None:
        # With each task, since Ray sets the number of threads to that of the processors that it has put aside.
        for name, value in self._part.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def _report(self, rows: int, reasons: Mapping[str, int]) -> None:
        """Hear of the one task in hand."""
        for count in list(self._counts.values()):
            count.add(rows, reasons)
