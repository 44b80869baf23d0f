"""Progress on stderr: how far, how fast, how long still, and what fails most.

Decides when and how to show it; knows nothing of the work. A job that ends within two seconds shows nothing, so that
small runs and tests stay quiet. Results go to stdout, which this module never touches.
"""

import contextlib
import dataclasses
import importlib.util
import json
import os
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Protocol

from diptych.errors import ConfigError, MissingExtra
from diptych.lookup import describe_unknown

MODES = ("auto", "rich", "plain", "json", "none")

FIRST_S = 2.0  # nothing is shown before, and no closing line when the whole job took less
EVERY_S = 30.0  # between two lines of the plain and the json display: a day of work stays under 3,000 lines of log
REDRAW_S = 0.25  # between two pictures of the bar
RATE_WINDOW_S = 60.0  # the rate is that of the last minute, so that loading a model does not weigh on it for ever
SAMPLE_S = 1.0  # at most one measuring point a second
TOP_REASONS = 3
SUCCESS = "ok"

NO_REASONS: Mapping[str, int] = MappingProxyType({})


@dataclasses.dataclass(frozen=True)
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


class Display(Protocol):
    """Shows snapshots."""

    every_s: float

    def show(self, snapshot: Snapshot) -> None:
        """Show how far the job is; called every ``every_s`` seconds."""
        ...

    def close(self, snapshot: Snapshot) -> None:
        """Show the end; called once, also where ``show`` never was."""
        ...


class LineDisplay:
    """One line now and then, fit for a log file; no closing line where the job took less than ``quiet_s``."""

    every_s = EVERY_S

    def __init__(self, render: Callable[[Snapshot], str], *, quiet_s: float) -> None:
        """Keep how a snapshot becomes a line."""
        self._render, self._quiet_s = render, quiet_s

    def show(self, snapshot: Snapshot) -> None:
        """Write one line."""
        print(self._render(snapshot), file=sys.stderr, flush=True)

    def close(self, snapshot: Snapshot) -> None:
        """Write the closing line."""
        if snapshot.elapsed_s > self._quiet_s:
            self.show(snapshot)


class RichDisplay:
    """A bar that redraws itself in place; it leaves a plain closing line behind."""

    every_s = REDRAW_S

    def __init__(self) -> None:
        """Prepare the bar; nothing is drawn yet.

        Raises:
            MissingExtra: If rich is not installed.
        """
        try:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn
            from rich.table import Column
        except ModuleNotFoundError as error:
            raise MissingExtra("curate", "rich") from error
        self._progress = Progress(
            BarColumn(bar_width=20),
            TextColumn("{task.description}", markup=False, table_column=Column(ratio=1)),  # wraps where it is narrow
            console=Console(stderr=True, force_terminal=True),
            auto_refresh=False,
            transient=True,
            expand=True,
            redirect_stdout=False,  # results must reach stdout, not the console on stderr
        )
        self._task = self._progress.add_task("", total=None)

    def show(self, snapshot: Snapshot) -> None:
        """Draw the bar, for the first time or again."""
        self._progress.start()
        self._progress.update(
            self._task, description=format_line(snapshot), completed=snapshot.done, total=snapshot.total, refresh=True
        )

    def close(self, snapshot: Snapshot) -> None:
        """Take the bar away and write the closing line."""
        self._progress.stop()
        plain_display().close(snapshot)


def plain_display() -> Display:
    """Return the display of mode ``plain``."""
    return LineDisplay(format_line, quiet_s=FIRST_S)


def json_display() -> Display:
    """Return the display of mode ``json``; its reader gets the last object however short the job was."""
    return LineDisplay(format_json, quiet_s=-1.0)


def _choose_display(mode: str) -> Display | None:
    if mode not in MODES:
        raise ConfigError(describe_unknown("progress display", mode, MODES))
    if mode == "auto":
        terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        mode = "rich" if terminal and importlib.util.find_spec("rich") else "plain"
    displays: dict[str, Callable[[], Display]] = {"rich": RichDisplay, "plain": plain_display, "json": json_display}
    return displays[mode]() if mode != "none" else None


def _keep_showing(display: Display, tracker: Tracker, stop: threading.Event) -> None:
    wait_s = FIRST_S
    while not stop.wait(wait_s):
        display.show(tracker.snapshot())
        wait_s = display.every_s


@contextlib.contextmanager
def track(
    title: str,
    total: int | None,
    *,
    mode: str = "auto",
    unit: str = "rows",
    done: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Tracker]:
    """Show the progress of the work in the ``with`` block.

    A thread of its own draws, so that a job that stalls still shows that it lives.

    Args:
        title: What is being done.
        total: Units in all, those already done included; None where nobody knows.
        mode: ``rich`` is a bar, ``plain`` a line every 30 seconds, ``json`` the same as JSON lines; ``auto`` is the
            bar on a terminal where rich is installed and plain lines elsewhere; ``none`` shows nothing.
        unit: What is counted, in the plural.
        done: Units that an earlier run did.
        clock: Seconds from an arbitrary start, never going back.

    Yields:
        The tracker to advance.

    Raises:
        ConfigError: If ``mode`` is unknown.
        MissingExtra: If ``mode`` is ``rich`` and rich is not installed.
    """
    display = _choose_display(mode)
    tracker = Tracker(title, total, unit=unit, done=done, clock=clock)
    if display is None:
        yield tracker
        return
    stop = threading.Event()
    thread = threading.Thread(target=_keep_showing, args=(display, tracker, stop), name="progress", daemon=True)
    thread.start()
    complete = False
    try:
        yield tracker
        complete = True
    finally:
        stop.set()
        thread.join()
        display.close(tracker.snapshot(finished=True, complete=complete))


def format_line(snapshot: Snapshot) -> str:
    """Return the snapshot as one line of text.

    >>> format_line(Snapshot("score", "rows", 250, 1000, 10.0, 25.0, 30.0, 240, {"http_404": 10}))
    'score: 250/1,000 rows (25%), 25.0 rows/s, 30s left, 96.0% ok, http_404 10'
    """
    parts = [_format_count(snapshot)]
    if snapshot.rate > 0:
        parts.append(f"{_format_rate(snapshot.rate)} {snapshot.unit}/s")
    if snapshot.left_s is not None and not snapshot.finished:
        parts.append(f"{format_seconds(snapshot.left_s)} left")
    if snapshot.ok_share is not None:
        parts.append(f"{100 * snapshot.ok_share:.1f}% ok")
    parts += [f"{reason} {count:,}" for reason, count in snapshot.top_reasons]
    return f"{snapshot.title}: {', '.join(parts)}"


def _format_count(snapshot: Snapshot) -> str:
    count = f"{snapshot.done:,}"
    if snapshot.total is not None and snapshot.done != snapshot.total:
        share = f" ({snapshot.done / snapshot.total:.0%})" if snapshot.total else ""
        count = f"{count}/{snapshot.total:,} {snapshot.unit}{share}"
    else:
        count = f"{count} {snapshot.unit}"
    if not snapshot.finished:
        return count
    return f"{count} in {format_seconds(snapshot.elapsed_s)}" + ("" if snapshot.complete else ", then stopped")


def _format_rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}" if rate < 10 else f"{rate:.1f}"


def format_seconds(seconds: float) -> str:
    """Return a duration with its two leading units.

    >>> format_seconds(7.4), format_seconds(75), format_seconds(7384), format_seconds(93784)
    ('7s', '1m 15s', '2h 3m', '1d 2h')
    """
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d {hour}h"
    if hours:
        return f"{hours}h {minute}m"
    return f"{minute}m {second}s" if minute else f"{second}s"


def format_json(snapshot: Snapshot) -> str:
    """Return the snapshot as one JSON object on one line; numbers that are not known are null."""
    values = dataclasses.asdict(snapshot) | {
        "elapsed_s": round(snapshot.elapsed_s, 3),
        "rate": round(snapshot.rate, 3) if snapshot.rate > 0 else None,
        "left_s": round(snapshot.left_s, 1) if snapshot.left_s is not None else None,
    }
    return json.dumps(values, sort_keys=True)
