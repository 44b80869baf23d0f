"""Ctrl-C, a request to end and a terminal that is closed: the first ends a command in order, a further one at once.

Never with a traceback. Decides nothing about what a command does on its way out. This is imported before a stop is
heard, and the first of all: it imports nothing that takes time.
"""

import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence

from diptych.error_lines import wants_json

TYPE_CHECKING = False  # not typing's own, whose import takes time
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any, NoReturn

# The exit code of each: 128 and its number, as shells have it.
INTERRUPTED = 128 + signal.SIGINT
HUNG_UP = 128 + signal.SIGHUP
TERMINATED = 128 + signal.SIGTERM
STDERR = 2  # the last number of a standard stream
STOPS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
IMPORTS = "<frozen importlib._bootstrap>"  # where each frame of an import is called from
STOPPED = "stopped; run the same command again to go on"
STOPPED_JSON = '{{"error": "Interrupted", "exit_code": {}, "problems": [{{"where": null, "what": "{}"}}]}}'

_came_first: signal.Signals | None = None
_ends: "list[Callable[[], object]]" = []
_arrivals = -1  # where the numbers of signals are read in the order in which they came


def end_at_once_when_stopped() -> None:
    """Let a stop end the program where it stands: nothing is begun yet. One that is to be ignored stays ignored."""
    for number in STOPS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _end_at_once)
    _keep_order()
    sys.unraisablehook = _take_lost


@contextlib.contextmanager
def ending_in_order_when_stopped() -> Iterator[None]:
    """Let the first stop raise KeyboardInterrupt within, and the next one end the program where it stands.

    So does the first where something is imported: a module in C++ may end the process with SIGABRT at an exception that
    it did not expect (torch's do), and one in Python may take it for something that is not installed.
    """
    _put(_interrupt, instead_of=(_end_at_once,))
    try:
        yield
    finally:
        _put(_end_at_once, instead_of=(_interrupt,))


def ignore_stops() -> None:
    """Let nothing break off the end of the program, when everything is done."""
    _put(signal.SIG_IGN, instead_of=(_interrupt, _end_at_once))


def exit_code() -> int:
    """Return the exit code of a command that was stopped: 128 and the number of what stopped it first."""
    return 128 + (_came_first or signal.SIGINT)


def is_interrupt(error: BaseException) -> bool:
    """Return whether an error ends a command because it was stopped: whatever comes after a stop does.

    Where none was noted, Ctrl-C may have become a RuntimeError on its way (DuckDB's).

    >>> is_interrupt(RuntimeError("Query interrupted")), is_interrupt(RuntimeError("out of luck"))
    (True, False)
    """
    if _came_first is not None:
        return True
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KeyboardInterrupt):
            return True
        if type(cause) is RuntimeError and str(cause).startswith("Query interrupted"):
            return True
        cause = cause.__cause__
    return False


def say_stopped(arguments: Sequence[str]) -> None:
    """Say on stderr that the command of these arguments was stopped; where that is closed, nobody is told.

    Nothing is left to do then but to leave, and no further stop keeps from it or says it again.
    """
    ignore_stops()
    line = STOPPED_JSON.format(exit_code(), STOPPED) if wants_json(arguments) else STOPPED
    # RuntimeError: while it was written to
    with contextlib.suppress(OSError, ValueError, AttributeError, RuntimeError):
        if sys.stderr is not None:
            print(line, file=sys.stderr, flush=True)


def leave_at_once() -> "NoReturn":
    """End the program as one that was stopped, and its workers, without waiting for either or for threads."""
    ignore_stops()
    for end in _ends:
        with contextlib.suppress(Exception):
            end()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError, RuntimeError):
            stream.flush()
    processes = sys.modules.get("multiprocessing")
    if processes is not None:
        with contextlib.suppress(Exception):
            for worker in processes.active_children():
                worker.terminate()
            processes.util._run_finalizers(0)  # else its tracker warns of semaphores that nobody took away
    os._exit(exit_code())


def end_as_well(end: "Callable[[], object]") -> None:
    """Have something called when the program is stopped: it ends processes that would outlive this one."""
    _ends.append(end)


def leave(code: str | int | None) -> "NoReturn":
    """End the program when everything is done, whatever threads of libraries are still about.

    One that comes back to an interpreter that is being taken down ends the process with SIGABRT (pyarrow's may).
    """
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _put(handler: "Any", instead_of: "Sequence[Any]") -> None:
    """Let stops call another handler where they call one of ours; those of others stay."""
    for number in STOPS:
        if signal.getsignal(number) in instead_of:
            signal.signal(number, handler)


def _interrupt(number: int, frame: "FrameType | None") -> "NoReturn":
    if _is_importing(frame):
        _end_at_once(number, frame)
    _note(number)
    _put(_end_at_once, instead_of=(_interrupt,))
    raise KeyboardInterrupt


def _is_importing(frame: "FrameType | None") -> bool:
    while frame is not None:
        if frame.f_code.co_filename == IMPORTS:
            return True
        frame = frame.f_back
    return False


def _end_at_once(number: int, frame: "FrameType | None") -> "NoReturn":
    _note(number)
    say_stopped(sys.argv[1:])
    leave_at_once()


def _take_lost(lost: "sys.UnraisableHookArgs") -> None:
    """End the program at a KeyboardInterrupt that came where nobody can take it: in ``__del__``, or called by C."""
    if _came_first is not None and isinstance(lost.exc_value, KeyboardInterrupt):
        _end_at_once(_came_first, None)
    sys.__unraisablehook__(lost)


def _keep_order() -> None:
    """Let the order of signals be kept: Python calls the handlers of those that wait for it by their numbers.

    Where no file may be opened any more, or a standard stream is closed, whose number a pipe would get, it is not.
    """
    global _arrivals
    with contextlib.suppress(OSError):
        arrivals, end = os.pipe()
        if min(arrivals, end) <= STDERR:
            os.close(arrivals)
            os.close(end)
            return
        os.set_blocking(arrivals, False)
        os.set_blocking(end, False)
        signal.set_wakeup_fd(end, warn_on_full_buffer=False)
        os.register_at_fork(after_in_child=_forget_order)
        _arrivals = arrivals


def _forget_order() -> None:
    """Let a child that has no program of its own neither read nor write what its parent reads."""
    global _arrivals
    _arrivals = -1
    signal.set_wakeup_fd(-1)


def _note(number: int) -> None:
    global _came_first
    if _came_first is None:
        arrived = b""
        with contextlib.suppress(OSError):
            arrived = os.read(_arrivals, 1024)
        _came_first = signal.Signals(next((came for came in arrived if came in STOPS), number))
