"""The exit codes, and how what goes wrong becomes the end of a command. Decides nothing about what went wrong."""

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click

from diptych.error_lines import error_line, wants_json
from diptych.errors import ConfigError, DataError, DiptychError, MissingExtra
from diptych.interrupts import HUNG_UP, INTERRUPTED, TERMINATED

LINE_END = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
FAILED, USAGE, NOT_INSTALLED, GATE_CLOSED = 1, 2, 4, 100

EXIT_CODES = {
    0: "done",
    FAILED: "something given is wrong, or not all could be made; a line says what",
    USAGE: "the command was not written as --help says",
    NOT_INSTALLED: "something is not installed; the line says how to install it",
    GATE_CLOSED: "a number is not as good as a gate asks, or nobody knows; it says why",
    HUNG_UP: "stopped by a closed terminal; the same command goes on where it stopped",
    INTERRUPTED: "stopped with Ctrl-C; the same command goes on where it stopped",
    TERMINATED: "stopped with SIGTERM (kill); the same command goes on where it stopped",
}


class Failed(click.ClickException):
    """Ends the program with an exit code, and with a line on stderr for each problem, or one of JSON for all."""

    def __init__(self, kind: str, message: str, exit_code: int, arguments: Sequence[str], *places: str) -> None:
        """Keep what went wrong.

        Args:
            kind: The name of the error's class, or ``Usage``.
            message: A line for each problem.
            exit_code: One of ``EXIT_CODES``.
            arguments: Of the command; they say whether it speaks JSON.
            places: What a problem may begin with to say where it is, beside the arguments, paths and keys.
        """
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it off the instance
        named = {*arguments, *places}
        self.line = error_line(kind, message, exit_code, named) if wants_json(arguments) else f"Error: {message}"

    def show(self, file: Any = None) -> None:
        """Say it."""
        print(self.line, file=file or sys.stderr)


def failed(error: DiptychError, arguments: Sequence[str]) -> Failed:
    """Return the end of a command that raised an error on purpose."""
    code = NOT_INSTALLED if isinstance(error, MissingExtra) else FAILED
    said = str(error)
    if not isinstance(error, ConfigError):  # which alone tells of several problems, a line for each
        said = LINE_END.sub(lambda found: repr(found[0])[1:-1], said)  # of a name of a file or a column
    return Failed(type(error).__name__, said, code, arguments)


def told(error: BaseException) -> DiptychError | None:
    """Return what an error tells of what was given; None for a bug.

    Whatever a system says of a file that it names (no right to it, a disk that fails) is no bug.
    """
    if isinstance(error, OSError) and error.errno is not None and isinstance(error.filename, str):
        said = (error.strerror or "").lower()
        return DataError(
            f"{error.filename}: {said}; see that this user may read and write there, or name another place"
        )
    return error if isinstance(error, DiptychError) else None


def misused(error: click.UsageError, arguments: Sequence[str]) -> click.ClickException:
    """Return the end of a command that was not written as its help says: which, what is wrong, and where to look.

    For a group without a command it is the help itself.
    """
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error
    command = error.ctx.command_path if error.ctx else "diptych"
    said = "; ".join(_sentences(error.format_message()))
    stop = "" if said.endswith("?") else ";"
    return Failed("Usage", f"{command}: {said}{stop} see {command} --help", USAGE, arguments, command)


def _sentences(text: str) -> Iterator[str]:
    """Yield what click says in sentences and lines, without capitals and full stops."""
    for sentence in re.split(r"\.\s+(?=[A-Z])", " ".join(text.split()).rstrip(".")):
        yield sentence[:1].lower() + sentence[1:] if sentence[1:2].islower() else sentence


def exit_codes_help() -> str:
    r"""Return the exit codes as they stand in the help; ``\b`` is click's mark for text that is not to be wrapped."""
    return "\n".join(["\b", "Exit codes:", *(f"  {code:<4} {says}" for code, says in EXIT_CODES.items())])
