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


class RayWorker:
    """Does the tasks of one job, one after the other; tells meanwhile how far it is."""

    def __init__(self) -> None:
        """Wait for a job."""
        self._job, self._part = b"", dict[str, str | None]()
        self._work: Callable[[Any], Any] | None = None
        self._lock = threading.Lock()
        self._rows, self._reasons = 0, Counter[str]()

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

    def work(self, task: bytes) -> bytes:
        """Do a task; return ``Done``, packed."""
        self._set_part()
        try:
            with telling_shortage():
                outcome = self._opened()(pickle.loads(task))
        except Exception as error:  # raised again where the outcome would have been taken
            said = f"In a worker of Ray:\n{traceback.format_exc()}"
            return pickle.dumps(Done(None, error, said, self._reported_in_all()))
        return pickle.dumps(Done(outcome, None, "", self._reported_in_all()))

    def reported(self) -> Reported:
        """Return what the task in hand has reported so far; called while it works."""
        with self._lock:
            return Reported(self._rows, dict(self._reasons))

    def _reported_in_all(self) -> Reported:
        with self._lock:
            told = Reported(self._rows, dict(self._reasons))
            self._rows, self._reasons = 0, Counter()
        return told

    def _opened(self) -> Callable[[Any], Any]:
        if self._work is None:
            self._work = pickle.loads(self._job).open(self._report)
        assert self._work is not None
        return self._work

    def _set_part(self) -> None:
        # With each task, since Ray sets the number of threads to that of the processors that it has put aside.
        for name, value in self._part.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def _report(self, rows: int, reasons: Mapping[str, int]) -> None:
        with self._lock:
            self._rows += rows
            self._reasons.update(reasons)
