"""A run of a store sent to a tracker, and what is said of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from diptych.addresses import Address
from diptych.errors import ConfigError
from diptych.evaluate.loggers import LOGGERS
from diptych.evaluate.loggers.contract import Destination, Sent
from diptych.evaluate.loggers.logged_run import LoggedRun, logged_run
from diptych.evaluate.terminal import printable
from diptych.lookup import resolve
from diptych.progress.wording import quantity


@dataclass(frozen=True)
class AskedLog:
    """What is to be sent, and where.

    Attributes:
        tracker: One of ``LOGGERS``.
        run: Name or id of a run; None takes the only one.
        model: Only its numbers; None takes all.
        name: What the run is called there; None takes its own name, with the model if it is of one.
        project: See ``Destination``.
        report: Link to its report; None where there is none.
    """

    tracker: str
    run: str | None = None
    model: str | None = None
    name: str | None = None
    project: str | None = None
    report: str | None = None


@dataclass(frozen=True)
class LogReport:
    """What was sent."""

    tracker: str
    name: str
    logged: LoggedRun
    sent: Sent

    @property
    def without_value(self) -> int:
        """How many of the numbers have no value."""
        return sum(number.value is None for number in self.logged.numbers)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        return {
            "to": self.tracker,
            "where": self.sent.where,
            "sent": self.sent.is_new,
            "name": self.name,
            "run_id": self.logged.run_id,
            **self.logged.shared,
            "numbers": len(self.logged.numbers) - self.without_value,
            "without_value": self.without_value,
        }

    def lines(self) -> Iterator[str]:
        """Yield it in words."""
        count = quantity(len(self.logged.numbers) - self.without_value, "number")
        done = f"{count} of {self.name} sent to" if self.sent.is_new else f"{self.name} is there already, in"
        yield printable(f"{done} {self.tracker}: {self.sent.where}")
        if self.without_value:
            lacking = quantity(self.without_value, "number")
            yield f"{lacking} without a value: the reasons are in the table of all numbers"


def send_run(path: Address, asked: AskedLog) -> LogReport:
    """Send a run of a store to a tracker.

    Raises:
        StoreError: If there is no such store, run or model, or it has no numbers.
        ConfigError: If the link is none.
        MissingExtra: If the tracker's library is not installed.
        DataError: If the tracker refuses.
    """
    report = asked.report
    if report is not None and (not report or not report.isprintable() or set(report) & set(" <>")):
        raise ConfigError(f"--report: {report!r} is no link; write it as https://..., with %20 for a space")
    logged = logged_run(path, asked.run, asked.model)
    name = asked.name or ":".join(filter(None, (logged.name, asked.model)))
    send = resolve(LOGGERS, "tracker", asked.tracker)
    return LogReport(asked.tracker, name, logged, send(logged, Destination(name, asked.project, report)))
