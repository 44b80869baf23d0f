"""Ctrl-C: the first one ends a command in order, a further one at once, and never with a traceback.

Decides nothing about what a command does on its way out.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from diptych.error_lines import error_line, wants_json

EXIT_CODE = 130  # 128 and the number of SIGINT, as shells have it
STOPPED = "stopped; run the same command again to go on"

_has_said = False


def end_at_once_on_ctrl_c() -> None:
    """Let Ctrl-C end the program where it stands: nothing is begun yet. One that is to be ignored stays ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end_at_once)


def end_in_order_on_ctrl_c() -> None:
    """Let the first Ctrl-C raise KeyboardInterrupt, and the next one end the program where it stands."""
    if signal.getsignal(signal.SIGINT) is _end_at_once:
        signal.signal(signal.SIGINT, _interrupt)


def ignore_ctrl_c() -> None:
    """Let no Ctrl-C break off the end of the program, when everything is done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def is_interrupt(error: BaseException) -> bool:
    """Return whether an error says that Ctrl-C was pressed: DuckDB's is a RuntimeError.

    >>> is_interrupt(RuntimeError("Query interrupted")), is_interrupt(RuntimeError("out of luck"))
    (True, False)
    """
    return isinstance(error, KeyboardInterrupt) or (
        type(error) is RuntimeError and str(error).startswith("Query interrupted")
    )


def say_stopped(arguments: Sequence[str]) -> None:
    """Say on stderr that the command of these arguments was stopped; where that is closed, nobody is told."""
    global _has_said
    _has_said = True
    line = error_line("Interrupted", STOPPED, EXIT_CODE) if wants_json(arguments) else STOPPED
    with contextlib.suppress(
        OSError, ValueError, AttributeError, RuntimeError
    ):  # RuntimeError: while it was written to
        if sys.stderr is not None:
            print(line, file=sys.stderr, flush=True)


def leave_at_once() -> NoReturn:
    """End the program as one that was stopped, without waiting for threads; workers end when their parent has."""
    ignore_ctrl_c()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError, RuntimeError):
            stream.flush()
    processes = sys.modules.get("multiprocessing.util")
    if processes is not None:  # else its tracker warns of semaphores that nobody took away
        with contextlib.suppress(Exception):
            processes._run_finalizers(0)
    os._exit(EXIT_CODE)


def _interrupt(number: int, frame: Any) -> NoReturn:
    signal.signal(signal.SIGINT, _end_at_once)
    raise KeyboardInterrupt


def _end_at_once(number: int, frame: Any) -> NoReturn:
    if not _has_said:
        say_stopped(sys.argv[1:])
    leave_at_once()
