"""A look at each file of an import: its sha256 and what it says of its making, or why it cannot be read.

Holds one file at a time for each thread.
"""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import NamedTuple

from diptych.data.picture_files import read_picture_file
from diptych.generate.imported.found_images import SourceFolder
from diptych.generate.imported.tools import NOTHING, ToolReading, read_tool
from diptych.progress import track

THREADS = 2  # hashing leaves the interpreter's lock
MISSING_FILE = "missing: the file is not there"


class LookedFile(NamedTuple):
    """A file that was looked at: its sha256, or a status and why it cannot be read; and what it says of its making."""

    sha256: str
    problem: str = ""
    tool: ToolReading = NOTHING


def look_at_files(source: SourceFolder, names: Sequence[str], *, progress: str) -> dict[str, LookedFile]:
    """Return what each of some files of a folder is."""
    with track("look at the files", len(names), mode=progress, unit="files") as tracker:
        look = _counting(source, tracker.advance)
        with ThreadPoolExecutor(THREADS, thread_name_prefix="look") as pool:
            try:
                return dict(zip(names, pool.map(look, names), strict=True))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def read_picture(source: SourceFolder, name: str) -> bytes | str:
    """Return the bytes of a file, or why there are none: a status, a colon and the detail."""
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        return MISSING_FILE  # a table may name anything; nothing outside the folder is read
    path = source.path(name)
    try:
        path.lstat()
        return read_picture_file(path)
    except FileNotFoundError:
        return MISSING_FILE
    except (OSError, ValueError) as error:  # ValueError: lstat's of a name with a zero byte, from a table
        return f"unreadable: {getattr(error, 'strerror', None) or error}"


def _counting(source: SourceFolder, advance: Callable[[], None]) -> Callable[[str], LookedFile]:
    def look(name: str) -> LookedFile:
        data = read_picture(source, name)
        advance()
        if isinstance(data, str):
            return LookedFile("", data)
        return LookedFile(hashlib.sha256(data).hexdigest(), tool=read_tool(data, name))

    return look
