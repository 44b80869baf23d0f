"""Ctrl-C, a request to end and a terminal that is closed: the first ends a command in order, a further one at once.

Never with a traceback. Decides nothing about what a command does on its way out.
"""

import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from diptych.error_lines import error_line, wants_json

# The exit code of each: 128 and its number, as shells have it.
INTERRUPTED = 128 + signal.SIGINT
HUNG_UP = 128 + signal.SIGHUP
TERMINATED = 128 + signal.SIGTERM
STOPS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
STOPPED = "stopped; run the same command again to go on"

_has_said = False
_came_first = signal.SIGINT


def end_at_once_when_stopped() -> None:
    """Let a stop end the program where it stands: nothing is begun yet. One that is to be ignored stays ignored."""
    for number in STOPS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _end_at_once)


def end_in_order_when_stopped() -> None:
    """Let the first stop raise KeyboardInterrupt, and the next one end the program where it stands."""
    for number in STOPS:
        if signal.getsignal(number) is _end_at_once:
            signal.signal(number, _interrupt)


def ignore_stops() -> None:
    """Let nothing break off the end of the program, when everything is done."""
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)


def exit_code() -> int:
    """Return the exit code of a command that was stopped: 128 and the number of what stopped it first."""
    return 128 + _came_first


def is_interrupt(error: BaseException) -> bool:
    """Return whether an error says that Ctrl-C was pressed: DuckDB's is a RuntimeError.

    A module in C that is interrupted while it is made raises what it likes (SystemError) because of it.

    >>> is_interrupt(RuntimeError("Query interrupted")), is_interrupt(RuntimeError("out of luck"))
    (True, False)
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KeyboardInterrupt):
            return True
        if type(cause) is RuntimeError and str(cause).startswith("Query interrupted"):
            return True
        cause = cause.__cause__
    return False


def say_stopped(arguments: Sequence[str]) -> None:
    """Say on stderr that the command of these arguments was stopped; where that is closed, nobody is told."""
    global _has_said
    _has_said = True
    line = error_line("Interrupted", STOPPED, exit_code()) if wants_json(arguments) else STOPPED
    with contextlib.suppress(
        OSError, ValueError, AttributeError, RuntimeError
    ):  # RuntimeError: while it was written to
        if sys.stderr is not None:
            print(line, file=sys.stderr, flush=True)


def leave_at_once() -> NoReturn:
    """End the program as one that was stopped, without waiting for threads; workers end when their parent has."""
    ignore_stops()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError, RuntimeError):
            stream.flush()
    processes = sys.modules.get("multiprocessing.util")
    if processes is not None:  # else its tracker warns of semaphores that nobody took away
        with contextlib.suppress(Exception):
            processes._run_finalizers(0)
    os._exit(exit_code())


def leave(code: str | int | None) -> NoReturn:
    """End the program when everything is done, whatever threads of libraries are still about.

    One that comes back to an interpreter that is being taken down ends the process with SIGABRT (pyarrow's may).
    """
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _interrupt(number: int, frame: Any) -> NoReturn:
    _note(number)
    for other in STOPS:
        if signal.getsignal(other) is _interrupt:
            signal.signal(other, _end_at_once)
    raise KeyboardInterrupt


def _end_at_once(number: int, frame: Any) -> NoReturn:
    if not _has_said:
        _note(number)
        say_stopped(sys.argv[1:])
    leave_at_once()


def _note(number: int) -> None:
    global _came_first
    _came_first = signal.Signals(number)
