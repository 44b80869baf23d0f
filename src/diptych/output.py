"""Standard output and error that may fail: output is not the work, which goes on without it.

A reader that has seen enough (``| head``) is no error. A full disk is one, told at the end: what was written is not
whole. Characters that a terminal cannot show are written as escapes. Decides nothing about what is written.
"""

import contextlib
import errno
import os
import sys
from collections.abc import Sequence
from typing import Any, TextIO, cast


class ForgivingStream:
    """A text stream whose failures are kept and not raised.

    Attributes:
        failure: The first one; None where there is none, or where the reader went away.
    """

    def __init__(self, stream: TextIO) -> None:
        """Write to ``stream``."""
        self._stream = stream
        self.failure: OSError | None = None

    def write(self, text: str) -> int:
        """Write, and say that all of it was written."""
        try:
            self._stream.write(text)
        except OSError as error:
            self._lose(error)
        return len(text)

    def writelines(self, lines: Sequence[str]) -> None:
        """Write one after the other."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Hand over what was written."""
        try:
            self._stream.flush()
        except OSError as error:
            self._lose(error)

    def __getattr__(self, name: str) -> Any:
        """Everything else is as of the stream."""
        return getattr(self._stream, name)

    def _lose(self, error: OSError) -> None:
        """Write to nowhere from now on, also what waits in the stream's buffer."""
        if error.errno != errno.EPIPE and self.failure is None:
            self.failure = error
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


def forgive_output() -> None:
    """Let neither standard stream end the program; one that is closed leads nowhere, and no file takes its place."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name) or os.fdopen(number, "w", closefd=False)  # None where it was closed
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, cast(TextIO, ForgivingStream(stream)))


def failure_of_output() -> OSError | None:
    """Return why standard output is not whole; None where it is, or where its reader went away."""
    stream = sys.stdout
    if stream is not None:
        stream.flush()
    return stream.failure if isinstance(stream, ForgivingStream) else None
