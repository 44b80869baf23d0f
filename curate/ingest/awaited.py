"""Rows that arrive in any order and are taken in theirs."""

import threading
from collections.abc import Iterator, Sequence

from diptych.curate.ingest.rows import IngestedRow
from diptych.jobs.contract import Report


class AwaitedRows:
    """Some rows, each given once by one thread and taken once, in order, by another."""

    def __init__(self, count: int, report: Report) -> None:
        """Await ``count`` rows; ``report`` hears of each one as it is given."""
        self._report = report
        self._rows: list[IngestedRow | None] = [None] * count
        self._left = count  # that were not given
        self._awaited = -1  # the row that is waited for; -1 while none is
        self._failure: BaseException | None = None
        self._came = threading.Condition()

    def give(self, numbers: Sequence[int], row: IngestedRow) -> None:
        """Say what became of some rows."""
        with self._came:
            for number in numbers:
                assert self._rows[number] is None, f"row {number} is given twice"
                self._rows[number] = row
            self._left -= len(numbers)
            if self._awaited in numbers or not self._left:  # whoever waits is not woken for others
                self._came.notify()
        self._report(len(numbers), {row.status: len(numbers)})

    def fail(self, error: BaseException) -> None:
        """Let whoever waits for a row that will not come have an error in its place."""
        with self._came:
            self._failure = error
            self._came.notify()

    def wait_for_all(self) -> None:
        """Wait until each row was given; raises what there is in the place of one."""
        with self._came:
            while self._left:
                if self._failure is not None:
                    raise self._failure
                self._came.wait()

    def __iter__(self) -> Iterator[IngestedRow]:
        """Yield the rows in order, waiting for each; what was taken is not held any longer."""
        for number in range(len(self._rows)):
            yield self._take(number)

    def _take(self, number: int) -> IngestedRow:
        with self._came:
            while (row := self._rows[number]) is None:
                if self._failure is not None:
                    raise self._failure
                self._awaited = number
                self._came.wait()
            self._awaited = -1
            self._rows[number] = None
        return row
