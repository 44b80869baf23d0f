"""What is done so far, how fast, how long still and what fails: counts on a clock, shown by nobody here."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

RATE_WINDOW_S = 60.0  # the rate is that of the last minute, so that loading a model does not weigh on it for ever
SAMPLE_S = 1.0  # at most one measuring point a second
TOP_REASONS = 3
SUCCESS = "ok"

NO_REASONS: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True)
class Snapshot:
    """Where a job stands.

    Attributes:
        title: What is being done.
        unit: What is counted, in the plural.
        done: Units done, those of an earlier run included.
        total: Units in all; None where nobody knows.
        elapsed_s: Seconds since the start of this run.
        rate: Units a second in this run; NaN before the first unit.
        left_s: Seconds still to go; None where rate or total is not known.
        ok: Units reported as successful.
        failed: Units by reason of failure.
        finished: Whether the job is over.
        complete: Whether it ended without an exception.
    """

    title: str
    unit: str
    done: int
    total: int | None
    elapsed_s: float
    rate: float
    left_s: float | None
    ok: int
    failed: Mapping[str, int]
    finished: bool = False
    complete: bool = True

    @property
    def ok_share(self) -> float | None:
        """Share of successes in [0, 1] among the units whose outcome was reported; None where none was."""
        judged = self.ok + sum(self.failed.values())
        return self.ok / judged if judged else None

    @property
    def top_reasons(self) -> list[tuple[str, int]]:
        """The most frequent failures with their counts, most frequent first, ties by name."""
        return sorted(self.failed.items(), key=lambda item: (-item[1], item[0]))[:TOP_REASONS]


class Tracker:
    """Counts what is done. Safe to use from several threads."""

    def __init__(self, title: str, total: int | None, *, unit: str, done: int, clock: Callable[[], float]) -> None:
        """Start the clock; ``done`` units of an earlier run count as progress but not into the rate."""
        self._title, self._total, self._unit = title, total, unit
        self._clock = clock
        self._start_s = clock()
        self._first_done = self._done = done
        self._points = deque([(self._start_s, done)])
        self._reasons: Counter[str] = Counter()
        self._lock = threading.Lock()

    def advance(self, count: int = 1, reasons: Mapping[str, int] = NO_REASONS) -> None:
        """Add ``count`` finished units.

        Args:
            count: How many.
            reasons: Units by outcome; ``ok`` is success and every other key a reason of failure. May be left out, and
                then the units do not enter the success share.
        """
        with self._lock:
            self._done += count
            self._reasons.update(reasons)
            now = self._clock()
            if now - self._points[-1][0] >= SAMPLE_S:
                self._points.append((now, self._done))
                while len(self._points) > 2 and self._points[1][0] <= now - RATE_WINDOW_S:
                    self._points.popleft()

    def snapshot(self, *, finished: bool = False, complete: bool = True) -> Snapshot:
        """Return where the job stands; once finished, the rate is that of the whole run."""
        with self._lock:
            now = self._clock()
            since_s, since_done = (self._start_s, self._first_done) if finished else self._points[0]
            made = self._done - since_done
            rate = made / (now - since_s) if made > 0 and now > since_s else float("nan")
            left_s = max(self._total - self._done, 0) / rate if self._total is not None and rate > 0 else None
            return Snapshot(
                title=self._title,
                unit=self._unit,
                done=self._done,
                total=self._total,
                elapsed_s=now - self._start_s,
                rate=rate,
                left_s=left_s,
                ok=self._reasons[SUCCESS],
                failed={reason: count for reason, count in self._reasons.items() if reason != SUCCESS and count},
                finished=finished,
                complete=complete,
            )
