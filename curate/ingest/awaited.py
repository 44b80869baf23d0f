"""Rows that arrive in any order and are taken in theirs."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future

from diptych.curate.ingest.rows import IngestedRow
from diptych.jobs.contract import Report


class AwaitedRows:
    """Some rows, each given once by one thread and taken once, in order, by another."""

    def __init__(self, count: int, report: Report) -> None:
        """Await ``count`` rows; ``report`` hears of each one as it is given."""
        self._report = report
        self._rows: list[Future[IngestedRow] | None] = [Future() for _ in range(count)]

    def give(self, numbers: Sequence[int], row: IngestedRow) -> None:
        """Say what became of some rows."""
        for number in numbers:
            waiting = self._rows[number]
            assert waiting is not None, f"row {number} is given twice"
            waiting.set_result(row)
        self._report(len(numbers), {row.status: len(numbers)})

    def fail(self, error: BaseException) -> None:
        """Let whoever waits for a row that will not come have an error in its place."""
        for waiting in self._rows:
            if waiting is not None and not waiting.done():
                waiting.set_exception(error)

    def __iter__(self) -> Iterator[IngestedRow]:
        """Yield the rows in order, waiting for each; what was taken is not held any longer."""
        for number, waiting in enumerate(self._rows):
            assert waiting is not None, "rows are taken once"
            row = waiting.result()
            self._rows[number] = None
            yield row
