"""What a machine has no more of: memory, disk, open files or threads; told in one line, whatever library ran into it.

Libraries tell it in many ways, and some of them, or of their callers, as the fault of what they were reading. Nothing
is wrong with the data then, and what is finished is kept. Decides nothing about what a command can be told to want less
of.
"""

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from typing import Literal

from diptych.errors import DiptychError, Shortage, one_line

Resource = Literal["memory", "disk", "open files", "threads"]

NUMBERS: dict[int, Resource] = {
    errno.EDQUOT: "disk",
    errno.EFBIG: "disk",  # the limit of this process for a file
    errno.EMFILE: "open files",
    errno.ENFILE: "open files",
    errno.ENOMEM: "memory",
    errno.ENOSPC: "disk",
}
# What is said without a number: by DuckDB, pyarrow, torch, threading, sqlite and the C++ beneath them.
PHRASES: tuple[tuple[str, Resource], ...] = (
    (r"No space left on device|disk is full|Disk quota exceeded|File too large", "disk"),
    (r"max_temp_directory_size", "disk"),
    (r"Too many open files", "open files"),
    (r"can't start new thread|Failed to launch worker thread|[Rr]esource temporarily unavailable: thread", "threads"),
    (r"can't allocate memory|Cannot allocate memory|[Oo]ut of [Mm]emory|bad_alloc", "memory"),
    (r"failed to map segment", "memory"),  # of a library that is imported
)
DATABASES = ("_duckdb", "duckdb", "sqlite3")
DUCKDBS_LIMIT = re.compile(r"\(\S+ \S+/\S+ \S+ used\)")  # what it says of the memory that it allows itself
MEMORY_LIMIT = "DIPTYCH_MEMORY_LIMIT"  # an environment variable: what DuckDB may take
KEPT = "what is finished is kept, run again to go on"
ADVICE: dict[Resource, str] = {
    "memory": f"with smaller batches, fewer workers, or {MEMORY_LIMIT} for what DuckDB takes of it",
    "disk": "once there is room there, or with TMPDIR where there is, if it is for temporary files",
    "open files": "with fewer workers, or after: ulimit -n 4096",
    "threads": "with fewer workers or download.threads, or after: ulimit -u unlimited, ulimit -v unlimited",
}


def what_ran_out(error: BaseException) -> Resource | None:
    """Return what an error, or one that it was raised from or hides, says that there is no more of; None where none.

    >>> what_ran_out(MemoryError()), what_ran_out(OSError(errno.ENOSPC, "")), what_ran_out(ValueError("out of memory"))
    ('memory', 'disk', None)
    """
    told = _told_by(error)
    return told[0] if told else None


@contextlib.contextmanager
def telling_shortage(where: str = "") -> Iterator[None]:
    """Let what the machine has no more of be told as that.

    Args:
        where: What was being done, or to what; without it, what an error of diptych on the way here begins with.

    Raises:
        Shortage: Instead of what a library raised, or of an error that blames the data. One that tells of a full disk,
            and where, stays as it is.
    """
    try:
        yield
    except Shortage:
        raise
    except Exception as error:
        told = _told_by(error)
        is_ours = isinstance(error, DiptychError)
        if told is None or (is_ours and told[0] == "disk"):
            raise
        place = where or (str(error).partition(": ")[0] if is_ours else "")
        what = f"{'the ' if told[0] in ('memory', 'disk') else ''}{told[0]}"
        verb = "is full" if told[0] == "disk" else "ran out"
        said = f"{f'{place}: ' if place else ''}{what} {verb}: {one_line(told[1])}"
        raise Shortage(f"{said}; {KEPT} {_advice(*told)}") from error


def has_memory(count: int) -> bool:
    """Return whether the system would give this process so many more bytes."""
    try:
        bytearray(count)
    except MemoryError:
        return False
    return True


def _advice(resource: Resource, error: BaseException) -> str:
    limit = os.environ.get(MEMORY_LIMIT, "").strip()
    if resource != "memory" or not limit:
        return ADVICE[resource]
    if DUCKDBS_LIMIT.search(str(error)):
        return f"with a {MEMORY_LIMIT} above {limit}, or without it"
    return f"with smaller batches, fewer workers, or a {MEMORY_LIMIT} below {limit}, which DuckDB takes of it"


def _told_by(error: BaseException | None) -> tuple[Resource, BaseException] | None:
    """Return what ran out, and the error that says so: this one, or one that it was raised from or has hidden.

    As a pool of threads that is half made hides why in a clean-up that fails, too.
    """
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        if found := _resource(error):
            return found, error
        seen.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return None


def _resource(error: BaseException) -> Resource | None:
    if isinstance(error, DiptychError):  # its words may be those of a path
        return None
    if isinstance(error, MemoryError):  # numpy's and pyarrow's, too
        return "memory"
    if isinstance(error, OSError) and error.errno is not None:
        return NUMBERS.get(error.errno)
    is_unknown = type(error).__name__ == "ArrowException"  # what pyarrow has no kind of error for
    is_told = isinstance(error, ImportError | OSError | RuntimeError) or type(error).__module__.startswith(DATABASES)
    if not (is_unknown or is_told):
        return None
    return next((resource for phrase, resource in PHRASES if re.search(phrase, str(error))), None)
