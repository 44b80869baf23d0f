"""Progress on stderr: how far, how fast, how long still, and what fails most.

Decides when and how to show it; knows nothing of the work. A job that ends within two seconds shows nothing, so that
small runs and tests stay quiet. Results go to stdout, which nothing here ever touches.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from diptych.progress.counting import Tracker
from diptych.progress.displays import FIRST_S, Display, choose_display


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
    display = choose_display(mode)
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


def _keep_showing(display: Display, tracker: Tracker, stop: threading.Event) -> None:
    wait_s = FIRST_S
    while not stop.wait(wait_s):
        display.show(tracker.snapshot())
        wait_s = display.every_s
