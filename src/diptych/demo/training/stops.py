"""How a signal ends a training: after what is under way, with everything kept, and the whole command with it.

What comes after a training would take its unfinished model for the finished one, so nothing may come after it.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(KeyboardInterrupt):
    """Raised where a SIGINT or SIGTERM has ended the work; the same command goes on with it.

    Attributes:
        exit_code: What a shell calls a program that the signal ended: 130 or 143.
    """

    def __init__(self, number: int, where: str) -> None:
        """Say where the work stands."""
        super().__init__(f"stopped {where}; the same command goes on")
        self.exit_code = 128 + number


@contextmanager
def stopping() -> Iterator[list[int]]:
    """Yield a list that a SIGTERM or SIGINT puts something into, so that the step under way can be kept."""
    caught: list[int] = []
    before = {number: signal.signal(number, lambda got, _: caught.append(got)) for number in STOP_SIGNALS}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def stopped_by_sigterm(where: str) -> Iterator[None]:
    """Raise ``Stopped`` on a SIGTERM, as Python does with a SIGINT, so that what is open is closed in order."""

    def stop(number: int, _: FrameType | None) -> None:
        raise Stopped(number, where)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
